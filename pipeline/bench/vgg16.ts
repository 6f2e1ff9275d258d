/**
 * VGG16's convolutions (Simonyan, Zisserman, "Very deep convolutional networks", 2014) with random weights: how long a
 * step takes does not depend on them.
 */

import { GraphBuilder } from '../network/build.ts';
import { float32, ints } from '../network/graph.ts';
import type { Layer, Network } from '../network/network.ts';
import { randomOf } from '../recipe/random.ts';

/** Filters of each convolution, block by block; between two blocks the largest of 2×2 is taken. */
const blocks = [
  [64, 64],
  [128, 128],
  [256, 256, 256],
  [512, 512, 512],
  [512, 512, 512],
];

export interface Convolution {
  readonly name: string;
  /** From 0. */
  readonly block: number;
  readonly channels: number;
  readonly filters: number;
}

export const convolutions: readonly Convolution[] = blocks
  .flatMap((filters, block) => filters.map((own, place) => ({ block, place, filters: own })))
  .map(({ block, place, filters }, index, all) => ({
    name: `block${block + 1}_conv${place + 1}`,
    block,
    channels: all[index - 1]?.filters ?? 3,
    filters,
  }));

/** He-normal weights, with which activations keep their size from layer to layer; biases of 0. */
export function randomVgg16(): Network {
  const random = randomOf(1409);
  const some = Float32Array.from({ length: 2 ** 18 }, () => random.normal());
  const build = new GraphBuilder();
  const input = build.input('picture', ['N', 3, 'height', 'width']);
  const layers: Layer[] = [];
  let [value, before] = [input, 0];
  for (const { name, block, channels, filters } of convolutions) {
    if (block > before) {
      value = build.add('MaxPool', [value], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });
    }
    before = block;
    const deviation = Math.sqrt(2 / (9 * channels));
    // A prime step, so that no two filters are alike.
    const weights = Float32Array.from(
      { length: filters * channels * 9 },
      (_, at) => deviation * (some[(at + 7919 * Math.floor(at / (channels * 9))) % some.length] as number),
    );
    const kernel = build.constant(float32([filters, channels, 3, 3], weights), `${name}/kernel`);
    const bias = build.constant(float32([filters], new Float32Array(filters)), `${name}/bias`);
    const linear = build.add('Conv', [value, kernel, bias], { pads: ints([1, 1, 1, 1]) }, `${name}/linear`);
    value = build.add('Relu', [linear], {}, name);
    layers.push({ name, kind: 'conv', units: filters, linear, output: value, unitAxis: 1 });
  }
  return {
    format: 'onnx',
    graph: build.graph([value]),
    input: { name: input, layout: 'NCHW', channels: 3, height: null, width: null },
    layers,
    gaps: [],
  };
}

/**
 * Operations of one step of one picture, of plain convolutions: each below the layer forwards and its adjoint, of the
 * layer one filter; two, a product and a sum, for each weight and place.
 */
export function flopsOfStep(layer: string, sizePx: number): number {
  const index = convolutions.findIndex(({ name }) => name === layer);
  return convolutions.slice(0, index + 1).reduce((sum, { name, block, channels, filters }) => {
    const side = Math.floor(sizePx / 2 ** block);
    return sum + 2 * 2 * 9 * channels * (name === layer ? 1 : filters) * side * side;
  }, 0);
}
