/**
 * Max pooling of 2×2 with steps of 2 on channels last: of each two neighbours in a row the larger one, then of each two
 * rows. What is larger is all that the adjoint needs; of equal values the first in row-major order is taken.
 */

import type { GraphBuilder } from '../build.ts';
import { type Graph, int, intOf, intsOf, type Node } from '../graph.ts';
import { arranged, type Bands } from './bands.ts';

/** Of two values the larger ones, and by how much the second are. */
interface Duel {
  readonly winner: string;
  readonly lead: string;
}

export interface Pool {
  /** What was pooled. */
  readonly value: Bands;
  /** Writes the cotangent of what was pooled from that of `value`. */
  unpool(cotangent: Bands): Bands;
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

/** Writes the pooling of maps of even height and width. */
export function pool(build: GraphBuilder, x: Bands): Pool {
  const [n = 1, c = 1, height = 2, width = 2] = x.dims;
  const edges = x.edges.filter((edge) => edge % 2 === 0);
  const { parts } = arranged(build, x, { edges, inQuarters: true });
  const bands = edges.slice(1).map((_, band) => {
    const [a = '', b = '', c = '', d = ''] = parts.slice(4 * band, 4 * band + 4);
    const [above, below] = [duel(build, a, b), duel(build, c, d)];
    const both = duel(build, above.winner, below.winner);
    return {
      pooled: both.winner,
      unpool: (cotangent: string): string[] => {
        const [ofAbove, ofBelow] = share(build, cotangent, both);
        return [...share(build, ofAbove, above), ...share(build, ofBelow, below)];
      },
    };
  });
  const value: Bands = {
    dims: [n, c, height / 2, width / 2],
    edges: edges.map((edge) => edge / 2),
    inQuarters: false,
    parts: bands.map(({ pooled }) => pooled),
  };
  return {
    value,
    unpool(cotangent) {
      const own = arranged(build, cotangent, value);
      const shares = bands.flatMap(({ unpool }, band) => unpool(own.parts[band] as string));
      return { dims: x.dims, edges, inQuarters: true, parts: shares };
    },
  };
}

const duel = (build: GraphBuilder, first: string, second: string): Duel => ({
  winner: build.add('Max', [first, second]),
  lead: build.add('Sub', [second, first]),
});

/** What of the winners' cotangent is the first values', and what the second ones'. */
function share(build: GraphBuilder, cotangent: string, { lead }: Duel): [string, string] {
  const isSecond = build.add('Greater', [lead, build.scalar(0)]);
  const toSecond = build.add('Mul', [cotangent, build.add('Cast', [isSecond], { to: int(1) })]);
  return [build.add('Sub', [cotangent, toSecond]), toSecond];
}

/** Whether all that is done with the indices of a pooling is to unpool by them. */
export function onlyUnpools(graph: Graph, indices: string): boolean {
  return graph.nodes.every(({ op, inputs }) => !inputs.includes(indices) || op === 'MaxUnpool');
}
