/**
 * The part of a picture that one value of a map depends on. A network that is given this part alone computes the same
 * value: what it pads with zeros at the part's border is read by other values only. The part begins at a multiple of the
 * map's stride, so that all windows lie where they lay.
 */

import { intsOf, type Node, textOf } from './graph.ts';
import type { Layer, Network } from './network.ts';
import { type Span, spansOf } from './receptive.ts';

export interface Part {
  /** In pixels of the picture; the end is the first pixel that is left out. */
  readonly start: number;
  readonly end: number;
  /** Where in the part's map the value is. */
  readonly position: number;
}

/**
 * The parts down and across that the value at `positions` of a layer's map depends on, in a picture of `sides`; undefined
 * where it depends on all of it, or windows would not lie where they lay.
 */
export function partsSeen(
  { graph, input }: Network,
  layer: Layer,
  positions: readonly [number, number],
  sides: readonly [number, number],
): readonly [Part, Part] | undefined {
  const spans = spansOf(graph, input, layer.linear);
  if (spans === undefined || graph.nodes.some(padsBySize)) return undefined;
  const [down, across] = spans.map((span, axis) => partOf(span, positions[axis] ?? 0, sides[axis] ?? 0));
  if (down === undefined || across === undefined) return undefined;
  const isWhole = [down, across].every(({ start, end }, axis) => start === 0 && end === sides[axis]);
  return isWhole ? undefined : [down, across];
}

/** SAME with steps pads by what is left over, on another side in a picture of another size. */
const padsBySize = (node: Node): boolean =>
  textOf(node, 'auto_pad', 'NOTSET').startsWith('SAME') &&
  (intsOf(node, 'strides') ?? []).some((step) => step > 1);

function partOf({ first, last, stride }: Span, position: number, side: number): Part | undefined {
  if (!Number.isInteger(stride) || !Number.isInteger(first)) return undefined;
  const start = Math.max(0, Math.floor((first + stride * position) / stride) * stride);
  const end = Math.min(side, Math.ceil((last + stride * position + 1) / stride) * stride);
  return { start, end, position: position - start / stride };
}
