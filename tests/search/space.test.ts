import { describe, expect, it } from 'vitest';
import { randomOf } from '../../pipeline/recipe/random.ts';
import { resolveRecipe } from '../../pipeline/recipe/resolve.ts';
import { draw, type Point, points, readSpace, withPoint } from '../../pipeline/search/space.ts';

const lucid = resolveRecipe('lucid', 'test');
const read = (...texts: string[]) => readSpace(texts, [lucid]);
const first = (texts: readonly string[], count: number, seed = 0): Point[] => {
  const found: Point[] = [];
  for (const point of points(readSpace(texts, [lucid]), [lucid], seed)) {
    found.push(point);
    if (found.length === count) break;
  }
  return found;
};

describe('readSpace', () => {
  it.each([
    ['rate.value=0.02..0.2', { kind: 'range', low: 0.02, high: 0.2, whole: false, logarithmic: true }],
    ['rate.value=.02..0.19', { kind: 'range', low: 0.02, high: 0.19, whole: false, logarithmic: false }],
    ['start.mean = -1 .. 1e1', { kind: 'range', low: -1, high: 10, whole: false, logarithmic: false }],
    ['transforms.0.pixels=2..6', { kind: 'range', low: 2, high: 6, whole: true, logarithmic: false }],
    ['steps=16..512', { kind: 'range', low: 16, high: 512, whole: true, logarithmic: true }],
    // A number is wanted, and both ends happen to be whole.
    ['parameterisation.exponent=1..2', { kind: 'range', low: 1, high: 2, whole: false, logarithmic: false }],
    // A field that the recipe leaves out.
    [
      'parameterisation.lowPass=0.2..0.4',
      { kind: 'range', low: 0.2, high: 0.4, whole: false, logarithmic: false },
    ],
    ['stop.window=4,8', { kind: 'choice', values: [4, 8] }],
    ['optimiser.beta1=0.8, .9', { kind: 'choice', values: [0.8, 0.9] }],
    ['optimiser.kind=adam,nadam,plain', { kind: 'choice', values: ['adam', 'nadam', 'plain'] }],
    [
      'transforms=[],[{"kind":"jitter","pixels":4},{"kind":"flip"}]',
      { kind: 'choice', values: [[], [{ kind: 'jitter', pixels: 4 }, { kind: 'flip' }]] },
    ],
    ['display={"kind":"range"}', { kind: 'choice', values: [{ kind: 'range' }] }],
  ])('reads %s', (text, values) => {
    const [path = ''] = text.split('=');
    expect(read(text)).toEqual([{ path: path.trim(), values }]);
  });

  it.each([
    ['rate.vlue=1..2', "--vary rate.vlue: unknown field 'vlue' of 'rate'; did you mean 'value'?"],
    ['optimizer.beta1=0.8', "unknown field 'optimizer'; did you mean 'optimiser'?"],
    ['rate.value=0..1', "'rate.value' must be more than 0, found 0"],
    ['rate.value=2..1', 'expected the smaller number before the larger one'],
    ['rate.value=a b', 'expected numbers like 0.02..0.2, or JSON values or words'],
    ['rate.value', 'expected a field and its values'],
    ['transforms.5.pixels=1..2', "expected a place from 0 in a list of 5 items, found '5'"],
    ['transforms.x=1', 'expected a place from 0'],
    ['steps.more=1', "expected an object that has 'more', found 512"],
    ['name=a,b', 'expected a field that changes pictures'],
    ['optimiser.kind=adm', "'optimiser.kind' must be one of plain, momentum, rmsprop, adam, nadam"],
    ['__proto__.x=1', "unknown field '__proto__'"],
    ['octaves.count=2,3', 'octaves'],
  ])('refuses %s in one sentence', (text, sentence) => {
    expect(() => read(text)).toThrow(sentence);
  });

  it('refuses a field twice', () => {
    expect(() => read('steps=1,2', 'steps=3')).toThrow("expected each field once, found 'steps' twice");
  });
});

