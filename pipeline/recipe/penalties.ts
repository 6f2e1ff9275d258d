/** (settings) ⇒ (decoded picture [N, C, H, W]) ⇒ [N, 1, 1, 1] numbers that are subtracted from the objective. */

import type { GraphBuilder } from '../network/build.ts';
import { text } from '../network/graph.ts';
import type { Penalty } from './schema.ts';
import type { PictureSize } from './size.ts';

type Of<Kind> = Extract<Penalty, { kind: Kind }>;

export interface PenaltyContext {
  /** What lies between black and white, a channel. */
  readonly grey: readonly number[];
  readonly size: PictureSize;
}

type Write<Kind> = (
  settings: Of<Kind>,
  context: PenaltyContext,
  build: GraphBuilder,
  value: string,
) => string;

const penalties: { readonly [Kind in Penalty['kind']]: Write<Kind> } = {
  /** Mahendran, Vedaldi, "Understanding Deep Image Representations by Inverting Them", 2015: Σ (dx² + dy²)^(β/2). */
  'total-variation'({ power }, { size }, build, value) {
    const [dx, dy] = [difference(build, value, 3, size.width), difference(build, value, 2, size.height)];
    const square = build.add('Add', [build.add('Mul', [dx, dx]), build.add('Mul', [dy, dy])]);
    if (power === 2) return total(build, square, size);
    // The root has no derivative where the picture is flat.
    const above0 = build.add('Add', [square, build.scalar(1e-8)]);
    return total(build, build.add('Pow', [above0, build.scalar(power / 2)]), size);
  },
  /** The same, with p = 6; p = 2 in Simonyan et al., "Deep Inside Convolutional Networks", 2014. */
  norm({ p }, { grey, size }, build, value) {
    const away = build.add('Abs', [build.add('Sub', [value, build.perChannel(grey)])]);
    return total(build, build.add('Pow', [away, build.scalar(p)]), size);
  },
};

/** Writes weight · penalty of each picture. */
export function penaltyOf(
  build: GraphBuilder,
  settings: Penalty,
  context: PenaltyContext,
  value: string,
): string {
  // The table is keyed by `kind`, which TypeScript cannot follow through the lookup.
  const write = penalties[settings.kind] as Write<Penalty['kind']>;
  return build.add('Mul', [write(settings as never, context, build, value), build.scalar(settings.weight)]);
}

/** To the next value along an axis; 0 at the end. */
function difference(build: GraphBuilder, value: string, axis: 2 | 3, side: number): string {
  const pads = [0, 0, 0, 0, 0, 0, axis === 2 ? 1 : 0, axis === 3 ? 1 : 0];
  const longer = build.add('Pad', [value, build.shape(pads)], { mode: text('edge') });
  const next = build.add('Slice', [longer, build.shape([1]), build.shape([side + 1]), build.shape([axis])]);
  return build.add('Sub', [next, value]);
}

function total(build: GraphBuilder, value: string, { channels, height, width }: PictureSize): string {
  return build.add('Mul', [build.mean(value, 'picture'), build.scalar(channels * height * width)]);
}
