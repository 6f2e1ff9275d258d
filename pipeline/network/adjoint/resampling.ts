/** Resize: along each axis a linear map, whose matrix is written down from the coordinates; the cotangent takes its transpose. */

import { float32, intOf, type Node, textOf } from '../graph.ts';
import { transposedAlong } from './linear-map.ts';
import { type Formula, type Rules, range, ruleOfFirst } from './rule.ts';

/** From a place in an axis of n values to the place in the axis of m values that it was resized from, by `scale`. */
type Coordinate = (place: number, scale: number, n: number, m: number) => number;

const coordinates: Record<string, Coordinate> = {
  half_pixel: (place, scale) => (place + 0.5) / scale - 0.5,
  pytorch_half_pixel: (place, scale, n) => (n > 1 ? (place + 0.5) / scale - 0.5 : 0),
  half_pixel_symmetric: (place, scale, n, m) => (m / 2) * (1 - n / (scale * m)) + (place + 0.5) / scale - 0.5,
  asymmetric: (place, scale) => place / scale,
  align_corners: (place, _, n, m) => (n > 1 ? (place * (m - 1)) / (n - 1) : 0),
};

const roundings: Record<string, (place: number) => number> = {
  round_prefer_floor: (place) => Math.ceil(place - 0.5),
  round_prefer_ceil: (place) => Math.floor(place + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

/** The positions that a place reads, with their weights; beyond the ends the last value counts. */
type Kernel = (place: number) => readonly (readonly [position: number, weight: number])[];

function kernelOf(node: Node, refuse: Formula['refuse']): Kernel {
  const mode = textOf(node, 'mode', 'nearest');
  const rounding = textOf(node, 'nearest_mode', 'round_prefer_floor');
  if (mode === 'linear') {
    return (place) => {
      const below = Math.floor(place);
      return [
        [below, 1 - (place - below)],
        [below + 1, place - below],
      ];
    };
  }
  const round = roundings[rounding] ?? refuse(`its nearest_mode is '${rounding}'`);
  return mode === 'nearest' ? (place) => [[round(place), 1]] : refuse(`its mode is '${mode}'`);
}

/** One axis of a resize: y = matrix · x along it, `data` [n, m] in rows. */
export interface AxisResize {
  readonly axis: number;
  /** Lengths of the axis in y and in x. */
  readonly n: number;
  readonly m: number;
  readonly data: Float32Array;
}

/**
 * A Resize of dims `from` to dims `to` as one matrix for each axis that changes.
 * @param given The scales that the node states, where it states any.
 */
export function resizeMatrices(
  node: Node,
  from: readonly number[],
  to: readonly number[],
  given: ArrayLike<number> | undefined,
  refuse: Formula['refuse'],
): AxisResize[] {
  const transformation = textOf(node, 'coordinate_transformation_mode', 'half_pixel');
  const coordinate = coordinates[transformation] ?? refuse(`its coordinates are '${transformation}'`);
  const kernel = kernelOf(node, refuse);
  if (intOf(node, 'antialias', 0) === 1) refuse('it is antialiased');
  return from.flatMap((m, axis) => {
    const n = to[axis] ?? 1;
    const scale = (given?.length === to.length ? given[axis] : undefined) ?? n / m;
    if (n === m && scale === 1) return [];
    const data = new Float32Array(n * m);
    for (const row of range(n)) {
      for (const [position, weight] of kernel(coordinate(row, scale, n, m))) {
        const place = row * m + Math.min(Math.max(position, 0), m - 1);
        data[place] = (data[place] ?? 0) + weight;
      }
    }
    return [{ axis, n, m, data }];
  });
}

export const resampling: Rules = {
  Resize: ruleOfFirst(({ build, g, x, y, node, dims, refuse }) => {
    const given = build.float32Constant(node.inputs[2] ?? '')?.data;
    let now = [...dims(y)];
    let result = g;
    for (const { axis, n, m, data } of resizeMatrices(node, dims(x), dims(y), given, refuse)) {
      const matrix = build.constant(float32([n, m], data), 'matrix');
      result = transposedAlong(build, result, now, axis, matrix, m);
      now = now.with(axis, m);
    }
    return result;
  }),
};
