import { describe, expect, it } from 'vitest';
import type { GraphBuilder } from '../../pipeline/network/build.ts';
import { randomOf } from '../../pipeline/recipe/random.ts';
import { transform as schema } from '../../pipeline/recipe/schema.ts';
import { transformRule } from '../../pipeline/recipe/transforms.ts';
import { evaluate, expectGradient, type Feed, numbers, rounded } from './evaluate.ts';

type Dims = readonly [number, number, number, number];

/** The rule for pictures of these dims, and what it writes around grey 10 (of a second channel 20). */
function written(settings: object, [, channels, height, width]: Dims) {
  const rule = transformRule(schema.parse(settings), { channels, height, width });
  const write = (build: GraphBuilder, [value = '', ...draws]: readonly string[]): string =>
    rule.write(build, value, draws, [10, 20].slice(0, channels));
  return { rule, write };
}

/** What a transform makes of pictures, given what is drawn: a list of numbers for each of its draws. */
async function transformed(
  settings: object,
  dims: Dims,
  data: readonly number[],
  draws: readonly (readonly number[])[] = [],
): Promise<number[]> {
  const { rule, write } = written(settings, dims);
  const drawn = rule.draws.map(({ dims: own }, index): Feed => [[dims[0], ...own], draws[index] ?? []]);
  return rounded(await evaluate([[dims, data], ...drawn], write));
}

const square: Dims = [1, 1, 3, 3];
const digits = [1, 2, 3, 4, 5, 6, 7, 8, 9];

describe('jitter', () => {
  const kind = 'jitter';
  it.each([
    ['wrap', 1, 0, [7, 8, 9, 1, 2, 3, 4, 5, 6]],
    ['wrap', 0, -1, [2, 3, 1, 5, 6, 4, 8, 9, 7]],
    ['grey', -1, 1, [10, 4, 5, 10, 7, 8, 10, 10, 10]],
    ['crop', 1, -1, [3]],
    ['crop', 0, 0, [5]],
  ])('%s: %i down, %i to the right', async (border, down, right, expected) => {
    expect(await transformed({ kind, pixels: 1, border }, square, digits, [[down], [right]])).toEqual(
      expected,
    );
  });

  it('brings back on the other side what leaves a picture much larger than the shift', async () => {
    const [height, width] = [6, 5];
    const places = Array.from({ length: height * width }, (_, place) => place);
    const got = await transformed({ kind, pixels: 1 }, [1, 1, height, width], places, [[-1], [1]]);
    const expected = places.map((place) => {
      const [row, column] = [Math.floor(place / width), place % width];
      return ((row + 1) % height) * width + ((column + width - 1) % width);
    });
    expect(got).toEqual(expected);
  });

  it('moves each picture of a batch by its own shift', async () => {
    const data = [...digits, ...digits];
    const got = await transformed({ kind, pixels: 1 }, [2, 1, 3, 3], data, [
      [1, 0],
      [0, 0],
    ]);
    expect(got).toEqual([7, 8, 9, 1, 2, 3, 4, 5, 6, ...digits]);
  });

  it('says by how much a picture gets smaller where it is cut', () => {
    const of = (border: string) => written({ kind, pixels: 4, border }, [1, 1, 32, 20]).rule.size;
    expect(of('crop')).toEqual({ channels: 1, height: 24, width: 12 });
    expect(of('wrap')).toEqual({ channels: 1, height: 32, width: 20 });
  });
});

describe('pad', () => {
  it.each([
    ['grey', [10, 10, 10, 10, 10, 1, 2, 10, 10, 3, 4, 10, 10, 10, 10, 10]],
    ['edge', [1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4]],
    ['reflect', [4, 3, 4, 3, 2, 1, 2, 1, 4, 3, 4, 3, 2, 1, 2, 1]],
    [0.5, [0.5, 0.5, 0.5, 0.5, 0.5, 1, 2, 0.5, 0.5, 3, 4, 0.5, 0.5, 0.5, 0.5, 0.5]],
  ])('%s', async (border, expected) => {
    expect(await transformed({ kind: 'pad', pixels: 1, border }, [1, 1, 2, 2], [1, 2, 3, 4])).toEqual(
      expected,
    );
  });

  it('says by how much the picture gets larger', () => {
    const { size } = written({ kind: 'pad', pixels: 12 }, [1, 1, 64, 32]).rule;
    expect(size).toEqual({ channels: 1, height: 88, width: 56 });
  });
});

