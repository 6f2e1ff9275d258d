import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { modelJsonSchema, modelSchemaFile } from '../pipeline/json-schema.ts';
import { presetNames } from '../pipeline/recipe/resolve.ts';

const project = join(import.meta.dirname, '..');
const validate = new Ajv({ formats: { uri: true }, allErrors: true }).compile(JSON.parse(modelJsonSchema()));
const models = readdirSync(join(project, 'content/models')).filter((name) => name.endsWith('.json'));

describe('the JSON schema of content files', () => {
  it('lies in content/ as the code has it; where not, npm run schema writes it', () => {
    expect(readFileSync(join(project, modelSchemaFile), 'utf8')).toBe(modelJsonSchema());
  });

  it.each(models)('accepts %s, which names it for editors', (name) => {
    const content: unknown = JSON.parse(readFileSync(join(project, 'content/models', name), 'utf8'));
    expect(validate(content) ? [] : validate.errors).toEqual([]);
    expect(content).toHaveProperty('$schema', '../model.schema.json');
  });

  const title = 'T';
  const weights = 'w.onnx';
  it.each<[string, object]>([
    ['two fields', { title, weights }],
    [
      'every preset',
      { title, weights, recipes: Object.fromEntries(presetNames.map((name) => [name, name])) },
    ],
    ['a preset with changes', { title, weights, recipe: { preset: 'phosphene', steps: 128 } }],
    [
      'a whole recipe',
      {
        title,
        weights,
        recipe: {
          name: 'mine',
          objective: { kind: 'mean' },
          parameterisation: { kind: 'pixels' },
          optimiser: { kind: 'plain' },
          rate: { kind: 'constant', value: 1 },
          start: { kind: 'constant', value: 0 },
          steps: 8,
          display: { kind: 'range' },
        },
      },
    ],
    ['numbers as input scaling', { title, weights, input: { scaling: { mean: [1, 2, 3], deviation: 4 } } }],
  ])('accepts %s', (_, content) => {
    expect(validate(content) ? [] : validate.errors).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['a field that there is not', { title, weights, recipies: {} }, ''],
    ['a recipe that there is not', { title, weights, recipe: 'phosfene' }, '/recipe'],
    [
      'an unknown field of a recipe',
      { title, weights, recipe: { preset: 'phosphene', setps: 1 } },
      '/recipe',
    ],
    ['a recipe with neither preset nor objective', { title, weights, recipe: { steps: 1 } }, '/recipe'],
    [
      'steps that are no number',
      { title, weights, recipe: { preset: 'wake', steps: 'all' } },
      '/recipe/steps',
    ],
    ['a scaling that there is not', { title, weights, input: { scaling: '0..255' } }, '/input/scaling'],
  ])('refuses %s', (_, content, place) => {
    expect(validate(content)).toBe(false);
    expect(validate.errors?.map(({ instancePath }) => instancePath)).toContain(place);
  });
});
