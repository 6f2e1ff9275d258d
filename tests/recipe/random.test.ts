import { describe, expect, it } from 'vitest';
import { randomOf } from '../../pipeline/recipe/random.ts';
import { rateAt } from '../../pipeline/recipe/rates.ts';
import type { Rate } from '../../pipeline/recipe/schema.ts';
import { drawStart } from '../../pipeline/recipe/starts.ts';
import { rounded } from './evaluate.ts';

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
    const [gotMean, gotDeviation] = moments(
      drawStart(settings, { dims: [1, 200, 200], grey: [0] }, randomOf(11)),
    );
    expect(Math.abs(gotMean - mean)).toBeLessThanOrEqual(deviation / 40);
    expect(Math.abs(gotDeviation - deviation)).toBeLessThanOrEqual(deviation / 40);
  });

  const small = { dims: [2, 2, 3] as const, grey: [104, 7] };

  it('starts from grey, channel by channel', () => {
    expect([...drawStart({ kind: 'grey' }, small, randomOf(0))]).toEqual([
      ...new Array<number>(6).fill(104),
      ...new Array<number>(6).fill(7),
    ]);
  });

  it.each([
    [0, [-1, 0, 1, -1, 0, 1]],
    [180, [1, 0, -1, 1, 0, -1]],
    [90, [-1, -1, -1, 1, 1, 1]],
  ])('goes straight from one value to the other at %i degrees', (degrees, plane) => {
    const drawn = drawStart({ kind: 'gradient', from: -1, to: 1, degrees }, small, randomOf(0));
    [...plane, ...plane].forEach((value, index) => void expect(drawn[index]).toBeCloseTo(value, 6));
  });

  it('goes from one corner to the other at 45 degrees', () => {
    const square = { dims: [1, 3, 3] as const, grey: [0] };
    const drawn = drawStart({ kind: 'gradient', from: 0, to: 4, degrees: 45 }, square, randomOf(0));
    [0, 1, 2, 1, 2, 3, 2, 3, 4].forEach((value, index) => void expect(drawn[index]).toBeCloseTo(value, 5));
  });

  it('takes a picture as it is', () => {
    const image = Float32Array.from({ length: 12 }, (_, index) => index);
    const settings = { kind: 'image', file: 'a.png' } as const;
    expect(drawStart(settings, { ...small, image }, randomOf(0))).toEqual(image);
  });
});

describe('rateAt', () => {
  const at = (settings: Rate, ...steps: number[]): number[] =>
    rounded(steps.map((step) => rateAt(settings, step, 100)));

  it('is constant, or 1 / (a + b · step)', () => {
    expect(at({ kind: 'constant', value: 0.05 }, 0, 9)).toEqual([0.05, 0.05]);
    expect(at({ kind: 'reciprocal', a: 100, b: 10 }, 0, 1, 90)).toEqual(
      rounded([1 / 100, 1 / 110, 1 / 1000]),
    );
  });

  it('grows from step to step by a factor', () => {
    expect(at({ kind: 'geometric', value: 0.5, factor: 2 }, 0, 1, 5)).toEqual([0.5, 1, 16]);
  });

  it('falls as half a cosine', () => {
    // cos 0, 60°, 90°, 120°, 180°
    expect(at({ kind: 'cosine', value: 5, end: 1 }, 0, 50, 100)).toEqual([5, 3, 1]);
    expect(rateAt({ kind: 'cosine', value: 4, end: 0 }, 20, 60)).toBeCloseTo(3, 12);
    expect(rateAt({ kind: 'cosine', value: 4, end: 0 }, 40, 60)).toBeCloseTo(1, 12);
  });

  it('is what the last row of a table up to the step says', () => {
    const rows = [
      { from: 0, value: 3 },
      { from: 10, value: 2 },
      { from: 20, value: 1 },
    ];
    expect(at({ kind: 'table', rows }, 0, 9, 10, 19, 20, 99)).toEqual([3, 3, 2, 2, 1, 1]);
  });
});
