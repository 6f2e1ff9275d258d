/** A small network of random weights with every kind of layer that the cut knows, quick enough to render whole. */

import { GraphBuilder } from '../../pipeline/network/build.ts';
import { float32, int, ints, size } from '../../pipeline/network/graph.ts';
import type { Layer, Network } from '../../pipeline/network/network.ts';
import { randomOf } from '../../pipeline/recipe/random.ts';

export interface TinyOptions {
  /** Changes all weights. */
  readonly seed?: number;
  /** Multiplies one weight: the first of a unit's slice of a layer. */
  readonly changed?: { readonly layer: string; readonly unit: number };
  /** Prefix of all names. */
  readonly prefix?: string;
}

/** 12×12×channels → conv 'a' 6 → pool → conv + batch norm 'b' 5 → dense 'c' 7 → scores 'd' 4. */
export function tinyNetwork(channels = 1, { seed = 1, changed, prefix = '' }: TinyOptions = {}): Network {
  const build = new GraphBuilder();
  const random = randomOf(seed);
  const input = build.input(`${prefix}x`, ['N', channels, 12, 12]);
  const weights = (layer: string, dims: readonly number[], deviation: number): string => {
    const data = Float32Array.from({ length: size(dims) }, () => deviation * random.normal());
    if (changed?.layer === layer && dims.length > 1) {
      const place = changed.unit * size(dims.slice(1));
      data[place] = (data[place] as number) * 1.5;
    }
    return build.constant(float32(dims, data), `${prefix}${layer}/w`);
  };
  const a = build.add('Conv', [input, weights('a', [6, channels, 3, 3], 0.4), weights('a', [6], 0.1)]);
  const aOut = build.add('Relu', [a]);
  const pooled = build.add('MaxPool', [aOut], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });
  const bConv = build.add('Conv', [pooled, weights('b', [5, 6, 3, 3], 0.2)]);
  const b = build.add('BatchNormalization', [
    bConv,
    ...[0, 1, 2].map(() => weights('b', [5], 0.5)),
    build.constant(float32([5], [1, 2, 0.5, 1.5, 1])),
  ]);
  const bOut = build.add('Relu', [b]);
  const flat = build.add('Flatten', [bOut]);
  const c = build.add('Gemm', [flat, weights('c', [7, 45], 0.3), weights('c', [7], 0.1)], { transB: int(1) });
  const cOut = build.add('Relu', [c]);
  const d = build.add('Gemm', [cOut, weights('d', [4, 7], 0.5), weights('d', [4], 0.1)], { transB: int(1) });
  const softmax = build.add('Softmax', [d], { axis: int(1) });
  const layer = (
    name: string,
    kind: Layer['kind'],
    units: number,
    linear: string,
    output: string,
  ): Layer => ({
    name: `${prefix}${name}`,
    kind,
    units,
    linear,
    output,
    unitAxis: 1,
  });
  return {
    format: 'onnx',
    graph: build.graph([softmax]),
    input: { name: input, layout: 'NCHW', channels, height: 12, width: 12 },
    layers: [
      layer('a', 'conv', 6, a, aOut),
      layer('b', 'conv', 5, b, bOut),
      layer('c', 'dense', 7, c, cOut),
      layer('d', 'scores', 4, d, d),
    ],
    gaps: [],
  };
}
