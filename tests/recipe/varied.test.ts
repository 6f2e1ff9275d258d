import { describe, expect, it } from 'vitest';
import { resolveRecipe } from '../../pipeline/recipe/resolve.ts';
import { isVaried } from '../../pipeline/recipe/varied.ts';

describe('pictures without flat places', () => {
  it.each([
    ['phosphene', true],
    ['keras-blog', true],
    ['lucid', true],
    ['phosphene-ink', false],
    ['mnist-digits', false],
    ['wake', false],
  ] as const)('%s: %s', (preset, varied) => {
    expect(isVaried(resolveRecipe(preset, 'test'))).toBe(varied);
  });

  it.each([
    { start: { kind: 'grey' } },
    { regularisers: [{ kind: 'median', side: 3 }] },
    { parameterisation: { kind: 'pixels', valid: 'clip' } },
  ])('not with %o', (change) => {
    expect(isVaried(resolveRecipe({ preset: 'keras-blog', name: 'test', ...change }, 'test'))).toBe(false);
  });

  it('still with what is only subtracted from the objective', () => {
    const regularisers = [{ kind: 'norm', weight: 1 }];
    expect(isVaried(resolveRecipe({ preset: 'keras-blog', name: 'test', regularisers }, 'test'))).toBe(true);
  });
});
