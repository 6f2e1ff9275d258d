/** What a search found, as recipes that people keep: a preset and what differs from it, where it came from one. */

import canonicalize from 'canonicalize';
import type { Layer } from '../network/network.ts';
import type { RecipeReference } from '../plan.ts';
import { resolveRecipe } from '../recipe/resolve.ts';
import type { Recipe } from '../recipe/schema.ts';

/** One recipe, and the layers that it is for. */
export interface FoundRecipe {
  readonly layers: readonly string[];
  /** As `--recipe` and content files take it. */
  readonly recipe: Readonly<Record<string, unknown>>;
}

/**
 * Recipes as JSON to keep, each once.
 * @param reference What they were varied from.
 * @param recipes Resolved, for each layer.
 */
export function foundRecipes(
  reference: RecipeReference,
  recipes: readonly (readonly [Pick<Layer, 'name' | 'kind'>, Recipe])[],
): FoundRecipe[] {
  const found = new Map<string, { layers: string[]; recipe: Readonly<Record<string, unknown>> }>();
  for (const [layer, resolved] of recipes) {
    const recipe = typeof reference === 'string' ? changesTo(reference, layer, resolved) : resolved;
    const key = canonicalize(recipe) ?? '';
    const same = found.get(key);
    if (same === undefined) found.set(key, { layers: [layer.name], recipe });
    else same.layers.push(layer.name);
  }
  return [...found.values()];
}

function changesTo(
  preset: string,
  layer: Pick<Layer, 'name' | 'kind'>,
  recipe: Recipe,
): Readonly<Record<string, unknown>> {
  const own = new Map<string, unknown>(Object.entries(resolveRecipe(preset, '--recipe', layer)));
  const changed = Object.entries(recipe).filter(
    ([name, value]) => canonicalize(value) !== canonicalize(own.get(name)),
  );
  return { preset, ...Object.fromEntries(changed) };
}
