import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../pipeline/network/build.ts';
import { float32, ints } from '../../../pipeline/network/graph.ts';
import { candidates, quickest, type TimesOf } from '../../../pipeline/network/lowering/choose.ts';

/** Two convolutions at 8×8, a pooling, two at 4×4; all of 4 channels. */
function chain() {
  const build = new GraphBuilder();
  const kernel = build.constant(float32([4, 4, 3, 3], new Float32Array(144).fill(0.1)));
  const dims = new Map<string, readonly number[]>();
  let value = build.input('x', [2, 4, 8, 8]);
  dims.set(value, [2, 4, 8, 8]);
  for (const side of [8, 8, 4, 4]) {
    if (side === 4 && dims.get(value)?.[2] === 8) {
      value = build.add('MaxPool', [value], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });
      dims.set(value, [2, 4, 4, 4]);
    }
    const linear = build.add('Conv', [value, kernel], { pads: ints([1, 1, 1, 1]) });
    value = build.add('Relu', [linear]);
    for (const made of [linear, value]) dims.set(made, [2, 4, side, side]);
  }
  return { graph: build.graph([value]), dims: (name: string) => dims.get(name) };
}

const large = { channels: 4, filters: 4, height: 8, width: 8 };
const small = { channels: 4, filters: 4, height: 4, width: 4 };

describe('the choice between ways of convolving', () => {
  const { graph, dims } = chain();
  const chosen = (timesOf: TimesOf): boolean[] => [large, small].map(quickest(graph, dims, timesOf));
  const times =
    (ofLarge: number, ofSmall: number, change: number): TimesOf =>
    ({ height }) => ({ plain: 10, winograd: height === 8 ? ofLarge : ofSmall, change });

  it('is about the convolutions of the graph', () => {
    expect(candidates(graph, dims)).toEqual([large, large, small, small]);
  });

  it.each([
    ['all plain where nothing gains', times(11, 11, 0), [false, false]],
    ['the small ones where those gain by more than two changes of layout', times(14, 4, 1), [false, true]],
    ['all plain where the changes cost more', times(14, 8, 3), [false, false]],
    ['all where neighbours share what one alone would lose by', times(9, 8, 1), [true, true]],
    ['all plain where next to nothing is gained', times(9.9, 9.9, 0.1), [false, false]],
    ['all plain where nothing was measured', () => undefined, [false, false]],
  ] as const)('is %s', (_, timesOf, expected) => {
    expect(chosen(timesOf)).toEqual(expected);
  });
});
