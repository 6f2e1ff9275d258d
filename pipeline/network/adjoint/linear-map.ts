/** Linear maps along one axis, as matrices: y = M x along the axis, so x̄ = Mᵀ ȳ. And sums over axes. */

import type { GraphBuilder } from '../build.ts';
import { float32, int, ints } from '../graph.ts';
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
  const sum = axes.length > 0 ? reduce(build, 'ReduceSum', g, axes) : g;
  return lead > 0 ? build.add('Reshape', [sum, build.shape(to)]) : sum;
}