describe('withPoint', () => {
  it('changes the fields and nothing else but the name', () => {
    const found = withPoint(lucid, { 'rate.value': 0.1, 'transforms.1.pixels': 7 });
    const transforms = lucid.transforms.with(1, { kind: 'jitter', pixels: 7, border: 'crop' });
    expect(found).toEqual({
      ...lucid,
      name: 'lucid, varied',
      rate: { kind: 'constant', value: 0.1 },
      transforms,
    });
    expect(lucid.rate).toEqual({ kind: 'constant', value: 0.05 });
    expect(withPoint(lucid, {})).toBe(lucid);
  });

  it('starts another kind from its own defaults', () => {
    expect(withPoint(lucid, { 'optimiser.kind': 'momentum' }).optimiser).toEqual({
      kind: 'momentum',
      decay: 0.9,
      nesterov: false,
      normalise: 'none',
      normEpsilon: 1e-5,
    });
    const beta1 = {
      ...lucid,
      optimiser: {
        kind: 'adam' as const,
        beta1: 0.5,
        beta2: 0.9,
        epsilon: 1e-8,
        normalise: 'none' as const,
        normEpsilon: 1e-5,
      },
    };
    expect(withPoint(beta1, { 'optimiser.kind': 'adam' }).optimiser).toEqual(beta1.optimiser);
  });
});

describe('draw', () => {
  const many = (values: Parameters<typeof draw>[0]): number[] =>
    Array.from({ length: 2000 }, (_, index) => draw(values, randomOf(1, index)) as number);
  const range = { kind: 'range', whole: false, logarithmic: false } as const;

  it('is uniform between two numbers, to three digits', () => {
    const values = many({ ...range, low: -1, high: 3 });
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...values)).toBeLessThanOrEqual(3);
    // The mean of 2,000 is off by less than 4 of its deviations (4 / √12 / √2000 each).
    expect(Math.abs(values.reduce((sum, value) => sum + value) / 2000 - 1)).toBeLessThan(0.11);
    expect(values.every((value) => value === Number(value.toPrecision(3)))).toBe(true);
  });

  it('is uniform in the logarithm over decades', () => {
    const values = many({ ...range, low: 0.001, high: 10, logarithmic: true });
    for (const edge of [0.01, 0.1, 1]) {
      const below = values.filter((value) => value < edge).length / 2000;
      expect(Math.abs(below - (Math.log10(edge) + 3) / 4)).toBeLessThan(0.05);
    }
  });

  it.each([false, true])('reaches both ends of whole numbers (logarithmic: %s)', (logarithmic) => {
    const values = many({ kind: 'range', low: 1, high: 10, whole: true, logarithmic });
    expect([...new Set(values)].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    const ones = values.filter((value) => value === 1).length / 2000;
    // Evenly a tenth; of the logarithm log(1.5 / .5) / log(10.5 / .5).
    expect(Math.abs(ones - (logarithmic ? 0.361 : 0.1))).toBeLessThan(0.045);
  });
});

describe('points', () => {
  const texts = ['rate.value=0.02..0.2', 'transforms.0.pixels=2..16', 'optimiser.beta1=0.8,0.95'];

  it('are the same for a seed, others for another, and none comes twice', () => {
    const found = first(texts, 20, 7);
    expect(first(texts, 20, 7)).toEqual(found);
    expect(first(texts, 5, 7)).toEqual(found.slice(0, 5));
    expect(first(texts, 20, 8)).not.toEqual(found);
    expect(new Set(found.map((point) => JSON.stringify(point))).size).toBe(20);
  });

  it('end when all was tried; what the base is itself is not tried', () => {
    const found = first(['optimiser.beta1=0.8,0.9', 'transforms.0.pixels=11..12'], 9);
    const pairs = found.map((point) => [point['optimiser.beta1'], point['transforms.0.pixels']].join(' '));
    expect(pairs.sort()).toEqual(['0.8 11', '0.8 12', '0.9 11']);
  });

  it('leave out what no recipe can be', () => {
    const base = resolveRecipe({ preset: 'lucid', diversity: { pictures: 4 } }, 'test');
    const fields = readSpace(['diversity.pictures=2..4', 'diversity.shown=0..3'], [base]);
    const found = [...points(fields, [base], 0)];
    expect(found.length).toBeGreaterThan(4);
    for (const point of found) {
      expect(point['diversity.shown']).toBeLessThan(point['diversity.pictures'] as number);
    }
  });
});
