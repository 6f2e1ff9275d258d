/** (settings, step from 0, number of steps) ⇒ the size of that step. */

import type { Rate } from './schema.ts';

type Of<Kind> = Extract<Rate, { kind: Kind }>;

const rates: {
  readonly [Kind in Rate['kind']]: (settings: Of<Kind>, step: number, steps: number) => number;
} = {
  constant: ({ value }) => value,
  reciprocal: ({ a, b }, step) => 1 / (a + b * step),
  geometric: ({ value, factor }, step) => value * factor ** step,
  /** Loshchilov, Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017, equation 5, without restarts. */
  cosine: ({ value, end }, step, steps) =>
    end + ((value - end) * (1 + Math.cos((Math.PI * step) / Math.max(1, steps)))) / 2,
  table: ({ rows }, step) =>
    rows.reduce((rate, { from, value }) => (step >= from ? value : rate), rows[0]?.value ?? 0),
};

export function rateAt(settings: Rate, step: number, steps: number): number {
  // The table is keyed by `kind`, which TypeScript cannot follow through the lookup.
  const rate = rates[settings.kind] as (settings: Rate, step: number, steps: number) => number;
  return rate(settings, step, steps);
}
