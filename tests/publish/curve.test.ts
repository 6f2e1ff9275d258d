import { describe, expect, it } from 'vitest';
import { thinned } from '../../pipeline/publish/curve.ts';

const ramp = (count: number): number[] => Array.from({ length: count }, (_, step) => step * 2);

describe('thinned', () => {
  it('keeps every point of a short curve', () => {
    expect(thinned([5, 6, 7])).toEqual([
      [0, 5],
      [1, 6],
      [2, 7],
    ]);
    expect(thinned(ramp(256))).toHaveLength(256);
  });

  it.each([257, 1025, 4097, 100_001])(
    'takes at most 256 of %i points in ascending order, first and last among them',
    (count) => {
      const points = thinned(ramp(count));
      const steps = points.map(([step]) => step);
      expect(points.length).toBeLessThanOrEqual(256);
      expect(points.length).toBeGreaterThan(160);
      expect(points[0]).toEqual([0, 0]);
      expect(points.at(-1)).toEqual([count - 1, 2 * (count - 1)]);
      expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
      for (const [step, value] of points) expect(value).toBe(2 * step);
      // Dense at the start, where an ascent gains most, and no gap wider than the even half leaves.
      expect(steps.slice(0, 6)).toEqual([0, 1, 2, 3, 4, 5]);
      const gaps = steps.slice(1).map((step, index) => step - (steps[index] ?? 0));
      expect(Math.max(...gaps)).toBeLessThanOrEqual(Math.ceil(count / 127));
    },
  );

  it('rounds to 7 digits', () => {
    expect(thinned([Math.fround(0.1), 123456789])).toEqual([
      [0, 0.1],
      [1, 123456800],
    ]);
  });

  it('keeps an empty curve empty', () => {
    expect(thinned([])).toEqual([]);
  });
});
