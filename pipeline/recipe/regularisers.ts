/** (settings, decoder) ⇒ (parameter after the update) ⇒ parameter. */

import type { GraphBuilder } from '../network/build.ts';
import type { Decoder } from './parameterisations.ts';
import type { Regulariser } from './schema.ts';

type Of<Kind> = Extract<Regulariser, { kind: Kind }>;
type Write<Kind> = (settings: Of<Kind>, decoder: Decoder, build: GraphBuilder, value: string) => string;

const regularisers: { readonly [Kind in Regulariser['kind']]: Write<Kind> } = {
  clip: (_settings, { range: [low, high] }, build, value) =>
    build.add('Min', [build.add('Max', [value, build.perChannel(low)]), build.perChannel(high)]),
  decay: ({ amount }, _decoder, build, value) => build.add('Mul', [value, build.scalar(1 - amount)]),
};

export function regularise(
  build: GraphBuilder,
  settings: Regulariser,
  decoder: Decoder,
  value: string,
): string {
  // The table is keyed by `kind`, which TypeScript cannot follow through the lookup.
  return (regularisers[settings.kind] as Write<Regulariser['kind']>)(
    settings as never,
    decoder,
    build,
    value,
  );
}
