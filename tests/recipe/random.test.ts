import { describe, expect, it } from 'vitest';
import { randomOf } from '../../pipeline/recipe/random.ts';
import { rateAt } from '../../pipeline/recipe/rates.ts';
import { drawStart } from '../../pipeline/recipe/starts.ts';

const moments = (values: ArrayLike<number>): [mean: number, deviation: number] => {
  const list = Array.from(values);
  const mean = list.reduce((sum, value) => sum + value, 0) / list.length;
  return [mean, Math.sqrt(list.reduce((sum, value) => sum + (value - mean) ** 2, 0) / list.length)];
};

describe('randomOf', () => {
  it('gives the same numbers for the same key, and others for any other key', () => {
    const first = (...key: number[]): number => randomOf(...key).uniform();
    expect(first(1, 2, 3)).toBe(first(1, 2, 3));
    const keys = [[0], [1], [0, 0], [0, 1], [1, 0], [0, 0, 0], [2, 1], [1, 2], [-1, 2]];
    expect(new Set(keys.map((key) => first(...key))).size).toBe(keys.length);
  });

  it('has no two equal streams among 100 units at 64 steps', () => {
    const seen = new Set<number>();
    for (let unit = 0; unit < 100; unit++)
      for (let step = 0; step < 64; step++) seen.add(randomOf(0, 0, unit, step).uniform());
    expect(seen.size).toBe(6400);
  });

  it('draws whole numbers from both ends of their range', () => {
    const random = randomOf(5);
    const drawn = new Set(Array.from({ length: 200 }, () => random.integer(-2, 2)));
    expect([...drawn].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
  });
});

describe('drawStart', () => {
  // 40,000 values: the standard error of a mean is 1/200 of the deviation; five of them are allowed.
  it.each([
    [{ kind: 'uniform', low: 0, high: 255 } as const, 127.5, 255 / Math.sqrt(12)],
    [{ kind: 'normal', mean: 3, deviation: 10 } as const, 3, 10],
    [{ kind: 'constant', value: 4 } as const, 4, 0],
  ])('%j has the mean and the deviation it says', (settings, mean, deviation) => {
    const [gotMean, gotDeviation] = moments(drawStart(settings, 40_000, randomOf(11)));
    expect(Math.abs(gotMean - mean)).toBeLessThanOrEqual(deviation / 40);
    expect(Math.abs(gotDeviation - deviation)).toBeLessThanOrEqual(deviation / 40);
  });
});

describe('rateAt', () => {
  it('is constant, or 1 / (a + b · step)', () => {
    expect(rateAt({ kind: 'constant', value: 0.05 }, 9)).toBe(0.05);
    expect([0, 1, 90].map((step) => rateAt({ kind: 'reciprocal', a: 100, b: 10 }, step))).toEqual([
      1 / 100,
      1 / 110,
      1 / 1000,
    ]);
  });
});
