/** The recipes that come with the project, as the gallery shows them: whole, with where they were published. */

import { isDeepStrictEqual } from 'node:util';
import type { GalleryIndex } from '../../content/schema.ts';
import { type PresetRow, presetTables } from '../recipe/preset-tables.ts';
import { presets } from '../recipe/presets.ts';
import { resolveRecipe } from '../recipe/resolve.ts';
import type { Recipe } from '../recipe/schema.ts';

export type ShownRecipe = NonNullable<GalleryIndex['recipes']>[number];

/** All of them, in the project's order. `units`: by name, how many published units were made by each. */
export function shownRecipes(units: ReadonlyMap<string, number>): ShownRecipe[] {
  const same = Object.keys(presets).map((name) => ({ name, ...shown(resolved(name, name)) }));
  const tables = Object.entries(presetTables).map(([name, rows]) => ({ name, ...shownTable(name, rows) }));
  return [...same, ...tables].map((recipe) => ({ ...recipe, units: units.get(recipe.name) ?? 0 }));
}

const resolved = (recipe: Parameters<typeof resolveRecipe>[0], name: string): Recipe =>
  resolveRecipe(recipe, `the recipe '${name}'`);

function shown({ source, ...recipe }: Recipe): Pick<ShownRecipe, 'source' | 'recipe'> {
  return { ...(source === undefined ? {} : { source }), recipe };
}

/** What all rows of a table have in common, and of each row the rest. */
function shownTable(
  name: string,
  rows: readonly PresetRow[],
): Pick<ShownRecipe, 'source' | 'recipe' | 'layers'> {
  const recipes = rows.map(({ recipe }) => Object.entries(resolved({ ...recipe }, name)));
  const [first = [], ...others] = recipes.map((fields) => new Map<string, unknown>(fields));
  const common = [...first].filter(([key, value]) =>
    others.every((other) => isDeepStrictEqual(other.get(key), value)),
  );
  const isCommon = new Set(common.map(([key]) => key));
  const { source, recipe } = shown(Object.fromEntries(common) as Recipe);
  return {
    ...(source === undefined ? {} : { source }),
    recipe,
    layers: rows.map(({ layers }, index) => ({
      names: layers === 'scores' ? [] : [...layers],
      recipe: Object.fromEntries((recipes[index] ?? []).filter(([key]) => !isCommon.has(key))),
    })),
  };
}
