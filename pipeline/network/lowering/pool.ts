/**
 * Max pooling of 2×2 with steps of 2 on channels last, [N, height, width, C]: of each two neighbours in a row the larger one, then of
 * each two rows. What is larger is all that the adjoint needs; of equal values the first in row-major order is taken.
 */

import type { GraphBuilder } from '../build.ts';
import { type Graph, int, intOf, intsOf, type Node } from '../graph.ts';

/** One of two: their larger values, and where the second is the larger. */
interface Duel {
  readonly winner: string;
  readonly second: string;
}

export interface Pool {
  /** The pooled value, [N, height / 2, width / 2, C]. */
  readonly value: string;
  /** Writes the cotangent of what was pooled from that of `value`. */
  unpool(cotangent: string): string;
}

/** Whether a pooling can be written in this way; `dims` [N, C, height, width] are those of its input. */
export function isHalving(node: Node, [, , ...image]: readonly number[]): boolean {
  const every = (name: string, value: number, otherwise: boolean): boolean =>
    intsOf(node, name)?.every((one) => one === value) ?? otherwise;
  return (
    image.length === 2 &&
    image.every((side) => side % 2 === 0) &&
    every('kernel_shape', 2, false) &&
    every('strides', 2, false) &&
    every('pads', 0, true) &&
    every('dilations', 1, true) &&
    intOf(node, 'storage_order', 0) === 0
  );
}

/** Writes the pooling of `x` [N, height, width, C]; `dims` are [N, C, height, width]. */
export function pool(build: GraphBuilder, x: string, dims: readonly number[]): Pool {
  const [n = 1, c = 1, height = 2, width = 2] = dims;
  const pairs = [(n * height * width) / 2, c] as const;
  const rows = [(n * height) / 2, (width / 2) * c] as const;
  const across = duel(build, x, pairs);
  const down = duel(build, across.winner, rows);
  const shaped = (value: string, sides: readonly number[]): string =>
    build.add('Reshape', [value, build.shape([n, ...sides, c])]);
  return {
    value: shaped(down.winner, [height / 2, width / 2]),
    unpool(cotangent) {
      const ofRows = share(build, cotangent, down, rows);
      return shaped(share(build, ofRows, across, pairs), [height, width]);
    },
  };
}

type Pairs = readonly [count: number, length: number];

function duel(build: GraphBuilder, value: string, [count, length]: Pairs): Duel {
  const paired = build.add('Reshape', [value, build.shape([count, 2, length])]);
  const [first = '', second = ''] = build.addMany('Split', [paired], 2, { axis: int(1) });
  return { winner: build.add('Max', [first, second]), second: build.add('Greater', [second, first]) };
}

/** Hands the cotangent of the winners to those who won, in pairs. */
function share(build: GraphBuilder, cotangent: string, { second }: Duel, [count, length]: Pairs): string {
  const all = build.add('Reshape', [cotangent, build.shape([count, 1, length])]);
  const toSecond = build.add('Mul', [all, build.add('Cast', [second], { to: int(1) })]);
  return build.add('Concat', [build.add('Sub', [all, toSecond]), toSecond], { axis: int(1) });
}

/** Whether all that is done with the indices of a pooling is to unpool by them. */
export function onlyUnpools(graph: Graph, indices: string): boolean {
  return graph.nodes.every(({ op, inputs }) => !inputs.includes(indices) || op === 'MaxUnpool');
}
