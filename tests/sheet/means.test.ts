import { describe, expect, it } from 'vitest';
import { type Measured, meansOf, strongestOf, timesOf } from '../../pipeline/sheet/means.ts';
import { measured } from './measured.ts';

const at = (...activations: (number | undefined)[]): (Measured | undefined)[] =>
  activations.map((value) =>
    value === undefined ? undefined : measured({ equalContrastActivation: value }),
  );

describe('timesOf', () => {
  it('is the geometric mean of the ratios, unit by unit', () => {
    expect(timesOf(at(2, 8), at(1, 1))).toBeCloseTo(4, 12);
    expect(timesOf(at(3, 5), at(3, 5))).toBe(1);
    expect(timesOf(at(0.5), at(2))).toBeCloseTo(0.25, 12);
  });

  it('lets a silent unit count for a hundred at most, and leaves out what is silent in both or missing', () => {
    expect(timesOf(at(0), at(7))).toBeCloseTo(1 / 100, 12);
    expect(timesOf(at(7), at(-1))).toBeCloseTo(100, 12);
    expect(timesOf(at(4, 0, -3, undefined), at(2, 0, -1, 5))).toBeCloseTo(2, 12);
    expect(timesOf(at(0, undefined), at(0, 1))).toBeNull();
  });
});

describe('meansOf', () => {
  it('takes means over the units that have a picture and a measure', () => {
    const row = [
      measured({ equalContrastActivation: 4, keptUnderShifts: 0.9, harshShare: 0.02 }, 1),
      measured({ equalContrastActivation: 6, keptUnderShifts: null, harshShare: 0.04 }, 3),
      undefined,
    ];
    const means = meansOf(row, at(2, 3, 1));
    expect(means.timesFirst).toBeCloseTo(2, 12);
    expect(means.harshShare).toBeCloseTo(0.03, 12);
    expect(means).toMatchObject({
      units: 2,
      equalContrastActivation: 5,
      keptUnderShifts: 0.9,
      probability: null,
      seconds: 2,
    });
  });
});

describe('strongestOf', () => {
  it('is the first of the highest above 0', () => {
    expect(strongestOf(at(1, 3, 3))).toBe(1);
    expect(strongestOf(at(undefined, 0.1))).toBe(1);
    expect(strongestOf(at(0, -1, undefined))).toBeUndefined();
  });
});
