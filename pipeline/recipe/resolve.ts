/** From what people write (a preset's name, or an object that may start from one) to a resolved recipe. */

import { PhospheneError } from '../error.ts';
import { suggestion } from '../nearest.ts';
import { parseStrict } from '../strict.ts';
import { presets } from './presets.ts';
import { type Recipe, recipe } from './schema.ts';

/** Names of the recipes that come with the project. */
export const presetNames: readonly string[] = Object.keys(presets);

/**
 * The recipe with all its fields. Fields beside `preset` replace the preset's own, each as a whole.
 * @param what Where the reference was found; the error sentence starts with it.
 * @throws PhospheneError (exit code 2) for an unknown preset, an unknown field or a wrong value.
 */
export function resolveRecipe(reference: string | Readonly<Record<string, unknown>>, what: string): Recipe {
  if (typeof reference === 'string') return parseStrict(recipe, preset(reference, what), what);
  const { preset: base, ...own } = reference;
  if (base === undefined) return parseStrict(recipe, own, what);
  if (typeof base !== 'string') {
    throw new PhospheneError(`${what}: 'preset' must be a recipe's name, found ${JSON.stringify(base)}`, {
      exitCode: 2,
    });
  }
  return parseStrict(recipe, { ...preset(base, what), name: `${base}, changed`, ...own }, what);
}

function preset(name: string, what: string): object {
  const found = Object.entries(presets).find(([known]) => known === name)?.[1];
  if (found === undefined) {
    throw new PhospheneError(`${what}: there is no recipe '${name}'${suggestion(name, presetNames)}`, {
      exitCode: 2,
    });
  }
  return found;
}
