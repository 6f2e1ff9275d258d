import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadNetwork } from '../../pipeline/formats/index.ts';
import { ints, type Node } from '../../pipeline/network/graph.ts';
import type { Layer, Network } from '../../pipeline/network/network.ts';
import { resolveRecipe } from '../../pipeline/recipe/resolve.ts';
import { resolveScaling } from '../../pipeline/recipe/scaling.ts';
import {
  type FingerprintParts,
  fingerprintLayer,
  fingerprintOfParts,
  RENDERING_VERSION,
} from '../../pipeline/store/fingerprint.ts';
import { tinyNetwork } from '../ascent/tiny.ts';

const recipe = resolveRecipe('phosphene', 'test');
const scaling = resolveScaling('0..1', 1);
const size = { channels: 1, height: 12, width: 12 };

interface Changes {
  readonly network?: Network;
  readonly recipe?: typeof recipe;
  readonly scaling?: typeof scaling;
  readonly size?: typeof size;
  readonly seed?: number;
}

/** Fingerprints of all units, by `layer.unit`. */
async function fingerprints(changes: Changes = {}): Promise<Map<string, string>> {
  const network = changes.network ?? tinyNetwork();
  const found = new Map<string, string>();
  for (const layer of network.layers) {
    const own = await fingerprintLayer(
      network,
      layer,
      changes.recipe ?? recipe,
      changes.scaling ?? scaling,
      changes.size ?? size,
    );
    for (let unit = 0; unit < layer.units; unit++) {
      found.set(`${layer.name.at(-1)}${unit}`, (await own(unit, changes.seed ?? 0)).fingerprint);
    }
  }
  return found;
}

async function partsOf(key: string, changes: Changes = {}): Promise<FingerprintParts> {
  const network = changes.network ?? tinyNetwork();
  const layer = network.layers.find(({ name }) => name === key[0]) as Layer;
  const { recipe: by = recipe, scaling: scaled = scaling, size: sized = size, seed = 0 } = changes;
  const of = await fingerprintLayer(network, layer, by, scaled, sized);
  return (await of(Number(key.slice(1)), seed)).parts;
}

/** The network with operations that give back what they take before and behind every pooling. */
function withIdentities(network: Network): Network {
  const nodes = network.graph.nodes.flatMap((node): Node[] => {
    if (node.op !== 'MaxPool') return [node];
    const [input = '', output = ''] = [...node.inputs, ...node.outputs];
    const idle = (op: string, from: string, to: string): Node => ({
      op,
      name: to,
      inputs: [from],
      outputs: [to],
      attributes: {},
    });
    return [
      idle('Identity', input, 'before'),
      { ...node, inputs: ['before'], outputs: ['inside'] },
      idle('Dropout', 'inside', output),
    ];
  });
  return { ...network, graph: { ...network.graph, nodes } };
}

/** The network with the picture's absolute values in place of the picture. */
function deeper(): Network {
  const network = tinyNetwork();
  const { name } = network.input;
  const nodes = network.graph.nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map((input) => (input === name ? 'size' : input)),
  }));
  const size: Node = { op: 'Abs', name: 'size', inputs: [name], outputs: ['size'], attributes: {} };
  return { ...network, graph: { ...network.graph, nodes: [size, ...nodes] } };
}

const startingFrom = (file: string, digit: string): typeof recipe => ({
  ...recipe,
  start: { kind: 'image', file, sha256: digit.repeat(64) },
});

async function changedBy(changes: Changes, ordinary: Changes = {}): Promise<string[]> {
  const before = await fingerprints(ordinary);
  const after = await fingerprints(changes);
  return [...before.keys()].filter((key) => before.get(key) !== after.get(key));
}

const all = ['a', 'b', 'c', 'd'].flatMap((name) => {
  const { units } = tinyNetwork().layers.find((layer) => layer.name === name) as Layer;
  return Array.from({ length: units }, (_, unit) => `${name}${unit}`);
});
const of = (...names: string[]): string[] => all.filter((key) => names.includes(key[0] as string));

