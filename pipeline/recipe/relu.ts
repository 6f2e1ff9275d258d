/**
 * (settings, an input [N, 1, 1, 1] that is 1 while they hold) ⇒ the gradient of ReLU in its place: where a map is 0 on
 * the whole picture its derivative is too, and the ascent would not leave its start.
 */

import { type Rule, rule } from '../network/adjoint/rule.ts';
import type { Relu } from './schema.ts';

type Of<Kind> = Extract<Relu, { kind: Kind }>;

const rules: { readonly [Kind in Relu['kind']]: (settings: Of<Kind>, holds: string) => Rule } = {
  /**
   * lucid's `redirected_relu_grad`, upwards: where a picture gets no gradient through the whole of this ReLU, all of
   * it passes that does not push a negative value further down.
   */
  redirected: (_settings, holds) =>
    rule(({ build, f, g, x, y, dims }) => {
      const own = f.mul(g, f.bracket(f.greater(y, 0)));
      const rows = build.add('Reshape', [f.abs(own), build.shape([0, 1, -1, 1])]);
      const blocked = f.and(f.not(f.greater(build.mean(rows, 'map'), 0)), f.greater(holds, 0.5));
      const pushesDown = f.and(f.less(x, 0), f.less(g, 0));
      const redirected = f.where(pushesDown, 0, g);
      return [f.where(perPicture(build, blocked, dims(x).length), redirected, own)];
    }),

  /** The derivative of a leaky ReLU: `slope` where the value is not above 0. */
  leaky: ({ slope }, holds) =>
    rule(({ build, f, g, x, y, dims }) => {
      const below = perPicture(build, f.mul(holds, slope), dims(x).length);
      return [f.mul(g, f.where(f.greater(y, 0), 1, below))];
    }),
};

/** A value [N, 1, 1, 1] with as many axes as what it is used with. */
const perPicture = (build: Parameters<Rule>[0]['build'], value: string, rank: number): string =>
  rank === 4
    ? value
    : build.add('Reshape', [value, build.shape([-1, ...new Array<number>(rank - 1).fill(1)])]);

/** The rule of ReLU by these settings. */
export function reluRule(settings: Relu, holds: string): Rule {
  // The table is keyed by `kind`, which TypeScript cannot follow through the lookup.
  return (rules[settings.kind] as (settings: Relu, holds: string) => Rule)(settings, holds);
}
