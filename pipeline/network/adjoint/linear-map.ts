/** Linear maps along one axis, as matrices: y = M x along the axis, so x̄ = Mᵀ ȳ. And sums over axes. */

import type { GraphBuilder } from '../build.ts';
import { float32, int, ints, size } from '../graph.ts';
import { around } from './rule.ts';

/**
 * Mᵀ g along `axis` of g, which has these dims; M is a value [dims[axis], m]. Returns a value with `m` in place of
 * dims[axis].
 */
export function transposedAlong(
  build: GraphBuilder,
  g: string,
  dims: readonly number[],
  axis: number,
  matrix: string,
  m: number,
): string {
  const [outer, n, inner] = around(dims, axis);
  const product =
    inner === 1
      ? build.add('MatMul', [build.add('Reshape', [g, build.shape([outer, n])]), matrix])
      : build.add('MatMul', [
          build.add('Transpose', [matrix], { perm: ints([1, 0]) }),
          build.add('Reshape', [g, build.shape([outer, n, inner])]),
        ]);
  return build.add('Reshape', [product, build.shape(dims.with(axis, m))]);
}

/** A constant matrix [n, m] with the entries that `fill` sets, by row and column. */
export function matrixOf(
  build: GraphBuilder,
  n: number,
  m: number,
  fill: (add: (row: number, column: number, value: number) => void) => void,
): string {
  const data = new Float32Array(n * m);
  fill((row, column, value) => {
    const place = row * m + column;
    data[place] = (data[place] ?? 0) + value;
  });
  return build.constant(float32([n, m], data), 'matrix');
}

/** Sum, largest or smallest over axes, which stay as size 1; in the form that the graph's opset has. */
export function reduce(
  build: GraphBuilder,
  op: 'ReduceSum' | 'ReduceMax',
  value: string,
  axes: readonly number[],
): string {
  const axesAreInput = build.opset >= (op === 'ReduceSum' ? 13 : 18);
  return axesAreInput
    ? build.add(op, [value, build.shape(axes)], { keepdims: int(1) })
    : build.add(op, [value], { axes: ints(axes), keepdims: int(1) });
}

/** The adjoint of broadcasting a value of dims `to` to dims `from`: sums over the axes that it was repeated along. */
export function unbroadcast(
  build: GraphBuilder,
  g: string,
  from: readonly number[],
  to: readonly number[],
): string {
  const lead = from.length - to.length;
  const axes = from.flatMap((dim, axis) =>
    axis < lead || (to[axis - lead] === 1 && dim !== 1) ? [axis] : [],
  );
  const sum = axes.length > 0 ? sumOver(build, g, from, axes) : g;
  return lead > 0 ? build.add('Reshape', [sum, build.shape(to)]) : sum;
}

/**
 * The sum over `axes` of a value of these dims. Where a sum runs over whole rows that do not start at multiples of four
 * numbers, a reduction's rounding depends on which picture of the batch it is; a pooling's does not.
 */
function sumOver(
  build: GraphBuilder,
  value: string,
  dims: readonly number[],
  axes: readonly number[],
): string {
  const outer = Math.min(...axes);
  const count = size(dims.slice(outer));
  if (axes.length < dims.length - outer || outer === 0 || count % 4 === 0) {
    return reduce(build, 'ReduceSum', value, axes);
  }
  const rows = build.add('Reshape', [value, build.shape([size(dims.slice(0, outer)), 1, count, 1])]);
  const sum = build.add('Mul', [build.add('GlobalAveragePool', [rows]), build.scalar(count)]);
  return build.add('Reshape', [sum, build.shape(dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim)))]);
}
