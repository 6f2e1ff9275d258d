import { describe, expect, it } from 'vitest';
import { blurring, mirrored, resample, resamplePlanes, resizing } from '../../pipeline/recipe/resampling.ts';
import { evaluate, rounded } from './evaluate.ts';

const identity = (side: number) => ({
  to: side,
  from: side,
  data: Float32Array.from({ length: side * side }, (_, index) => Number(index % (side + 1) === 0)),
});

/** What a matrix makes of a row of numbers. */
const apply = ({ to, from, data }: ReturnType<typeof resizing>, row: readonly number[]): number[] =>
  rounded(
    Array.from({ length: to }, (_, i) =>
      row.reduce((sum, value, j) => sum + value * (data[i * from + j] as number), 0),
    ),
  );

describe('resizing', () => {
  it('interpolates linearly between half-pixel centres and repeats the border', () => {
    expect(apply(resizing(2, 4, 'bilinear'), [0, 4])).toEqual([0, 1, 3, 4]);
    expect(apply(resizing(4, 2, 'bilinear'), [0, 2, 4, 10])).toEqual([1, 7]);
    expect(apply(resizing(3, 3, 'bilinear'), [5, 6, 7])).toEqual([5, 6, 7]);
  });

  it('makes a smaller row from all values where it is smooth: a triangle of twice the width, normalised', () => {
    const smooth = (from: number, to: number) => resizing(from, to, 'bilinear', true);
    // Between places 0 to 3 the triangle around 0.5 has the weights 3/8 3/8 1/8, and 1/8 on the border repeated.
    expect(apply(smooth(4, 2), [8, 0, 0, 0])).toEqual([4, 0]);
    expect(apply(smooth(4, 2), [0, 8, 0, 0])).toEqual([3, 1]);
    expect(apply(smooth(7, 3), [5, 5, 5, 5, 5, 5, 5])).toEqual([5, 5, 5]);
    expect(apply(smooth(2, 4), [0, 4])).toEqual([0, 1, 3, 4]);
  });

  it('interpolates cubically: exact on a straight line away from the border, overshooting at an edge', () => {
    expect(apply(resizing(6, 12, 'bicubic'), [0, 2, 4, 6, 8, 10]).slice(4, 8)).toEqual([3.5, 4.5, 5.5, 6.5]);
    // A quarter of a pixel the weights are -9/128, 111/128, 29/128, -3/128.
    expect(apply(resizing(4, 8, 'bicubic'), [0, 0, 128, 128]).slice(2, 6)).toEqual([-9, 26, 102, 137]);
  });
});

describe('resamplePlanes', () => {
  it('does on the host what the graph does, plane by plane', async () => {
    const data = Float32Array.from({ length: 24 }, (_, index) => (index * 7) % 11);
    const [rows, columns] = [resizing(3, 5, 'bilinear'), resizing(4, 2, 'bilinear', true)];
    const inGraph = await evaluate([[[1, 2, 3, 4], [...data]]], (build, [x = '']) =>
      resample(build, x, rows, columns),
    );
    expect(rounded([...resamplePlanes(data, rows, columns)])).toEqual(rounded(inGraph));
  });
});

describe('blurring', () => {
  it('is the Gaussian of scipy.ndimage: radius floor(4σ + 1/2), normalised, the border mirrored', () => {
    // scipy.ndimage.gaussian_filter1d([1, 0, 0, 0, 0, 0, 0, 0], 0.5) and of a one in the middle
    const e = [1, Math.exp(-2), Math.exp(-8)] as const;
    const total = e[0] + 2 * (e[1] + e[2]);
    const [centre, next, far] = e.map((value) => value / total) as [number, number, number];
    expect(apply(blurring(6, 0.5), [1, 0, 0, 0, 0, 0])).toEqual(
      rounded([centre + next, next + far, far, 0, 0, 0].map(Math.fround)),
    );
    expect(apply(blurring(6, 0.5), [7, 7, 7, 7, 7, 7])).toEqual([7, 7, 7, 7, 7, 7]);
  });
});

describe('mirrored', () => {
  it('reads d c b a | a b c d | d c b a', () => {
    expect([-5, -4, -1, 0, 3, 4, 7, 8].map((place) => mirrored(place, 4))).toEqual([3, 3, 0, 0, 3, 3, 0, 0]);
  });
});

describe('resample', () => {
  it('takes the first matrix to the rows and the second to the columns', async () => {
    const picture = [[1, 1, 2, 3] as const, [0, 4, 8, 1, 5, 9]] as const;
    const tall = await evaluate([picture], (build, [x = '']) =>
      resample(build, x, resizing(2, 4, 'bilinear'), identity(3)),
    );
    expect(tall).toEqual([0, 4, 8, 0.25, 4.25, 8.25, 0.75, 4.75, 8.75, 1, 5, 9]);
    const narrow = await evaluate([picture], (build, [x = '']) =>
      resample(build, x, identity(2), resizing(3, 1, 'bilinear')),
    );
    expect(narrow).toEqual([4, 5]);
  });
});
