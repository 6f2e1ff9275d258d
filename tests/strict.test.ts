import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { modelContent } from '../content/schema.ts';
import { PhospheneError } from '../pipeline/error.ts';
import { recipe } from '../pipeline/recipe/schema.ts';
import { parseJson, parseStrict } from '../pipeline/strict.ts';

const ramp = {
  name: 'ramp',
  objective: { kind: 'mean' },
  parameterisation: { kind: 'pixels' },
  optimiser: { kind: 'plain' },
  rate: { kind: 'constant', value: 1 },
  start: { kind: 'constant', value: 0 },
  steps: 4,
  display: { kind: 'range' },
};
const mnist = { title: 'MNIST', weights: '../weights/mnist.keras' };

function complaint(schema: z.ZodType, value: unknown): string {
  try {
    parseStrict(schema, value, 'file.json');
  } catch (error) {
    expect(error).toBeInstanceOf(PhospheneError);
    expect((error as PhospheneError).exitCode).toBe(2);
    return (error as PhospheneError).message;
  }
  throw new Error('Expected a complaint');
}

describe('parseStrict', () => {
  it('gives what is right back with its defaults', () => {
    const content = parseStrict(modelContent, mnist, 'mnist.json');
    expect(content).toEqual({ ...mnist, input: { scaling: '0..1' }, recipe: 'phosphene', recipes: {} });
  });

  it.each<[string, z.ZodType, unknown, string]>([
    [
      'an unknown field',
      modelContent,
      { ...mnist, titel: 'x' },
      "file.json: unknown field 'titel'; did you mean 'title'?",
    ],
    [
      'a mistyped field rather than the one that is missing for it',
      modelContent,
      { titel: 'x', weights: 'a' },
      "file.json: unknown field 'titel'; did you mean 'title'?",
    ],
    [
      'an unknown field below a field with a default',
      modelContent,
      { ...mnist, input: { sizepx: 3 } },
      "file.json: unknown field 'sizepx' of 'input'; did you mean 'sizePx'?",
    ],
    [
      'an unknown field that resembles none',
      z.strictObject({ a: z.string().optional(), b: z.string().optional() }),
      { whatever: 1 },
      "file.json: unknown field 'whatever'; known: a, b",
    ],
    [
      'an unknown field in the form of a union that the value names',
      recipe,
      { ...ramp, optimiser: { kind: 'adam', beta3: 0.9 } },
      "file.json: unknown field 'beta3' of 'optimiser'; did you mean 'beta1'?",
    ],
    [
      'an unknown field in a list of forms',
      recipe,
      { ...ramp, transforms: [{ kind: 'jitter', pixel: 4 }] },
      "file.json: unknown field 'pixel' of 'transforms[0]'; did you mean 'pixels'?",
    ],
    [
      'an unknown kind, with the nearest',
      recipe,
      { ...ramp, optimiser: { kind: 'adm' } },
      "file.json: 'optimiser.kind' must be one of plain, momentum, rmsprop, adam, nadam, found \"adm\"; did you mean 'adam'?",
    ],
    [
      'a number below its range',
      recipe,
      { ...ramp, steps: -5 },
      "file.json: 'steps' must be 0 or more, found -5",
    ],
    [
      'a fraction for a whole number',
      recipe,
      { ...ramp, steps: 1.5 },
      "file.json: 'steps' must be a whole number, found 1.5",
    ],
    [
      'a number at an excluded bound',
      recipe,
      { ...ramp, rate: { kind: 'constant', value: 0 } },
      "file.json: 'rate.value' must be more than 0, found 0",
    ],
    [
      'text for a number',
      recipe,
      { ...ramp, steps: 'many' },
      'file.json: \'steps\' must be a number, found "many"',
    ],
    [
      'a field that is missing',
      modelContent,
      { title: 'x' },
      "file.json: 'weights' is missing, expected one of text, an object, a list",
    ],
    [
      'an unknown name where a name or an object may stand',
      modelContent,
      { ...mnist, input: { scaling: 'cafe' } },
      "file.json: 'input.scaling' must be one of none, 0..1, -1..1, caffe, torch, found \"cafe\"; did you mean 'caffe'?",
    ],
    [
      'an unknown field where a name or an object may stand',
      modelContent,
      { ...mnist, input: { scaling: { ordr: 'rgb' } } },
      "file.json: unknown field 'ordr' of 'input.scaling'; did you mean 'order'?",
    ],
    [
      'an empty list',
      modelContent,
      { ...mnist, layers: [] },
      "file.json: 'layers' must be a list of 1 or more, found []",
    ],
    ['something else than an object', modelContent, null, 'file.json: must be an object, found null'],
  ])('says in one sentence what is wrong with %s', (_, schema, value, message) => {
    expect(complaint(schema, value)).toBe(message);
  });

  it('cuts what was found where it is long', () => {
    const message = complaint(z.strictObject({ a: z.number() }), { a: 'x'.repeat(5000) });
    expect(message.length).toBeLessThan(150);
  });
});

describe('parseJson', () => {
  it('reads JSON, with or without a byte order mark', () => {
    expect(parseJson('\uFEFF{"a": 1}', 'x')).toEqual({ a: 1 });
  });

  it('names the file and the place of a mistake', () => {
    expect(() => parseJson('{"a": 1,\n}', 'file.json')).toThrow(
      /^file\.json: expected JSON, found a mistake: .*line 2/,
    );
  });
});
