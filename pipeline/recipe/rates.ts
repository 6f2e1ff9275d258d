/** (settings, step from 0) ⇒ the size of that step. */

import type { Rate } from './schema.ts';

type Of<Kind> = Extract<Rate, { kind: Kind }>;

const rates: { readonly [Kind in Rate['kind']]: (settings: Of<Kind>, step: number) => number } = {
  constant: ({ value }) => value,
  reciprocal: ({ a, b }, step) => 1 / (a + b * step),
};

export function rateAt(settings: Rate, step: number): number {
  // The table is keyed by `kind`, which TypeScript cannot follow through the lookup.
  return (rates[settings.kind] as (settings: Rate, step: number) => number)(settings, step);
}
