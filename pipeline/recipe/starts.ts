/** (settings, random numbers) ⇒ the values that an ascent starts from. */

import type { Random } from './random.ts';
import type { Start } from './schema.ts';

type Of<Kind> = Extract<Start, { kind: Kind }>;

const starts: { readonly [Kind in Start['kind']]: (settings: Of<Kind>, random: Random) => number } = {
  uniform: ({ low, high }, random) => low + (high - low) * random.uniform(),
  normal: ({ mean, deviation }, random) => mean + deviation * random.normal(),
  constant: ({ value }) => value,
};

/** `length` values, drawn one after the other. */
export function drawStart(settings: Start, length: number, random: Random): Float32Array {
  // The table is keyed by `kind`, which TypeScript cannot follow through the lookup.
  const draw = starts[settings.kind] as (settings: Start, random: Random) => number;
  return Float32Array.from({ length }, () => draw(settings, random));
}
