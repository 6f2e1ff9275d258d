import { describe, expect, it } from 'vitest';
import { reluRule } from '../../pipeline/recipe/relu.ts';
import { relu } from '../../pipeline/recipe/schema.ts';
import { gradient, rounded } from './evaluate.ts';

/** d Σ w · relu(x) / dx of pictures of three values each, while the settings hold for each of them (1) or not (0). */
function through(
  settings: object,
  dims: readonly number[],
  x: readonly number[],
  w: readonly number[],
  holds: readonly number[],
): Promise<number[]> {
  const given = gradient(
    [
      [dims, x],
      [dims, w],
      [[holds.length, 1, 1, 1], holds],
    ],
    (build, [value = '', weights = '']) => build.add('Mul', [build.add('Relu', [value]), weights]),
    ([, , active = '']) => ({ Relu: reluRule(relu.parse(settings), active) }),
  );
  return given.then(rounded);
}

describe.each([[[3, 1, 1, 3]], [[3, 3]]])("ReLU's gradient of values %j", (dims) => {
  // A silent picture, one that speaks at one place, and one that speaks but where no gradient comes.
  const x = [-1, -2, -3, 1, -2, -3, 4, -5, -6];
  const w = [1, -1, 2, 1, 1, 1, 0, 7, -7];

  it('is let through where a whole picture gets none, but not what pushes further down', async () => {
    const settings = { kind: 'redirected' };
    expect(await through(settings, dims, x, w, [1, 1, 1])).toEqual([1, 0, 2, 1, 0, 0, 0, 7, 0]);
    expect(await through(settings, dims, x, w, [0, 1, 0])).toEqual([0, 0, 0, 1, 0, 0, 0, 0, 0]);
  });

  it('leaks a share below 0', async () => {
    const settings = { kind: 'leaky', slope: 0.5 };
    expect(await through(settings, dims, x, w, [1, 0, 1])).toEqual([0.5, -0.5, 1, 1, 0, 0, 0, 3.5, -3.5]);
  });
});
