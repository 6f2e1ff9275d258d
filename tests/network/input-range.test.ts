import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import { float32, ints } from '../../pipeline/network/graph.ts';
import { ownScaling } from '../../pipeline/network/input-range.ts';

const cases: Record<string, { write: (b: GraphBuilder) => string; zero: number; factor: number }> = {
  'x / 127.5 - 1': {
    write: (b) => {
      const divided = b.add('Div', ['x', b.constant(float32([], [127.5]))]);
      return b.add('Sub', [divided, b.constant(float32([1], [1]))]);
    },
    zero: 127.5,
    factor: 1 / 127.5,
  },
  'x · .5 + 2 behind a transposition': {
    write: (b) => {
      const turned = b.add('Transpose', ['x'], { perm: ints([0, 3, 1, 2]) });
      const half = b.add('Mul', [b.constant(float32([], [0.5])), turned]);
      return b.add('Add', [half, b.constant(float32([3, 1, 1], [1, 2, 3]))]);
    },
    zero: -4,
    factor: 0.5,
  },
  'a batch normalisation of mean 100 and variance 2500': {
    write: (b) =>
      b.add(
        'BatchNormalization',
        ['x', ...[7, 8, 100, 2500].map((value) => b.constant(float32([3], [value, value, value])))],
        { epsilon: { kind: 'float', value: 0 } },
      ),
    zero: 100,
    factor: 0.02,
  },
};

describe("a network's own scaling", () => {
  it.each(Object.entries(cases))('%s is read off its graph', (_, { write, zero, factor }) => {
    const build = new GraphBuilder();
    build.input('x', ['N', null, null, 3]);
    const relu = build.add('Relu', [write(build)]);
    const found = ownScaling({
      graph: build.graph([relu]),
      input: { name: 'x', layout: 'NHWC', channels: 3, height: null, width: null },
    });
    expect(found?.zero).toBeCloseTo(zero, 10);
    expect(found?.factor).toBeCloseTo(factor, 10);
  });

  it.each<[string, (b: GraphBuilder) => string]>([
    ['begins with something else', (b) => b.add('Relu', ['x'])],
    ['uses its input twice', (b) => b.add('Add', [b.add('Mul', ['x', b.constant(float32([], [2]))]), 'x'])],
  ])('is none where a network %s', (_, write) => {
    const build = new GraphBuilder();
    build.input('x', ['N', null, null, 3]);
    const graph = build.graph([write(build)]);
    const input = { name: 'x', layout: 'NHWC', channels: 3, height: null, width: null } as const;
    expect(ownScaling({ graph, input })).toBeUndefined();
  });
});
