import { describe, expect, it } from 'vitest';
import type { GraphBuilder } from '../../pipeline/network/build.ts';
import { penaltyOf } from '../../pipeline/recipe/penalties.ts';
import { penalty } from '../../pipeline/recipe/schema.ts';
import { evaluate, expectGradient, numbers } from './evaluate.ts';

const size = { channels: 2, height: 2, width: 3 };
const dims = [2, 2, 2, 3] as const;
const writer =
  (settings: object) =>
  (build: GraphBuilder, [value = '']: readonly string[]): string =>
    penaltyOf(build, penalty.parse(settings), { grey: [1, -1], size }, value);

describe('penalties', () => {
  // One picture with a step of 3 down and 4 to the right in one channel at one place; one that is grey.
  const grey = [1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1];
  const data = [1, 5, 5, 4, 5, 5, -1, -1, -1, -1, -1, -1, ...grey];

  it.each([
    [{ kind: 'total-variation', weight: 2 }, 2 * (5 + 1)],
    [{ kind: 'total-variation', weight: 2, power: 2 }, 2 * (25 + 1)],
    [{ kind: 'norm', weight: 0.5 }, 0.5 * (4 * 16 + 9)],
    [{ kind: 'norm', weight: 1, p: 1 }, 19],
    [{ kind: 'norm', weight: 1, p: 6 }, 4 * 4096 + 729],
  ])('%j', async (settings, expected) => {
    const [first, second] = await evaluate([[dims, data]], writer(settings));
    // The root of a flat picture is taken 1e-4 above 0.
    expect(Math.abs((first as number) - expected) / expected).toBeLessThan(1e-3);
    expect(second).toBeLessThan(5e-3);
  });

  it.each([
    { kind: 'total-variation', weight: 1, power: 2 },
    { kind: 'total-variation', weight: 3, power: 1 },
    { kind: 'norm', weight: 1, p: 2 },
    { kind: 'norm', weight: 0.1, p: 6 },
  ])('%j has the gradient that differences give', async (settings) => {
    await expectGradient([[dims, numbers(24)]], writer(settings), { h: 0.01, tolerance: 1e-2 });
  });
});