describe('scale', () => {
  it('leaves the centre, halves the rest, and lets grey in', async () => {
    // Places ±1 of the result read ±2 of the picture, which lie outside.
    const got = await transformed({ kind: 'scale', factors: [0.5] }, square, digits, [[2]]);
    expect(got).toEqual([10, 10, 10, 10, 5, 10, 10, 10, 10]);
  });

  it('enlarges with linear interpolation', async () => {
    const got = await transformed({ kind: 'scale', factors: [2] }, [1, 1, 1, 3], [2, 4, 8], [[0.5]]);
    expect(got).toEqual([3, 4, 6]);
  });

  it('draws one of the factors', () => {
    const { draws } = written({ kind: 'scale', factors: [0.5, 2] }, square).rule;
    const drawn = Array.from({ length: 40 }, (_, seed) => draws[0]?.draw(randomOf(seed))[0]);
    expect([...new Set(drawn)].sort()).toEqual([0.5, 2]);
  });
});

describe('rotate', () => {
  const drawOf = (degrees: number, dims: Dims): readonly number[] =>
    written({ kind: 'rotate', degrees: [degrees] }, dims).rule.draws[0]?.draw(randomOf(0)) ?? [];

  it('draws the two slopes of three shears', () => {
    expect(rounded(drawOf(30, square))).toEqual(rounded([-Math.tan(Math.PI / 12), 0.5]));
  });

  it('turns clockwise about the centre, and nothing by 0 degrees', async () => {
    const data = [...numbers(81)].map((value) => value + 10);
    const dims: Dims = [1, 1, 9, 9];
    const still = await transformed({ kind: 'rotate', degrees: [0] }, dims, data, [[0, 0]]);
    expect(still).toEqual(rounded(data.map(Math.fround)));

    // A spot above the centre goes to the right: its centre of mass turns by the angle.
    const spot = new Array<number>(15 * 15).fill(10);
    spot[2 * 15 + 7] = 11;
    const wide: Dims = [1, 1, 15, 15];
    const turned = await transformed({ kind: 'rotate', degrees: [30] }, wide, spot, [drawOf(30, wide)]);
    const mass = turned.map((value) => value - 10);
    const total = mass.reduce((sum, value) => sum + value, 0);
    const centre = (at: (index: number) => number): number =>
      mass.reduce((sum, value, index) => sum + value * (at(index) - 7), 0) / total;
    expect(total).toBeCloseTo(1, 4);
    expect(centre((index) => index % 15)).toBeCloseTo(5 * Math.sin(Math.PI / 6), 1);
    expect(centre((index) => Math.floor(index / 15))).toBeCloseTo(-5 * Math.cos(Math.PI / 6), 1);
  });

  it('turns a straight line as the plane says, exactly away from the border', async () => {
    // Linear interpolation is exact on x + 2y, so three shears of it are its rotation.
    const plane = Array.from({ length: 441 }, (_, index) => (index % 21) + 2 * Math.floor(index / 21));
    const dims: Dims = [1, 1, 21, 21];
    const got = await transformed({ kind: 'rotate', degrees: [-20] }, dims, plane, [drawOf(-20, dims)]);
    const angle = (-20 * Math.PI) / 180;
    for (const [y, x] of [
      [10, 10],
      [8, 12],
      [12, 7],
      [6, 10],
      [10, 14],
    ] as const) {
      const [dy, dx] = [y - 10, x - 10];
      const from = [
        dx * Math.cos(angle) + dy * Math.sin(angle) + 10,
        -dx * Math.sin(angle) + dy * Math.cos(angle) + 10,
      ] as const;
      expect(got[y * 21 + x]).toBeCloseTo(from[0] + 2 * from[1], 3);
    }
  });
});

