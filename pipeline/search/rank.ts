/** Which of several recipes is best: the strongest at equal contrast of those that keep the limits. */

import { type Measured, meansOf, timesOf } from '../sheet/means.ts';

export interface Limits {
  /** Of the share of values within 8 of 0 or 255. */
  readonly maxHarsh: number;
  /** Of the share of activation that is left when the picture moves. */
  readonly minKept: number;
}

/** What was measured of a recipe: for each layer its units, undefined where one has no picture. */
export type MeasuredLayers = readonly (readonly (Measured | undefined)[])[];

export interface Score {
  /** Geometric mean over all units of the activation at equal contrast divided by the base's; null where a unit failed. */
  readonly score: number | null;
  /** Mean over a layer's units, of the layer where it is worst. */
  readonly harshShare: number | null;
  /** The same. */
  readonly keptUnderShifts: number | null;
  /** Means over all units. */
  readonly highFrequencyShare: number | null;
  readonly seconds: number | null;
  readonly keepsLimits: boolean;
}

/** @param base What the recipe is held against, unit by unit. */
export function scoreOf(layers: MeasuredLayers, base: MeasuredLayers, { maxHarsh, minKept }: Limits): Score {
  const [units, first] = [layers.flat(), base.flat()];
  const means = layers.map((row) => meansOf(row, row));
  const over = meansOf(units, first);
  const harshShare = most(means.map((each) => each.harshShare));
  const lowest = most(
    means.map(({ keptUnderShifts }) => (keptUnderShifts === null ? null : -keptUnderShifts)),
  );
  const keptUnderShifts = lowest === null ? null : -lowest;
  const complete = units.every((unit) => unit !== undefined);
  return {
    score: complete ? timesOf(units, first) : null,
    harshShare,
    keptUnderShifts,
    highFrequencyShare: over.highFrequencyShare,
    seconds: over.seconds,
    keepsLimits: (harshShare ?? 0) <= maxHarsh && (keptUnderShifts ?? 0) >= minKept,
  };
}

/** The largest; null where one of them is unknown. */
function most(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === values.length && known.length > 0 ? Math.max(...known) : null;
}

/** Best first: those that keep the limits before those that do not, then by score, then as they were tried. */
export function ranked<Trial extends { readonly trial: number; readonly score: Score }>(
  trials: readonly Trial[],
): Trial[] {
  const place = ({ score }: Trial): number => (score.score === null ? 2 : score.keepsLimits ? 0 : 1);
  return trials.toSorted(
    (a, b) => place(a) - place(b) || (b.score.score ?? 0) - (a.score.score ?? 0) || a.trial - b.trial,
  );
}
