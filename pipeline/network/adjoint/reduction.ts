/** Reductions: y = r(values along axes), so each value's cotangent is ȳ, spread over the axes, times what the value added. */

import { intOf, intsOf } from '../graph.ts';
import { reduce } from './linear-map.ts';
import { axisOf, type Formula, integersOf, type Rule, type Rules, range, rule } from './rule.ts';

/** A formula in which g and y have x's rank, with size 1 along the reduced axes; `count` values become one. */
interface Reduction extends Formula {
  readonly axes: readonly number[];
  readonly count: number;
}

/** From a formula for the cotangent, whose result is spread to x's dims where it is not yet so. */
const over =
  (axesOf: (context: Formula) => readonly number[]) =>
  (formula: (reduction: Reduction) => string): Rule =>
    rule((context) => {
      const { build, x, y, g, dims } = context;
      const axes = axesOf(context);
      const kept = dims(x).map((dim, axis) => (axes.includes(axis) ? 1 : dim));
      const keep = (value: string): string =>
        dims(y).length === kept.length ? value : build.add('Reshape', [value, build.shape(kept)]);
      const count = axes.reduce((product, axis) => product * (dims(x)[axis] ?? 1), 1);
      const cotangent = formula({ ...context, y: keep(y), g: keep(g), axes, count });
      return [build.add('Expand', [cotangent, build.shape(dims(x))])];
    });

/** The axes that a Reduce operation names, all if none. */
const named = over((context) => {
  const { node, x, dims } = context;
  const rank = dims(x).length;
  const axes = integersOf(context, 1) ?? intsOf(node, 'axes') ?? [];
  if (axes.length === 0) return intOf(node, 'noop_with_empty_axes', 0) === 1 ? [] : range(rank);
  return axes.map((axis) => axisOf(axis, rank));
});

/** All axes but image and channel. */
const spatial = over(({ x, dims }) => range(dims(x).length).slice(2));

const sum = ({ g }: Reduction): string => g;
const mean = ({ f, g, count }: Reduction): string => f.div(g, count);

/** ȳ goes to the first value in row-major order that equals y: of those that do, the one with the highest rank. */
function toFirst({ build, f, g, x, y, axes, count, dims }: Reduction): string {
  const ranked = dims(x).map((dim, axis) => (axes.includes(axis) ? dim : 1));
  const ranks = Float32Array.from(range(count), (place) => count - place);
  const rank = build.constant({ type: 'float32', dims: ranked, data: ranks }, 'ranks');
  const candidates = f.mul(f.bracket(f.equal(x, y)), rank);
  return f.mul(g, f.bracket(f.equal(candidates, reduce(build, 'ReduceMax', candidates, axes))));
}

/** Keeps the gradient of a norm at 0, where it has none, at 0. */
const tiny = 1e-30;

export const reduction: Rules = {
  ReduceSum: named(sum),
  ReduceMean: named(mean),
  ReduceMax: named(toFirst),
  ReduceMin: named(toFirst),
  /** y = √Σx²: x/y. */
  ReduceL2: named(({ f, g, x, y }) => f.mul(x, f.div(g, f.max(y, tiny)))),
  ReduceSumSquare: named(({ f, g, x }) => f.mul(x, f.mul(2, g))),
  GlobalAveragePool: spatial(mean),
  GlobalMaxPool: spatial(toFirst),
};
