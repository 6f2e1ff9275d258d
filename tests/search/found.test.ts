import { describe, expect, it } from 'vitest';
import { resolveRecipe } from '../../pipeline/recipe/resolve.ts';
import { foundRecipes } from '../../pipeline/search/found.ts';
import { withPoint } from '../../pipeline/search/space.ts';

describe('foundRecipes', () => {
  it('says of a preset what differs, so that it resolves to what was found', () => {
    const layers = [
      { name: 'block1_conv1', kind: 'conv' },
      { name: 'block2_conv1', kind: 'conv' },
      { name: 'block2_conv2', kind: 'conv' },
    ] as const;
    const recipes = layers.map(
      (layer) => [layer, withPoint(resolveRecipe('tence-vgg16', 'test', layer), { steps: 9 })] as const,
    );
    const found = foundRecipes('tence-vgg16', recipes);
    expect(found).toEqual([
      {
        layers: ['block1_conv1', 'block2_conv1', 'block2_conv2'],
        recipe: { preset: 'tence-vgg16', name: 'tence-vgg16, varied', steps: 9 },
      },
    ]);
    for (const [layer, recipe] of recipes)
      expect(resolveRecipe(found[0]?.recipe ?? {}, 'test', layer)).toEqual(recipe);
  });

  it('keeps apart what differs from layer to layer, and gives a recipe of nobody whole', () => {
    const layer = { name: 'a', kind: 'conv' } as const;
    const one = resolveRecipe({ preset: 'lucid', steps: 1 }, 'test');
    const two = resolveRecipe({ preset: 'lucid', steps: 2 }, 'test');
    expect(
      foundRecipes({ preset: 'lucid' }, [
        [layer, one],
        [{ ...layer, name: 'b' }, two],
        [{ ...layer, name: 'c' }, one],
      ]),
    ).toEqual([
      { layers: ['a', 'c'], recipe: one },
      { layers: ['b'], recipe: two },
    ]);
  });
});
