import { describe, expect, it } from 'vitest';
import { decoder } from '../../pipeline/recipe/parameterisations.ts';
import { randomOf } from '../../pipeline/recipe/random.ts';
import { actsAfter, regularise } from '../../pipeline/recipe/regularisers.ts';
import { mirrored } from '../../pipeline/recipe/resampling.ts';
import { resolveScaling } from '../../pipeline/recipe/scaling.ts';
import type { Regulariser } from '../../pipeline/recipe/schema.ts';
import { evaluate, rounded } from './evaluate.ts';

/** What a regulariser makes of pictures [N, C, H, W] of a network that takes 0..1. */
async function regularised(
  settings: Regulariser,
  dims: readonly [number, number, number, number],
  data: readonly number[],
): Promise<number[]> {
  const [, channels, height, width] = dims;
  const size = { channels, height, width };
  const scaling = resolveScaling('0..1', channels);
  const context = { decoder: decoder({ kind: 'pixels', space: 'input' }, size, scaling), size };
  return evaluate([[dims, data]], (build, [x = '']) => regularise(build, settings, context, x));
}

describe('regularisers', () => {
  it('clip to what a picture of 0..255 gives, channel by channel', async () => {
    expect(await regularised({ kind: 'clip' }, [1, 1, 1, 4], [-1, 0.25, 1, 7])).toEqual([0, 0.25, 1, 1]);
  });

  it('decay', async () => {
    expect(await regularised({ kind: 'decay', amount: 0.25 }, [1, 1, 1, 2], [4, -8])).toEqual([3, -6]);
  });

  it('blur rows and columns of each channel alone, keeping the sum of a flat border', async () => {
    const flat = new Array<number>(18).fill(3);
    expect(rounded(await regularised({ kind: 'blur', deviation: 1 }, [1, 2, 3, 3], flat))).toEqual(flat);
    const one = await regularised({ kind: 'blur', deviation: 0.5 }, [1, 1, 9, 9], spot(81, 40));
    const side = Math.exp(-2);
    const total = 1 + 2 * side + 2 * Math.exp(-8);
    expect(one[40]).toBeCloseTo(1 / total ** 2, 6);
    expect(one[31]).toBeCloseTo(side / total ** 2, 6);
    expect(one[30]).toBeCloseTo(side ** 2 / total ** 2, 6);
  });

  it.each([3, 5] as const)('median of %i × %i neighbours, the border mirrored, exactly', async (side) => {
    const random = randomOf(side);
    const [channels, height, width] = [2, 6, 7];
    const data = Array.from({ length: 2 * channels * height * width }, () => random.integer(-9, 9));
    const got = await regularised({ kind: 'median', side }, [2, channels, height, width], data);
    const reach = (side - 1) / 2;
    const expected = data.map((_, index) => {
      const plane = index - (index % (height * width));
      const y = Math.floor((index - plane) / width);
      const x = (index - plane) % width;
      const window: number[] = [];
      for (let dy = -reach; dy <= reach; dy++) {
        for (let dx = -reach; dx <= reach; dx++)
          window.push(data[plane + mirrored(y + dy, height) * width + mirrored(x + dx, width)] as number);
      }
      return window.sort((a, b) => a - b)[(side * side - 1) / 2];
    });
    expect(got).toEqual(expected);
  });

  it('act after each step, or the steps 0, n, 2n … alone, or on all but the last', () => {
    const acting = (settings: object): number[] =>
      [...Array(9).keys()].filter((step) =>
        actsAfter({ kind: 'decay', amount: 0.1, ...settings } as Regulariser, step, 9),
      );
    expect(acting({})).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(acting({ every: 4 })).toEqual([0, 4, 8]);
    expect(acting({ every: 4, last: false })).toEqual([0, 4]);
    expect(acting({ last: false })).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });
});

const spot = (length: number, place: number): number[] =>
  Array.from({ length }, (_, index) => Number(index === place));