describe('fingerprint', () => {
  it('is a sha256 in hex, different for every unit', async () => {
    const found = [...(await fingerprints()).values()];
    expect(new Set(found).size).toBe(22);
    for (const fingerprint of found) expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ['a weight of one filter: that unit and all above it', 'a', 4, ['a4', ...of('b', 'c', 'd')]],
    ['a weight of one filter before a batch normalisation', 'b', 1, ['b1', ...of('c', 'd')]],
    ['a weight of one neuron', 'c', 6, ['c6', ...of('d')]],
    // Every class: the softmax that is measured runs over all of them.
    ['a weight of one class', 'd', 2, of('d')],
  ])('changes with %s, and for no other unit', async (_what, layer, unit, expected) => {
    expect(await changedBy({ network: tinyNetwork(1, { changed: { layer, unit } }) })).toEqual(expected);
  });

  it.each([
    ['the steps, and so the frames', { recipe: { ...recipe, steps: 65 } }],
    [
      'a field deep in the recipe',
      { recipe: { ...recipe, transforms: [{ kind: 'jitter', pixels: 5, border: 'wrap' } as const] } },
    ],
    ['the input scaling', { scaling: resolveScaling('-1..1', 1) }],
    ['the picture size', { size: { ...size, width: 13 } }],
    ['the seed', { seed: 1 }],
  ])('changes with %s, for every unit', async (_what, changes) => {
    expect(await changedBy(changes)).toEqual(all);
  });

  it.each<[string, Changes, Changes?]>([
    ["the recipe's name and source", { recipe: { ...recipe, name: 'another', source: 'elsewhere' } }],
    [
      "the recipe's picture lying elsewhere",
      { recipe: startingFrom('there/b.png', '0') },
      { recipe: startingFrom('here/a.png', '0') },
    ],
    ['the names of layers and values', { network: tinyNetwork(1, { prefix: 'renamed/' }) }],
    ['the format', { network: { ...tinyNetwork(), format: 'keras-h5' as const } }],
    ['operations that do nothing', { network: withIdentities(tinyNetwork()) }],
  ])('does not change with %s', async (_what, changes, before = {}) => {
    expect(await changedBy(changes, before)).toEqual([]);
  });

  it('changes with the bytes of the picture that a recipe starts from', async () => {
    const [before, after] = ['0', '1'].map((digit) => ({ recipe: startingFrom('a.png', digit) }));
    expect(await changedBy(after ?? {}, before)).toEqual(all);
  });

  it('changes with the width of a stride, and only above it', async () => {
    const network = tinyNetwork();
    const strides = (node: Node): Node =>
      node.op === 'MaxPool' ? { ...node, attributes: { ...node.attributes, strides: ints([2, 1]) } } : node;
    const changed = { ...network, graph: { ...network.graph, nodes: network.graph.nodes.map(strides) } };
    expect(await changedBy({ network: changed })).toEqual(of('b', 'c', 'd'));
  });

  it.each<[keyof FingerprintParts, Changes, string]>([
    ['structure', { network: deeper() }, 'b0'],
    ['weights', { network: tinyNetwork(1, { changed: { layer: 'a', unit: 4 } }) }, 'b0'],
    ['slice', { network: tinyNetwork(1, { changed: { layer: 'a', unit: 4 } }) }, 'a4'],
    ['scaling', { scaling: resolveScaling('-1..1', 1) }, 'a0'],
    ['recipe', { recipe: { ...recipe, attempts: 7 } }, 'a0'],
    ['size', { size: { ...size, width: 13 } }, 'a0'],
    ['seed', { seed: 1 }, 'a0'],
  ])('says that it is %s which differs, and nothing else', async (field, changes, unit) => {
    const [before, after] = [await partsOf(unit), await partsOf(unit, changes)];
    const fields = Object.keys(before) as (keyof FingerprintParts)[];
    expect(fields.filter((each) => before[each] !== after[each])).toEqual([field]);
  });

  it('of a network stays what it was, so that what was rendered once is not rendered again', async () => {
    const file = join(import.meta.dirname, '../../content/weights/mnist.keras');
    const network = await loadNetwork({
      name: 'mnist.keras',
      bytes: await readFile(file),
      sibling: () => Promise.reject(new Error('no other file')),
    });
    // Another value here means that every store there is must be rendered anew.
    const known = {
      conv2d_3: {
        structure: '3a2c8baaa823a5f99741e386e25fdd03abe3413d93f572d6757e4668df0b828c',
        weights: '20f25c4221307440fa0a4c5f0a20f59ec3878cf7ff6ddfd52aafc87736bd15c2',
        slice: 'ed53e0340fa3b35f54f8765ccd69ed92482cf96f31c47c78f54f0d6e581ddc15',
      },
      dense_3: {
        structure: '0ccb67d2788363aab76827025cee4f1d1782ac1b64d1187f00012e9d25d4f755',
        weights: 'e57f0366509193c039305f41f3a7659bec200305c3ee94a0c5414dfb3c3f5ab6',
        slice: '9ac830a4720af3707311d00bb89a2b46caf71870dba75e073f2a912869b79f7d',
      },
    };
    for (const [name, parts] of Object.entries(known)) {
      const layer = network.layers.find((each) => each.name === name) as Layer;
      const of = await fingerprintLayer(network, layer, recipe, scaling, size);
      expect((await of(3, 0)).parts).toMatchObject(parts);
    }
  });

  it('is the hash of its parts, which hold the steps that are kept apart from the recipe', async () => {
    const parts = await partsOf('c3');
    expect((await fingerprints()).get('c3')).toBe(await fingerprintOfParts(parts));
    const longer = await partsOf('c3', { recipe: { ...recipe, steps: recipe.steps + 1 } });
    expect(longer.frames).not.toBe(parts.frames);
    expect(longer).toMatchObject({
      version: RENDERING_VERSION,
      unit: 3,
      seed: 0,
      structure: parts.structure,
    });
  });
});
