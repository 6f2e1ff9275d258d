/** From what people write (a preset's name, or an object that may start from one) to a resolved recipe. */

import { PhospheneError } from '../error.ts';
import { suggestion } from '../nearest.ts';
import type { Layer } from '../network/network.ts';
import { matches } from '../pattern.ts';
import { parseStrict } from '../strict.ts';
import { type PresetRow, presetTables } from './preset-tables.ts';
import { presets } from './presets.ts';
import { type Recipe, recipe } from './schema.ts';

/** Names of the recipes that come with the project. */
export const presetNames: readonly string[] = [...Object.keys(presets), ...Object.keys(presetTables)];

/** What is tried for units that stay silent whatever their own recipe does; a unit that this leaves silent is called dead. */
export const lastResort: Recipe = parseStrict(recipe, presets.wake, "the recipe 'wake'");

/** Recipes that differ from layer to layer are looked up by these. */
export type ResolvedFor = Pick<Layer, 'name' | 'kind'>;

/**
 * The recipe with all its fields. Fields beside `preset` replace the preset's own, each as a whole.
 * @param what Where the reference was found; the error sentence starts with it.
 * @param layer The layer it is for.
 * @throws PhospheneError (exit code 2) for an unknown preset, an unknown field or a wrong value, or a preset that says
 *   nothing of the layer.
 */
export function resolveRecipe(
  reference: string | Readonly<Record<string, unknown>>,
  what: string,
  layer?: ResolvedFor,
): Recipe {
  if (typeof reference === 'string') return parseStrict(recipe, preset(reference, what, layer), what);
  const { preset: base, ...own } = reference;
  if (base === undefined) return parseStrict(recipe, own, what);
  if (typeof base !== 'string') {
    throw new PhospheneError(`${what}: 'preset' must be a recipe's name, found ${JSON.stringify(base)}`, {
      exitCode: 2,
    });
  }
  return parseStrict(recipe, { ...preset(base, what, layer), name: `${base}, changed`, ...own }, what);
}

/**
 * Holds a reference against the schema before its layer is known.
 * @throws PhospheneError (exit code 2) as `resolveRecipe` does.
 */
export function checkRecipe(reference: Readonly<Record<string, unknown>>, what: string): void {
  const rows = typeof reference['preset'] === 'string' ? tableOf(reference['preset']) : undefined;
  resolveRecipe(reference, what, rows === undefined ? undefined : { name: '', kind: 'scores' });
}

/** Whether a recipe is a table by layers that says nothing of this one. */
export function leavesOut(
  reference: string | Readonly<Record<string, unknown>>,
  layer: ResolvedFor,
): boolean {
  const name = typeof reference === 'string' ? reference : reference['preset'];
  const rows = typeof name === 'string' ? tableOf(name) : undefined;
  return rows !== undefined && !rows.some(({ layers }) => holdsFor(layers, layer));
}

const tableOf = (name: string): readonly PresetRow[] | undefined =>
  Object.entries(presetTables).find(([known]) => known === name)?.[1];

function preset(name: string, what: string, layer: ResolvedFor | undefined): object {
  const found = Object.entries(presets).find(([known]) => known === name)?.[1];
  if (found !== undefined) return found;
  const rows = tableOf(name);
  if (rows === undefined) {
    throw new PhospheneError(`${what}: there is no recipe '${name}'${suggestion(name, presetNames)}`, {
      exitCode: 2,
    });
  }
  const row = layer && rows.find(({ layers }) => holdsFor(layers, layer));
  if (row === undefined) {
    const known = rows.map(({ layers }) => (layers === 'scores' ? 'the class scores' : layers.join(', ')));
    throw new PhospheneError(
      `${what}: the recipe '${name}' is a table for ${known.join(', ')}, found ${layer === undefined ? 'no layer' : `the layer '${layer.name}'`}; choose other layers, or another recipe for this one`,
      { exitCode: 2 },
    );
  }
  return row.recipe;
}

const holdsFor = (layers: PresetRow['layers'], { name, kind }: ResolvedFor): boolean =>
  layers === 'scores' ? kind === 'scores' : layers.some((pattern) => matches(pattern, name));
