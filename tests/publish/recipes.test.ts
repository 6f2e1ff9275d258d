import { expect, it } from 'vitest';
import { shownRecipes } from '../../pipeline/publish/recipes.ts';
import { presetNames, resolveRecipe } from '../../pipeline/recipe/resolve.ts';

const named = (name: string) => shownRecipes(new Map([[name, 3]])).find((recipe) => recipe.name === name);

it('shows every recipe that can be asked for, with the units that it made', () => {
  expect(
    shownRecipes(new Map())
      .map(({ name }) => name)
      .sort(),
  ).toEqual([...presetNames].sort());
  expect(named('lucid')?.units).toBe(3);
});

it('shows of a table what all rows share, and the rows as they were published', () => {
  const { layers = [], recipe } = named('tence-vgg16') ?? {};
  expect(layers.map(({ recipe: { rate } }) => rate)).toEqual(
    [1, 2, 6, 10, 40, 80, 8000].map((value) => ({ kind: 'constant', value })),
  );
  expect(layers.map(({ recipe: { steps } }) => steps)).toEqual([...Array(6).fill(200), 1000]);
  const whole = resolveRecipe('tence-vgg16', 'the recipe', { name: 'block2_conv2', kind: 'conv' });
  expect({ ...recipe, ...layers[1]?.recipe, source: whole.source }).toEqual(whole);
});
