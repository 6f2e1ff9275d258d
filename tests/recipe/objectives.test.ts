import { describe, expect, it } from 'vitest';
import type { GraphBuilder } from '../../pipeline/network/build.ts';
import { float32 } from '../../pipeline/network/graph.ts';
import { likeness } from '../../pipeline/recipe/diversity.ts';
import { seenBy, writeObjective } from '../../pipeline/recipe/objectives.ts';
import { objective as schema } from '../../pipeline/recipe/schema.ts';
import { evaluate, expectGradient, numbers, rounded } from './evaluate.ts';

/** Writes an objective of maps `linear` and their ReLU, each picture's unit 1 of 3. */
const writer =
  (settings: object, dims: readonly number[]) =>
  (build: GraphBuilder, [linear = '']: readonly string[]): string =>
    writeObjective(build, schema.parse(settings), {
      linear,
      activation: build.add('Relu', [linear]),
      dims,
      weights: (_, ofUnit) => {
        const row = [...ofUnit(1, 3)];
        return build.constant(float32([2, 3], [...row, ...row]));
      },
    });

describe('objectives of a unit', () => {
  // Two pictures, maps of 2 × 3.
  const maps = [[2, 1, 2, 3] as const, [1, -2, 3, 4, 6, -6, 0, 0, 12, -12, 3, 3]] as const;
  const of = async (settings: object): Promise<number[]> =>
    rounded(await evaluate([maps], writer(settings, [1, 2, 3])));

  it.each([
    [{ kind: 'mean' }, [1, 1]],
    [{ kind: 'mean', of: 'activation' }, [14 / 6, 3]],
    [{ kind: 'mean', of: 'activation', leak: 0.5 }, [14 / 6 + 0.5, 3.5]],
    [{ kind: 'sum', of: 'activation' }, [14, 18]],
    [{ kind: 'centre' }, [6, 3]],
    [{ kind: 'centre', negative: true }, [-6, -3]],
    [{ kind: 'mean', of: 'activation', negative: true }, [-14 / 6, -3]],
  ])('%j', async (settings, expected) => {
    expect(seenBy(schema.parse(settings))).toBe('unit');
    expect(await of(settings)).toEqual(rounded(expected));
  });

  it.each(['mean', 'sum', 'centre'])("take a dense unit's value as its own %s", async (kind) => {
    expect(
      await evaluate(
        [
          [
            [2, 1],
            [5, -7],
          ],
        ],
        writer({ kind }, [1]),
      ),
    ).toEqual([5, -7]);
  });
});

describe('objectives of a layer', () => {
  // Two pictures, three units; the unit is number 1.
  const dense = [
    [2, 3],
    [1, -2, 4, 0, 3, -4],
  ] as const;
  const maps = [
    [2, 3, 1, 2],
    [1, 3, -2, 0, 4, 4, 0, 0, 3, 3, -4, 0],
  ] as const;

  it.each([
    [{ kind: 'norm', of: 'linear' }, [Math.sqrt(21), 5]],
    [{ kind: 'norm', of: 'activation' }, [Math.sqrt(17), 3]],
    [{ kind: 'norm', p: 1 }, [7, 7]],
    [{ kind: 'norm', p: 3, negative: true }, [-Math.cbrt(73), -Math.cbrt(91)]],
    [{ kind: 'joint', others: [{ unit: 2, weight: 0.5 }] }, [0, 1]],
    [{ kind: 'joint', others: [{ unit: 0 }, { unit: 2, weight: -1 }] }, [-5, 7]],
    [
      { kind: 'probability' },
      [
        Math.exp(-2) / (Math.exp(1) + Math.exp(-2) + Math.exp(4)),
        Math.exp(3) / (1 + Math.exp(3) + Math.exp(-4)),
      ],
    ],
  ])('%j of dense units', async (settings, expected) => {
    expect(seenBy(schema.parse(settings))).toBe('layer');
    const got = await evaluate([dense], writer(settings, [3]));
    got.forEach((value, index) => void expect(value).toBeCloseTo(expected[index] as number, 5));
  });

  it.each([
    [{ kind: 'joint', others: [{ unit: 2, weight: 2 }] }, [-1 + 8, 3 - 4]],
    [{ kind: 'joint', of: 'activation', others: [{ unit: 2, weight: 2 }] }, [8, 3]],
    [{ kind: 'norm' }, [Math.sqrt(46), Math.sqrt(34)]],
  ])('%j of maps: means of maps, the norm of all places', async (settings, expected) => {
    const got = await evaluate([maps], writer(settings, [3, 1, 2]));
    got.forEach((value, index) => void expect(value).toBeCloseTo(expected[index] as number, 5));
  });

  it('refuses a unit that the layer does not have', async () => {
    const settings = { kind: 'joint', others: [{ unit: 3 }] };
    await expect(evaluate([dense], writer(settings, [3]))).rejects.toThrow(
      "Expected the recipe's joint objective to name units of the layer (0 to 2), found 3",
    );
  });

  it.each([
    { kind: 'norm', p: 3 },
    { kind: 'norm', p: 1.5 },
    { kind: 'joint', others: [{ unit: 0, weight: -2 }] },
  ])('%j has the gradient that differences give', async (settings) => {
    await expectGradient(
      [[[2, 3, 2, 2], numbers(24).map((x) => x + Math.sign(x))]],
      writer(settings, [3, 2, 2]),
    );
  });

  it('passes no gradient, and no NaN, from a layer that is silent', async () => {
    const write = writer({ kind: 'norm', of: 'activation' }, [3]);
    expect(
      rounded(
        await evaluate(
          [
            [
              [2, 3],
              [-1, -2, -3, -1, -1, -1],
            ],
          ],
          write,
        ),
      ),
    ).toEqual([0, 0]);
  });
});

describe('likeness', () => {
  const settings = { pictures: 3, weight: 2, shown: 0 };

  it('is the mean cosine between Gram matrices, of the pictures of one unit alone', async () => {
    // One unit's pictures: twice the same direction, and one at a right angle to both; the other unit's: all alike.
    const features = [1, 0, 3, 0, 0, 5, 1, 1, 2, 2, 4, 4];
    const got = await evaluate([[[6, 2], features]], (build, [maps = '']) =>
      likeness(build, settings, maps, [2]),
    );
    expect(rounded(got)).toEqual(rounded([2 / 3, 2 / 3, 0, 4 / 3, 4 / 3, 4 / 3]));
  });

  it('compares which channels go together, wherever in the map they do', async () => {
    // Two channels of two places: G = [[1, 0], [0, 1]], the same with the places exchanged, and [[1, 1], [1, 1]].
    const features = [1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0];
    const got = await evaluate([[[3, 2, 1, 2], features]], (build, [maps = '']) =>
      likeness(build, settings, maps, [2, 1, 2]),
    );
    const half = 2 / (Math.SQRT2 * 2);
    expect(rounded(got)).toEqual(rounded([(2 / 3) * (1 + half), (2 / 3) * (1 + half), (4 / 3) * half]));
  });

  it('has the gradient that differences give, and none where a picture is silent', async () => {
    const write = (build: GraphBuilder, [maps = '']: readonly string[]): string =>
      likeness(build, settings, maps, [2, 1, 2]);
    await expectGradient([[[3, 2, 1, 2], numbers(12)]], write, { h: 0.01, tolerance: 1e-2 });
    const silent = [...new Array<number>(4).fill(0), ...numbers(8)];
    expect((await evaluate([[[3, 2, 1, 2], silent]], write))[0]).toBe(0);
  });
});
