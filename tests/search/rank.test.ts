import { describe, expect, it } from 'vitest';
import { ranked, type Score, scoreOf } from '../../pipeline/search/rank.ts';
import { measured } from '../sheet/measured.ts';

const limits = { maxHarsh: 0.05, minKept: 0.93 };
const unit = (equalContrastActivation: number, harshShare = 0, keptUnderShifts: number | null = 1) =>
  measured({ equalContrastActivation, harshShare, keptUnderShifts });

describe('scoreOf', () => {
  it('is the geometric mean over the units of all layers', () => {
    const base = [[unit(1), unit(10)], [unit(100)]];
    const { score, keepsLimits } = scoreOf([[unit(2), unit(20)], [unit(200)]], base, limits);
    expect(score).toBeCloseTo(2, 12);
    expect(keepsLimits).toBe(true);
    expect(scoreOf([[unit(8), unit(10)], [unit(100)]], base, limits).score).toBeCloseTo(2, 12);
  });

  it('holds the worst layer to the limits, of its mean', () => {
    const layers = [
      [unit(1, 0.09), unit(1, 0)],
      [unit(1, 0, 0.9), unit(1, 0, 0.97)],
    ];
    const found = scoreOf(layers, layers, limits);
    expect(found.harshShare).toBeCloseTo(0.045, 12);
    expect(found.keptUnderShifts).toBeCloseTo(0.935, 12);
    expect(found.keepsLimits).toBe(true);
    expect(scoreOf(layers, layers, { ...limits, maxHarsh: 0.04 }).keepsLimits).toBe(false);
    expect(scoreOf(layers, layers, { ...limits, minKept: 0.94 }).keepsLimits).toBe(false);
  });

  it('is none where a unit failed, and silent units keep nothing', () => {
    expect(scoreOf([[unit(1), undefined]], [[unit(1), unit(1)]], limits).score).toBeNull();
    expect(scoreOf([[unit(0, 0, null)]], [[unit(1)]], limits)).toMatchObject({
      keptUnderShifts: null,
      keepsLimits: false,
    });
  });
});

describe('ranked', () => {
  it('puts those that keep the limits first, then the strongest, what failed last', () => {
    const trial = (trial: number, score: number | null, keepsLimits: boolean) => ({
      trial,
      score: { score, keepsLimits } as Score,
    });
    const trials = [
      trial(0, 1, true),
      trial(1, 3, false),
      trial(2, null, true),
      trial(3, 2, true),
      trial(4, 1, true),
    ];
    expect(ranked(trials).map((each) => each.trial)).toEqual([3, 0, 4, 1, 2]);
  });
});
