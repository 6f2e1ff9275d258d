import { describe, expect, it } from 'vitest';
import { decoder, type Parameter } from '../../pipeline/recipe/parameterisations.ts';
import { randomOf } from '../../pipeline/recipe/random.ts';
import { actsAfter, filtered } from '../../pipeline/recipe/regularisers.ts';
import { mirrored } from '../../pipeline/recipe/resampling.ts';
import { resolveScaling } from '../../pipeline/recipe/scaling.ts';
import type { Filter, Regulariser } from '../../pipeline/recipe/schema.ts';
import { evaluate, rounded } from './evaluate.ts';

/** What a filter makes of pictures [N, C, H, W] of a network that takes 0..1, or -1..1, where grey is 0. */
async function regularised(
  settings: Filter,
  dims: readonly [number, number, number, number],
  data: readonly number[],
  gradient: readonly number[] = data,
  scaling: '0..1' | '-1..1' = '0..1',
): Promise<number[]> {
  const [, channels, height, width] = dims;
  const size = { channels, height, width };
  const decode = decoder({ kind: 'pixels', space: 'input' }, size, resolveScaling(scaling, channels));
  const parameter = decode.parameters[0] as Parameter;
  const feeds = [[dims, data] as const, [dims, gradient] as const];
  return evaluate(feeds, (build, [x = '', g = '']) =>
    filtered(build, settings, { decoder: decode, parameter, gradient: g, size }, x),
  );
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

  it.each([3, 7] as const)('blur over %i pixels, less across edges of colour, exactly', async (side) => {
    const random = randomOf(side);
    const [channels, height, width, deviation, range] = [2, 5, 6, 1.5, 0.4];
    const data = Array.from({ length: 2 * channels * height * width }, () => random.uniform());
    const got = await regularised(
      { kind: 'bilateral', side, deviation, range },
      [2, channels, height, width],
      data,
    );
    const area = height * width;
    const at = (picture: number, channel: number, y: number, x: number): number =>
      data[
        (picture * channels + channel) * area + mirrored(y, height) * width + mirrored(x, width)
      ] as number;
    const reach = (side - 1) / 2;
    const expected = data.map((_, index) => {
      const [picture, channel] = [Math.floor(index / area / channels), Math.floor(index / area) % channels];
      const [y, x] = [Math.floor((index % area) / width), index % width];
      let [sum, total] = [0, 0];
      for (let dy = -reach; dy <= reach; dy++) {
        for (let dx = -reach; dx <= reach; dx++) {
          const colour = [0, 1].reduce(
            (square, c) => square + (at(picture, c, y, x) - at(picture, c, y + dy, x + dx)) ** 2,
            0,
          );
          const weight = Math.exp(-(dy * dy + dx * dx) / (2 * deviation ** 2) - colour / (2 * range ** 2));
          sum += weight * at(picture, channel, y + dy, x + dx);
          total += weight;
        }
      }
      return sum / total;
    });
    got.forEach((value, index) => void expect(value).toBeCloseTo(expected[index] as number, 5));
  });

  it('take the pixels with the smallest norms to grey, of each picture as many', async () => {
    // Two pictures of 2 × 2 pixels in two channels; norms² 25 1 4 2, and 0 9 1 1.
    const data = [3, 1, 0, 1, 4, 0, -2, -1, 0, 3, 0, 1, 0, 0, -1, 0];
    const got = await regularised({ kind: 'small-norm', share: 0.5 }, [2, 2, 2, 2], data, data, '-1..1');
    expect(got).toEqual([3, 0, 0, 0, 4, 0, -2, 0, 0, 3, 0, 0, 0, 0, 0, 0]);
    expect(await regularised({ kind: 'small-norm', share: 0.2 }, [2, 2, 2, 2], data, data, '-1..1')).toEqual(
      data,
    );
  });

  it('take the pixels that contribute least to grey: |Σ x · g| of the channels', async () => {
    const data = [1, 2, 3, 4, 1, 1, 1, 1];
    const gradient = [5, 1, 0.5, 2, -5, 3, -1, 1];
    // 0, 5, 0.5, 9
    const settings = { kind: 'small-contribution', share: 0.5 } as const;
    expect(await regularised(settings, [1, 2, 2, 2], data, gradient, '-1..1')).toEqual([
      0, 2, 0, 4, 0, 1, 0, 1,
    ]);
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
