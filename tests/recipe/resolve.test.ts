import { describe, expect, it } from 'vitest';
import type { Layer } from '../../pipeline/network/network.ts';
import { presets } from '../../pipeline/recipe/presets.ts';
import { checkRecipe, resolveRecipe } from '../../pipeline/recipe/resolve.ts';

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

  it.each<[string, string, Layer['kind'], number, number, object[]]>([
    ['tence-vgg16', 'block1_conv2', 'conv', 200, 1, []],
    ['tence-vgg16', 'conv2_1', 'conv', 200, 2, [{ kind: 'median', side: 3, every: 12, last: false }]],
    ['tence-vgg16', 'block3_conv1', 'conv', 200, 6, [{ kind: 'median', side: 3, every: 6, last: false }]],
    ['tence-vgg16', 'block3_conv3', 'conv', 200, 10, [{ kind: 'median', side: 3, every: 6, last: false }]],
    ['tence-vgg16', 'block4_conv1', 'conv', 200, 40, [{ kind: 'median', side: 5, every: 4, last: false }]],
    ['tence-vgg16', 'conv5_3', 'conv', 200, 80, [{ kind: 'median', side: 5, every: 4, last: false }]],
    ['tence-vgg16', 'fc8', 'scores', 1000, 8000, [{ kind: 'median', side: 5, every: 4, last: false }]],
    ['tence-caffenet', 'conv1', 'conv', 200, 10, []],
    ['tence-caffenet', 'conv4', 'conv', 200, 200, [{ kind: 'median', side: 5, every: 6, last: false }]],
    ['tence-caffenet', 'fc8', 'scores', 1000, 30_000, [{ kind: 'median', side: 5, every: 4, last: false }]],
    [
      'tence-blur',
      'block5_conv1',
      'conv',
      200,
      80,
      [
        { kind: 'decay', amount: 0.01, last: false },
        { kind: 'blur', deviation: 0.5, every: 8, last: false },
      ],
    ],
  ])('reads %s off its table for %s', (name, layer, kind, steps, value, filters) => {
    const recipe = resolveRecipe(name, 'test', { name: layer, kind });
    expect(recipe).toMatchObject({ name, steps, rate: { kind: 'constant', value } });
    expect(recipe.regularisers).toEqual([{ kind: 'clip' }, ...filters]);
    expect(resolveRecipe({ preset: name, steps: 3 }, 'test', { name: layer, kind })).toEqual({
      ...recipe,
      name: `${name}, changed`,
      steps: 3,
    });
  });

  it('says for which layers a table is', () => {
    const message = expect.stringContaining(
      "test: the recipe 'tence-caffenet' is a table for conv1*, conv2*, conv3*, conv4*, conv5*, the class scores, found ",
    );
    for (const layer of [undefined, { name: 'fc7', kind: 'dense' } as const])
      expect(() => resolveRecipe('tence-caffenet', 'test', layer)).toThrow(
        expect.objectContaining({ message }),
      );
    expect(() => checkRecipe({ preset: 'tence-naive', steps: 4 }, 'test')).not.toThrow();
    expect(() => checkRecipe({ preset: 'tence-naive', stepz: 4 }, 'test')).toThrow("unknown field 'stepz'");
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
