/** A small colour network of random weights, as the graph of an ONNX file. */

import { GraphBuilder } from '../../pipeline/network/build.ts';
import { float32, type Graph, int, ints, size } from '../../pipeline/network/graph.ts';
import { randomOf } from '../../pipeline/recipe/random.ts';

/** N×3×side×side (null: any size) → conv1 of 6 → pool → conv2 of 5 → mean of each map → 4 classes. */
export function colourGraph(side: number | null = null): Graph {
  const build = new GraphBuilder();
  const random = randomOf(1);
  const weights = (name: string, dims: readonly number[], deviation: number): string =>
    build.constant(
      float32(
        dims,
        Float32Array.from({ length: size(dims) }, () => deviation * random.normal()),
      ),
      name,
    );
  const input = build.input('picture', ['N', 3, side, side]);
  const first = build.add(
    'Conv',
    [input, weights('a', [6, 3, 3, 3], 0.4), weights('a/b', [6], 0.1)],
    {},
    'conv1',
  );
  const pooled = build.add('MaxPool', [build.add('Relu', [first])], {
    kernel_shape: ints([2, 2]),
    strides: ints([2, 2]),
  });
  const second = build.add('Conv', [pooled, weights('b', [5, 6, 3, 3], 0.3)], {}, 'conv2');
  const means = build.add('Flatten', [build.add('GlobalAveragePool', [build.add('Relu', [second])])]);
  const scores = build.add('Gemm', [means, weights('c', [4, 5], 1)], { transB: int(1) }, 'classes');
  return build.graph([build.add('Softmax', [scores], { axis: int(1) })]);
}
