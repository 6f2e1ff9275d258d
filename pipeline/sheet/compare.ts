/** Several recipes on the same units of one model: planned alike, rendered one after another, measured alike. */

import { PhospheneError } from '../error.ts';
import type { Layer } from '../network/network.ts';
import {
  type ModelPlan,
  type OpenModel,
  type PlanOptions,
  planModel,
  type RecipeReference,
  wantedLayers,
  wantedUnits,
} from '../plan.ts';
import { leavesOut, resolveRecipe } from '../recipe/resolve.ts';
import type { RenderEffects, WorkLimits } from '../render.ts';
import type { Store } from '../store/store.ts';
import type { ModelOnHand } from '../weights/weights.ts';
import { counted } from '../words.ts';
import { type Cell, type Column, measuredOf, renderColumn } from './column.ts';
import { type Rows, sheetLayers } from './layers.ts';
import { type Means, meansOf } from './means.ts';
import type { Sheet } from './sheet.ts';
import { plainName } from './words.ts';

export interface ComparedRecipe {
  /** As it is told apart from the others. */
  readonly name: string;
  readonly recipe: RecipeReference;
  /** The folder of the file that holds it. */
  readonly recipeFolder: string;
}

export interface CompareSpec {
  readonly model: ModelOnHand;
  readonly opened: OpenModel;
  readonly recipes: readonly ComparedRecipe[];
  /** What the command line changes, the recipe apart. */
  readonly changes: Omit<PlanOptions, 'recipe' | 'recipeFolder'>;
  readonly limits?: WorkLimits;
}

/** A recipe's turn begins. */
export interface RecipeEvent {
  readonly kind: 'recipe';
  readonly name: string;
  /** From 1. */
  readonly place: number;
  readonly of: number;
}

export interface CompareEffects extends Omit<RenderEffects, 'emit'> {
  emit(event: RecipeEvent | Parameters<RenderEffects['emit']>[0]): void;
}

export interface Comparison {
  readonly title: string;
  readonly seed: number;
  readonly recipes: readonly ComparedRecipe[];
  readonly rows: readonly Rows[];
  /** For each recipe. */
  readonly columns: readonly Column[];
}

/** A page with more is none that people look at, nor one that a browser opens gladly. */
export const mostPictures = 2000;

/**
 * The units of a model that are compared.
 * @param count How many pictures of each; refused where all are more than a page can show.
 */
export function comparedUnits(
  { content, ...model }: ModelOnHand,
  { network }: OpenModel,
  { layers, units }: Pick<PlanOptions, 'layers' | 'units'>,
  count: number,
): Rows[] {
  const rows = wantedLayers({ content, ...model }, network, layers).flatMap((layer): Rows[] => {
    const own = wantedUnits(layer, units);
    const labels = layer.kind === 'scores' ? content.classes : undefined;
    const named = own.map((unit) => {
      const label = labels?.[unit];
      return label === undefined ? { unit } : { unit, label };
    });
    return named.length === 0 ? [] : [{ layer, units: named }];
  });
  const pictures = count * rows.reduce((sum, own) => sum + own.units.length, 0);
  if (pictures > mostPictures) {
    throw new PhospheneError(
      `Expected a contact sheet of at most ${counted(mostPictures, 'picture')}, found ${pictures.toLocaleString('en')}: choose fewer units with --units, or layers with --layers`,
      { exitCode: 2 },
    );
  }
  return rows;
}

/**
 * Renders all recipes, where the store does not have them. Stops when the signal is aborted; what is not there then is
 * missing in the columns.
 * @throws PhospheneError (exit code 2) for unknown layers, units and recipes, or where no recipe fits any layer.
 */
export async function compareRecipes(
  { model, opened, recipes, changes, limits = {} }: CompareSpec,
  effects: CompareEffects,
): Promise<Comparison> {
  const rows = comparedUnits(model, opened, changes, recipes.length);
  const plans: ModelPlan[] = [];
  for (const { recipe, recipeFolder } of recipes) {
    effects.signal.throwIfAborted();
    const ofLayer = (layer: Layer) =>
      leavesOut(recipe, layer) ? undefined : resolveRecipe(recipe, '--recipes', layer);
    plans.push(await planModel(model, { ...changes, recipe: ofLayer, recipeFolder }, opened));
  }
  if (plans.every(({ layers }) => layers.length === 0)) {
    const layers = rows.map(({ layer }) => `'${layer.name}'`).join(', ');
    throw new PhospheneError(
      `--recipes: expected a recipe for ${layers}, found only tables for other layers; choose other layers, or add another recipe`,
      { exitCode: 2 },
    );
  }
  const columns: Column[] = [];
  for (const [index, plan] of plans.entries()) {
    const name = recipes[index]?.name ?? '';
    effects.emit({ kind: 'recipe', name, place: index + 1, of: plans.length });
    columns.push(await renderColumn(plan, limits, effects));
  }
  return { title: model.content.title, seed: plans[0]?.seed ?? 0, recipes, rows, columns };
}

const absent = (name: string, layer: Layer): string =>
  `${name} is a table of recipes by layers, and has none for ${plainName(layer.name)}.`;

/** What was measured, layer by layer, as JSON. */
export interface ComparedLayer {
  readonly layer: string;
  /** In the order of the recipes; `reason`: why it says nothing of the layer. */
  readonly recipes: readonly (
    | { readonly recipe: string; readonly means: Means }
    | { readonly recipe: string; readonly reason: string }
  )[];
  readonly units: readonly {
    readonly unit: number;
    readonly label?: string;
    readonly pictures: readonly ({ readonly recipe: string } & Cell)[];
  }[];
}

export function comparedLayers({ recipes, rows, columns }: Comparison): ComparedLayer[] {
  return rows.map(({ layer, units }) => {
    const cells = columns.map(({ layers }) =>
      units.map(({ unit }) => layers.get(layer.name)?.cells.get(unit)),
    );
    const first = (cells[0] ?? []).map(measuredOf);
    return {
      layer: layer.name,
      recipes: recipes.map(({ name }, place) =>
        columns[place]?.layers.has(layer.name) === true
          ? { recipe: name, means: meansOf((cells[place] ?? []).map(measuredOf), first) }
          : { recipe: name, reason: absent(name, layer) },
      ),
      units: units.map((unit, at) => ({
        ...unit,
        pictures: recipes.flatMap(({ name }, place) => {
          const cell = cells[place]?.[at];
          return cell === undefined ? [] : [{ recipe: name, ...cell }];
        }),
      })),
    };
  });
}

/** The contact sheet. @param made How it was made, for its foot. */
export async function comparisonSheet(
  { title, seed, recipes, rows, columns }: Comparison,
  made: string,
  store: Store,
): Promise<Sheet> {
  const nameOf = (place: number): string => recipes[place]?.name ?? '';
  const layers = rows.map(
    ({ layer, units }) => `${counted(units.length, 'unit')} of ${plainName(layer.name)}`,
  );
  return {
    kicker: 'Recipes side by side',
    title,
    lead: `${counted(recipes.length, 'recipe')} on ${layers.join(', ')}, with the same random numbers for all (seed ${seed}).`,
    made,
    columns: recipes.map(({ name }) => ({ name })),
    layers: await sheetLayers(rows, columns, (place, layer) => absent(nameOf(place), layer), store),
  };
}
