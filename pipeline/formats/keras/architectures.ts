/**
 * Networks that are published as weights alone. A file is recognised by the names and shapes of its weights, and may
 * end early: what comes after is left out by the reader as a gap.
 */

import type { Float32Tensor } from '../../network/graph.ts';
import type { JsonObject } from '../json.ts';
import { callWith, type LayerDescription, type ModelDescription } from './description.ts';

export interface StoredLayer {
  readonly name: string;
  readonly tensors: readonly Float32Tensor[];
}

type Bare = Omit<LayerDescription, 'calls'> & { readonly from: readonly string[] };

/** The layers of one network; `has` tells whether the file holds weights for a layer. */
type Architecture = (has: (layer: string) => boolean) => readonly Bare[];

class Chain {
  readonly layers: Bare[] = [];

  add(
    className: string,
    name: string,
    config: JsonObject = {},
    from = [this.layers.at(-1)?.name ?? ''],
  ): this {
    this.layers.push({
      name,
      className,
      config: { name, ...config },
      from: from.filter((one) => one !== ''),
    });
    return this;
  }
}

/** Simonyan and Zisserman, "Very Deep Convolutional Networks"; names and layout of keras-applications. */
const vgg =
  (convolutions: readonly number[]): Architecture =>
  (has) => {
    const top = has('fc1');
    const side = top ? 224 : null;
    const chain = new Chain().add('InputLayer', 'input_1', { batch_shape: [null, side, side, 3] });
    convolutions.forEach((count, block) => {
      for (let conv = 1; conv <= count; conv++) {
        chain.add('Conv2D', `block${block + 1}_conv${conv}`, {
          filters: Math.min(64 * 2 ** block, 512),
          kernel_size: [3, 3],
          padding: 'same',
          activation: 'relu',
        });
      }
      chain.add('MaxPooling2D', `block${block + 1}_pool`, { pool_size: [2, 2] });
    });
    if (top) {
      chain
        .add('Flatten', 'flatten')
        .add('Dense', 'fc1', { units: 4096, activation: 'relu' })
        .add('Dense', 'fc2', { units: 4096, activation: 'relu' })
        .add('Dense', 'predictions', { units: 1000, activation: 'softmax' });
    }
    return chain.layers;
  };

/** Iandola et al., "SqueezeNet", version 1.1; names and layout of keras-squeezenet. */
const squeezeNet: Architecture = (has) => {
  const chain = new Chain().add('InputLayer', 'input_1', { batch_shape: [null, null, null, 3] });
  const conv = (name: string, filters: number, side: number, more: JsonObject = {}, from?: string[]): Chain =>
    chain.add('Conv2D', name, { filters, kernel_size: [side, side], ...more }, from);
  const pool = (name: string): Chain =>
    chain.add('MaxPooling2D', name, { pool_size: [3, 3], strides: [2, 2] });
  conv('conv1', 64, 3, { strides: [2, 2] }).add('Activation', 'relu_conv1', { activation: 'relu' });
  pool('pool1');
  [16, 16, 32, 32, 48, 48, 64, 64].forEach((squeeze, index) => {
    const fire = `fire${index + 2}`;
    const squeezed = `${fire}/relu_squeeze1x1`;
    conv(`${fire}/squeeze1x1`, squeeze, 1).add('Activation', squeezed, { activation: 'relu' });
    const branches = [1, 3].map((side) => {
      const activated = `${fire}/relu_expand${side}x${side}`;
      const config = { padding: side === 1 ? 'valid' : 'same' };
      conv(`${fire}/expand${side}x${side}`, 4 * squeeze, side, config, [squeezed]);
      chain.add('Activation', activated, { activation: 'relu' });
      return activated;
    });
    chain.add('Concatenate', `${fire}/concat`, { axis: -1 }, branches);
    if (index === 1 || index === 3) pool(`pool${index + 2}`);
  });
  if (has('conv10')) {
    conv('conv10', 1000, 1).add('Activation', 'relu_conv10', { activation: 'relu' });
    chain.add('GlobalAveragePooling2D', 'global_average_pooling2d_1');
    chain.add('Activation', 'loss', { activation: 'softmax' });
  }
  return chain.layers;
};

const table: Readonly<Record<string, Architecture>> = {
  VGG16: vgg([2, 2, 3, 3, 3]),
  VGG19: vgg([2, 2, 4, 4, 4]),
  'SqueezeNet 1.1': squeezeNet,
};

/** Names of the networks that are known by their weights. */
export const architectures: readonly string[] = Object.keys(table);

/** The network whose layers these weights are, or undefined: every layer must be one of its, with the right units. */
export function knownArchitecture(stored: readonly StoredLayer[]): ModelDescription | undefined {
  if (stored.length === 0) return undefined;
  const names = new Set(stored.map(({ name }) => name));
  for (const [name, architecture] of Object.entries(table)) {
    const layers = architecture((layer) => names.has(layer));
    const units = new Map(
      layers.map((layer) => [layer.name, layer.config['filters'] ?? layer.config['units']]),
    );
    const fits = stored.every((layer) => {
      const expected = units.get(layer.name);
      return expected !== undefined && layer.tensors[0]?.dims.at(-1) === expected;
    });
    if (!fits) continue;
    const reference = (layer: string) => ({ layer, node: 0, tensor: 0 });
    return {
      name,
      layers: layers.map(({ from, ...layer }) => ({ ...layer, calls: [callWith(from.map(reference))] })),
      inputs: [reference(layers[0]?.name ?? '')],
      outputs: [reference(layers.at(-1)?.name ?? '')],
    };
  }
  return undefined;
}
