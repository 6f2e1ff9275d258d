/** The recipes that come with the project, as the gallery shows them: whole, with where they were published. */

import type { GalleryIndex } from '../../content/schema.ts';
import { presets } from '../recipe/presets.ts';
import { resolveRecipe } from '../recipe/resolve.ts';

export type ShownRecipe = NonNullable<GalleryIndex['recipes']>[number];

/** All of them, in the project's order. `units`: by name, how many published units were made by each. */
export function shownRecipes(units: ReadonlyMap<string, number>): ShownRecipe[] {
  return Object.keys(presets).map((name) => {
    const { source, ...recipe } = resolveRecipe(name, `the recipe '${name}'`);
    return { name, ...(source === undefined ? {} : { source }), units: units.get(name) ?? 0, recipe };
  });
}
