/**
 * A model file that nobody has described: the content file that people would most probably write for it, each guess
 * with its reason, so that they can tell a wrong one.
 */

import { basename, dirname } from 'node:path';
import type { z } from 'zod';
import { type InputScaling, type modelContent, pageNames } from '../content/schema.ts';
import { ownScaling } from './network/input-range.ts';
import { renderableLayers } from './network/inspect.ts';
import type { Network } from './network/network.ts';
import { slug } from './slug.ts';
import { counted, oneLine } from './words.ts';

export interface Assumption {
  /** For the content file's name. */
  readonly slug: string;
  /** As people would write it; `weights` is theirs to add. */
  readonly content: Omit<z.input<typeof modelContent>, 'weights'>;
  /** Why it says what it says: field and sentence. */
  readonly reasons: readonly { readonly field: string; readonly reason: string }[];
}

interface Guess<T> {
  readonly value: T;
  readonly reason: string;
}

/** What to assume of a network that was read from the file at `path`. */
export function assumeContent(network: Network, path: string): Assumption {
  const title = titleOf(path);
  const address = slug(title).replaceAll(/[-_]{2,}/g, '-');
  const scaling = guessScaling(network);
  const recipe = guessRecipe(network);
  return {
    slug: pageNames.includes(address) ? `${address}-model` : address,
    content: { title, input: { scaling: scaling.value }, recipe: recipe.value },
    reasons: [
      { field: 'scaling', reason: scaling.reason },
      { field: 'recipe', reason: recipe.reason },
      { field: 'layers', reason: layersInWords(network) },
    ],
  };
}

/** File names that exporters choose: the folder's name says more. */
const nameless = new Set([
  'model',
  'weights',
  'saved_model',
  'tfjs_model',
  'network',
  'best',
  'last',
  'export',
]);

function titleOf(path: string): string {
  const stem = (name: string): string => oneLine(name.replace(/\.[A-Za-z][A-Za-z0-9]{0,9}$/, ''));
  const own = stem(basename(path));
  const folder = oneLine(basename(dirname(path)));
  const title = nameless.has(own.toLowerCase()) && folder !== '' && folder !== '.' ? folder : own;
  return title.slice(0, 200) || 'model';
}

/** Published networks by names of their layers, all of which must be there, and what they were trained on. */
const published: readonly { network: string; names: readonly RegExp[]; scaling: InputScaling }[] = [
  { network: 'a VGG', names: [/^block1_conv1$/, /^block2_conv1$/], scaling: 'caffe' },
  { network: 'Xception', names: [/^block1_conv1$/, /^block2_sepconv1$/], scaling: '-1..1' },
  { network: 'a ResNet of the second version', names: [/^conv2_block1_preact/], scaling: '-1..1' },
  { network: 'a ResNet', names: [/^conv2_block1_3_conv$/], scaling: 'caffe' },
  { network: 'a ResNet', names: [/^res2a_branch2a$/], scaling: 'caffe' },
  { network: 'a DenseNet', names: [/^conv2_block1_2_conv$/, /^conv3_block1_1_conv$/], scaling: 'torch' },
  { network: 'a MobileNet', names: [/^conv_dw_1$/], scaling: '-1..1' },
  { network: 'a MobileNet', names: [/^block_1_expand$/, /^block_1_project$/], scaling: '-1..1' },
  { network: 'GoogLeNet', names: [/^conv1\/7x7_s2/, /^inception_3a\//], scaling: 'caffe' },
  { network: 'SqueezeNet', names: [/^fire2\/squeeze1x1/], scaling: 'caffe' },
  { network: 'a network of torchvision', names: [/^\/?(features\/)?features\.0[/.]/], scaling: 'torch' },
  { network: 'a ResNet of torchvision', names: [/^\/?(layer1\/)?layer1\.0[/.]conv1/], scaling: 'torch' },
];

/** A zero above it is one of 0..255: no mean of 0..1 or -1..1 lies there. */
const mostOfUnitRange = 1.5;
/** A network whose first numbers are larger than this was not made for 0..255. */
const mostAtFirst = 20;

function guessScaling(network: Network): Guess<InputScaling> {
  const own = ownScaling(network);
  if (own !== undefined) {
    const { zero, factor } = own;
    if (zero > mostOfUnitRange || Math.abs(factor) * 255 <= mostAtFirst) {
      return { value: 'none', reason: 'the network scales 0..255 itself' };
    }
    const value = zero < 0 ? '-1..1' : '0..1';
    return { value, reason: `the network begins with a normalisation of ${value}` };
  }
  if (network.input.channels === 3) {
    const names = namesIn(network);
    const known = published.find((each) => each.names.every((sign) => names.some((name) => sign.test(name))));
    if (known !== undefined) {
      return { value: known.scaling, reason: `its layers have the names of ${known.network}` };
    }
  }
  const others = network.input.channels === 3 ? '-1..1, caffe, torch or none' : '-1..1 or none';
  return { value: '0..1', reason: `nothing in the file says it; if pictures look wrong, try ${others}` };
}

function namesIn({ graph, layers }: Network): string[] {
  return [
    ...layers.map(({ name }) => name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap(({ name, outputs }) => [name, ...outputs]),
  ];
}

/** The largest side of pictures that are taken for handwriting; faces and the like are larger. */
const mostInkPx = 32;

function guessRecipe({ input: { channels, height, width } }: Network): Guess<string> {
  const small = height !== null && width !== null && Math.max(height, width) <= mostInkPx;
  return channels === 1 && small
    ? {
        value: 'phosphene-ink',
        reason: `one channel of ${width}×${height} px is taken for white ink on black; for anything else, write phosphene`,
      }
    : { value: 'phosphene', reason: 'the default' };
}

function layersInWords(network: Network): string {
  const names = renderableLayers(network).map(({ name }) => oneLine(name).slice(0, 60));
  const [first, last] = [names[0] ?? '', names.at(-1) ?? ''];
  const left = network.layers.length + network.gaps.length - names.length;
  const rest = left === 0 ? '' : `; ${left} that cannot be rendered (phosphene inspect says why)`;
  if (names.length === 0) return `none${rest}`;
  if (names.length < 2) return `${first}${rest}`;
  return `all ${counted(names.length, 'layer')}, ${first} to ${last}${rest}; "layers" in the content file chooses`;
}