describe('crop', () => {
  it('enlarges a window to the whole picture, the border repeated', async () => {
    const settings = { kind: 'crop', low: 0.5 };
    // Half of four places, from the left and from the middle.
    expect(await transformed(settings, [1, 1, 1, 4], [0, 4, 8, 12], [[0.5, 0, 0]])).toEqual([0, 1, 3, 5]);
    expect(await transformed(settings, [1, 1, 1, 4], [0, 4, 8, 12], [[0.5, 0, 0.5]])).toEqual([7, 9, 11, 12]);
    expect(await transformed(settings, square, digits, [[1, 0, 0]])).toEqual(digits);
  });

  it('draws windows that lie in the picture', () => {
    const { draws } = written({ kind: 'crop', low: 0.25, high: 0.75 }, square).rule;
    for (let seed = 0; seed < 100; seed++) {
      const [share = 0, down = 0, right = 0] = draws[0]?.draw(randomOf(seed)) ?? [];
      expect(share).toBeGreaterThanOrEqual(0.25);
      expect(share).toBeLessThanOrEqual(0.75);
      for (const from of [down, right]) {
        expect(from).toBeGreaterThanOrEqual(0);
        expect(from + share).toBeLessThanOrEqual(1);
      }
    }
  });
});

describe('noise, blur, flip', () => {
  it('noise adds what is drawn, as wide as it says', async () => {
    expect(await transformed({ kind: 'noise', deviation: 1 }, [1, 1, 1, 2], [1, 2], [[0.5, -1]])).toEqual([
      1.5, 1,
    ]);
    const drawn = written({ kind: 'noise', deviation: 3 }, [1, 1, 100, 100]).rule.draws[0]?.draw(randomOf(1));
    const spread = Math.sqrt((drawn ?? []).reduce((sum, value) => sum + value ** 2, 0) / 1e4);
    expect(Math.abs(spread - 3)).toBeLessThan(0.1);
  });

  it('blur keeps the sum of what does not touch the border, with the weights of a Gaussian', async () => {
    const spot = Array.from({ length: 81 }, (_, index) => Number(index === 40));
    const got = await transformed({ kind: 'blur', deviation: 0.5 }, [1, 1, 9, 9], spot);
    const [near, far] = [Math.exp(-2), Math.exp(-8)];
    const total = (1 + 2 * near + 2 * far) ** 2;
    expect(got[40]).toBeCloseTo(1 / total, 5);
    expect(got[39]).toBeCloseTo(near / total, 5);
    expect(got.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 4);
  });

  it('flip mirrors left and right where 1 is drawn', async () => {
    const data = [...digits, ...digits];
    const got = await transformed({ kind: 'flip' }, [2, 1, 3, 3], data, [[1, 0]]);
    expect(got).toEqual([3, 2, 1, 6, 5, 4, 9, 8, 7, ...digits]);
  });
});

describe('every transform', () => {
  const dims: Dims = [2, 2, 5, 4];
  it.each([
    { kind: 'jitter', pixels: 2 },
    { kind: 'jitter', pixels: 2, border: 'grey' },
    { kind: 'jitter', pixels: 1, border: 'crop' },
    { kind: 'pad', pixels: 2 },
    { kind: 'pad', pixels: 2, border: 'edge' },
    { kind: 'pad', pixels: 2, border: 'reflect' },
    { kind: 'pad', pixels: 2, border: 3 },
    { kind: 'scale', factors: [0.8] },
    { kind: 'scale', factors: [1.3] },
    { kind: 'rotate', degrees: [25] },
    { kind: 'crop', low: 0.5, high: 0.8 },
    { kind: 'noise', deviation: 1 },
    { kind: 'blur', deviation: 1 },
    { kind: 'flip' },
  ])('$kind: has the gradient that differences give, and gives the size it says', async (settings) => {
    const { rule, write } = written(settings, dims);
    const drawn = rule.draws.map(({ dims: own, draw }): Feed => {
      return [[dims[0], ...own], [3, 4].flatMap((seed) => [...draw(randomOf(seed))])];
    });
    const feeds = [[dims, numbers(80)] as const, ...drawn] as const;
    const { channels, height, width } = rule.size;
    expect((await evaluate(feeds, write)).length).toBe(2 * channels * height * width);
    // Weighted by random numbers: the sum alone would not tell one place from another.
    const weights: Feed = [[2, channels, height, width], numbers(2 * channels * height * width, 5)];
    await expectGradient([...feeds, weights], (build, inputs) =>
      build.add('Mul', [write(build, inputs.slice(0, -1)), inputs.at(-1) as string]),
    );
  });
});
