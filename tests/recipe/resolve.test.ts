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

  it.each([
    ['phosphen', "test: there is no recipe 'phosphen'; did you mean 'phosphene'?"],
    [{ preset: 'phosphene', stepz: 3 }, "test: unknown field 'stepz'; did you mean 'steps'?"],
    [{ preset: 'phosphene', steps: -1 }, "test: 'steps' must be 0 or more, found -1"],
    [
      { preset: 'phosphene', regularisers: [{ kind: 'clip' }] },
      'test: \'regularisers[0]\' must be left out where not `pixels` but something else is optimised, found {"kind":"clip"}',
    ],
    [{ preset: 7 }, "test: 'preset' must be a recipe's name, found 7"],
  ])('refuses %j in one sentence', (reference, message) => {
    expect(() => resolveRecipe(reference, 'test')).toThrow(
      expect.objectContaining({ message, exitCode: 2, name: 'PhospheneError' }),
    );
  });
});
