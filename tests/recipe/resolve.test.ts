import { describe, expect, it } from 'vitest';
import { presets } from '../../pipeline/recipe/presets.ts';
import { resolveRecipe } from '../../pipeline/recipe/resolve.ts';

describe('resolveRecipe', () => {
  it.each(Object.keys(presets))('fills in every default of the preset %s', (name) => {
    const recipe = resolveRecipe(name, 'test');
    expect(recipe.name).toBe(name);
    expect(recipe.steps).toBe(presets[name as keyof typeof presets].steps);
    expect(recipe.transforms).toBeInstanceOf(Array);
    expect(resolveRecipe({ ...recipe }, 'test')).toEqual(recipe);
  });

  it('lets an object change fields of a preset, and says so in its name', () => {
    const recipe = resolveRecipe({ preset: 'mnist-filters', steps: 3 }, 'test');
    expect(recipe).toEqual({
      ...resolveRecipe('mnist-filters', 'test'),
      name: 'mnist-filters, changed',
      steps: 3,
    });
  });

  it('lets penalties stand beside any parameterisation', () => {
    const regularisers = [{ kind: 'total-variation', weight: 1 }];
    expect(resolveRecipe({ preset: 'phosphene', regularisers }, 'test').regularisers).toEqual([
      { kind: 'total-variation', weight: 1, power: 1 },
    ]);
  });

  it.each([
    ['phosphen', "test: there is no recipe 'phosphen'; did you mean 'phosphene'?"],
    [{ preset: 'phosphene', stepz: 3 }, "test: unknown field 'stepz'; did you mean 'steps'?"],
    [{ preset: 'phosphene', steps: -1 }, "test: 'steps' must be 0 or more, found -1"],
    [
      { preset: 'phosphene', regularisers: [{ kind: 'clip' }] },
      'test: \'regularisers[0]\' must be left out where not `pixels` but something else is optimised, found {"kind":"clip"}',
    ],
    [
      { preset: 'phosphene', start: { kind: 'image', file: 'a.png' } },
      'test: \'start\' must be left out where not `pixels` but something else is optimised, found {"kind":"image","file":"a.png"}',
    ],
    [
      { preset: 'wake', parameterisation: { kind: 'pixels', valid: 'sigmoid' } },
      'test: \'regularisers[0]\' must be left out where `valid` keeps the pixels in range, found {"kind":"clip"}',
    ],
    [
      { preset: 'phosphene', diversity: { pictures: 2, shown: 2 } },
      "test: 'diversity.shown' must be less than `pictures`, found 2",
    ],
    [
      { preset: 'phosphene', rate: { kind: 'table', rows: [{ from: 1, value: 1 }] } },
      'test: \'rate.rows\' must be a table that begins with step 0, found [{"from":1,"value":1}]',
    ],
    [{ preset: 7 }, "test: 'preset' must be a recipe's name, found 7"],
  ])('refuses %j in one sentence', (reference, message) => {
    expect(() => resolveRecipe(reference, 'test')).toThrow(
      expect.objectContaining({ message, exitCode: 2, name: 'PhospheneError' }),
    );
  });
});
