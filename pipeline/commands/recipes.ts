/** Recipes on the command line: a name, or a JSON file. */

import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PhospheneError } from '../error.ts';
import type { PlanOptions } from '../plan.ts';
import { checkRecipe, presetNames } from '../recipe/resolve.ts';
import { parseJson } from '../strict.ts';

type Reference = Required<Pick<PlanOptions, 'recipeFolder'>> & {
  readonly recipe: string | Readonly<Record<string, unknown>>;
};

/**
 * A name that a recipe may have, or the recipe that a file holds, checked.
 * @param option The option that it was given with, which sentences start with.
 * @throws PhospheneError (exit code 2) for a file that cannot be read or holds no recipe.
 */
export async function readRecipe(nameOrFile: string, option: string): Promise<Reference> {
  const recipeFolder = dirname(nameOrFile);
  if (presetNames.includes(nameOrFile) || !/[./\\]/.test(nameOrFile)) {
    return { recipe: nameOrFile, recipeFolder };
  }
  const text = await readFile(nameOrFile, 'utf8').catch((cause: unknown) => {
    throw new PhospheneError(
      `${option}: expected a recipe's name (${presetNames.join(', ')}) or a JSON file, found no file ${nameOrFile} that can be read`,
      { exitCode: 2, cause },
    );
  });
  const json = parseJson(text, nameOrFile);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new PhospheneError(
      `${nameOrFile}: expected a recipe, a JSON object, found ${text.trim().slice(0, 40)}`,
      { exitCode: 2 },
    );
  }
  const recipe: Readonly<Record<string, unknown>> = { ...json };
  checkRecipe(recipe, nameOrFile);
  return { recipe, recipeFolder };
}
