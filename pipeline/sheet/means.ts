/** What recipes are compared by: means over units of what was measured on their published pictures. */

import type { Measures } from '../../content/schema.ts';

/** What is known of one published picture. */
export interface Measured {
  readonly measures: Measures;
  /** That it took to render. */
  readonly seconds: number;
}

/** Means over the units of a layer that have a picture; null where no unit has the measure. */
export interface Means {
  /** Units with a picture. */
  readonly units: number;
  readonly equalContrastActivation: number | null;
  /** Geometric mean over units of `equalContrastActivation` divided by the first recipe's. */
  readonly timesFirst: number | null;
  readonly keptUnderShifts: number | null;
  readonly keptUnderScales: number | null;
  readonly harshShare: number | null;
  readonly highFrequencyShare: number | null;
  /** For class scores. */
  readonly probability: number | null;
  readonly seconds: number | null;
}

type Row = readonly (Measured | undefined)[];

/** @param first Of the recipe that this one is held against, unit by unit. */
export function meansOf(row: Row, first: Row): Means {
  const measured = row.filter((each) => each !== undefined);
  const over = (pick: (each: Measured) => number | null | undefined): number | null =>
    mean(measured.map(pick).filter((value) => value !== null && value !== undefined));
  return {
    units: measured.length,
    equalContrastActivation: over(({ measures }) => measures.equalContrastActivation),
    timesFirst: timesOf(row, first),
    keptUnderShifts: over(({ measures }) => measures.keptUnderShifts),
    keptUnderScales: over(({ measures }) => measures.keptUnderScales),
    harshShare: over(({ measures }) => measures.harshShare),
    highFrequencyShare: over(({ measures }) => measures.highFrequencyShare),
    probability: over(({ measures }) => measures.probability),
    seconds: over(({ seconds }) => seconds),
  };
}

const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;

/** A silent unit is held to have lost, or won, this factor: one must not outweigh all others. */
const mostTimes = 100;

/** Geometric mean of the units' ratios; null where no unit is active in either. */
export function timesOf(row: Row, first: Row): number | null {
  const logarithms = row.flatMap((own, index) => {
    const [value, base] = [own, first[index]].map((each) => each?.measures.equalContrastActivation);
    if (value === undefined || base === undefined || (value <= 0 && base <= 0)) return [];
    const times = value <= 0 ? 0 : base <= 0 ? Number.POSITIVE_INFINITY : value / base;
    return Math.log(Math.min(mostTimes, Math.max(1 / mostTimes, times)));
  });
  const found = mean(logarithms);
  return found === null ? null : Math.exp(found);
}

/** Which of one unit's pictures excites it most at equal contrast; undefined where none is above 0. */
export function strongestOf(pictures: Row): number | undefined {
  let best: number | undefined;
  let most = 0;
  pictures.forEach((picture, place) => {
    const value = picture?.measures.equalContrastActivation ?? 0;
    if (value > most) [best, most] = [place, value];
  });
  return best;
}
