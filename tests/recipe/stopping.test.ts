import { describe, expect, it } from 'vitest';
import { isFlat } from '../../pipeline/recipe/stopping.ts';

describe('isFlat', () => {
  const settings = { window: 3, gain: 0.1 };
  it.each<[number[], boolean]>([
    [[5, 5, 5, 5, 5], false],
    [[5, 5, 5, 5, 5, 5], true],
    [[9, 9, 9, 10.1, 10.1, 10.1], false],
    [[9.1, 9.1, 9.1, 10, 10, 10], true],
    // Only the last six count, and only their means.
    [[0, 0, 0, 10, 8, 9, 12, 6, 9], true],
    [[-10, -10, -10, -9, -9, -9], false],
    [[-10, -10, -10, -9.5, -9.5, -9.5], true],
    [[0, 0, 0, 0, 0, 0], true],
    [[3, 3, 3, 2, 2, 2], true],
  ])('%j: %s', (curve, expected) => {
    expect(isFlat(settings, curve)).toBe(expected);
  });
});
