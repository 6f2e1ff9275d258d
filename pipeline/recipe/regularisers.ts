/** (settings, what is known of the step) ⇒ (parameter after the update) ⇒ parameter. */

import type { GraphBuilder } from '../network/build.ts';
import { median } from './median.ts';
import type { Decoder, PictureSize } from './parameterisations.ts';
import { blurring, resample } from './resampling.ts';
import type { Regulariser } from './schema.ts';

type Of<Kind> = Extract<Regulariser, { kind: Kind }>;

export interface RegulariserContext {
  readonly decoder: Decoder;
  readonly size: PictureSize;
}

type Write<Kind> = (
  settings: Of<Kind>,
  context: RegulariserContext,
  build: GraphBuilder,
  value: string,
) => string;

const regularisers: { readonly [Kind in Regulariser['kind']]: Write<Kind> } = {
  clip: (_settings, { decoder }, build, value) => {
    const [low, high] = decoder.range;
    return build.add('Min', [build.add('Max', [value, build.perChannel(low)]), build.perChannel(high)]);
  },
  decay: ({ amount }, _context, build, value) => build.add('Mul', [value, build.scalar(1 - amount)]),
  blur: ({ deviation }, { size: { height, width } }, build, value) =>
    resample(build, value, blurring(height, deviation), blurring(width, deviation)),
  median: ({ side }, { size }, build, value) => median(build, value, side, size),
};

/** Writes the regulariser. */
export function regularise(
  build: GraphBuilder,
  settings: Regulariser,
  context: RegulariserContext,
  value: string,
): string {
  // The table is keyed by `kind`, which TypeScript cannot follow through the lookup.
  return (regularisers[settings.kind] as Write<Regulariser['kind']>)(
    settings as never,
    context,
    build,
    value,
  );
}

/** Whether a regulariser acts after every step: then no step needs to ask. */
export const actsAlways = (settings: Regulariser): boolean =>
  settings.kind === 'clip' || (settings.every === undefined && settings.last === undefined);

/** Whether it acts after update `step` (from 0) of `steps`. */
export function actsAfter(settings: Regulariser, step: number, steps: number): boolean {
  if (settings.kind === 'clip') return true;
  if (settings.last === false && step === steps - 1) return false;
  return step % (settings.every ?? 1) === 0;
}
