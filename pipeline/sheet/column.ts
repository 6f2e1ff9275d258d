/** A column of a contact sheet: one recipe on all units that are compared, rendered where the store does not have them. */

import { encodePicture } from '../picture/encode.ts';
import type { ModelPlan } from '../plan.ts';
import type { Recipe } from '../recipe/schema.ts';
import { type RenderEffects, type RenderSummary, renderModels, type WorkLimits } from '../render.ts';
import type { Store } from '../store/store.ts';
import type { Measured } from './means.ts';

/** A unit's picture, which stays in the store, or why there is none. */
export type Cell =
  | ({ readonly kind: 'picture'; readonly fingerprint: string } & Measured)
  | { readonly kind: 'none'; readonly reason: string };

export interface LayerColumn {
  readonly recipe: Recipe;
  /** By unit. */
  readonly cells: ReadonlyMap<number, Cell>;
}

export interface Column {
  /** By the layers' names; those that the recipe leaves out are not there. */
  readonly layers: ReadonlyMap<string, LayerColumn>;
  readonly summary: RenderSummary;
}

/** Renders what is missing of a plan. Of each unit only what was measured is held. */
export async function renderColumn(
  plan: ModelPlan,
  options: WorkLimits,
  effects: RenderEffects,
): Promise<Column> {
  const summary = await renderModels([plan], options, effects);
  const failures = new Map(
    summary.failures.map(({ layer, unit, error }) => [JSON.stringify([layer, unit]), error]),
  );
  const layers = new Map<string, LayerColumn>();
  for (const { layer, recipe, units } of plan.layers) {
    const cells = new Map<number, Cell>();
    for (const { unit, fingerprint } of units) {
      const error = failures.get(JSON.stringify([layer.name, unit]));
      cells.set(
        unit,
        error === undefined
          ? await cellOf(effects.store, fingerprint)
          : { kind: 'none', reason: `It failed: ${error}` },
      );
    }
    layers.set(layer.name, { recipe, cells });
  }
  return { layers, summary };
}

async function cellOf(store: Store, fingerprint: string): Promise<Cell> {
  if (!(await store.has(fingerprint)))
    return { kind: 'none', reason: 'Not rendered: it was stopped before.' };
  const rendering = await store.read(fingerprint);
  if (rendering === undefined) {
    await store.remove(fingerprint);
    return {
      kind: 'none',
      reason: 'Its rendering was damaged and is removed; the same command renders it again.',
    };
  }
  const { measures, seconds } = rendering;
  return { kind: 'picture', fingerprint, measures, seconds };
}

/** The cell as what is measured of it. */
export const measuredOf = (cell: Cell | undefined): Measured | undefined =>
  cell?.kind === 'picture' ? cell : undefined;

export interface EmbeddedPicture {
  /** `data:image/webp;base64,…` */
  readonly url: string;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** The published picture of a rendering as text that a page can hold; undefined where the store has none. */
export async function embeddedPicture(
  store: Store,
  fingerprint: string,
): Promise<EmbeddedPicture | undefined> {
  const rendering = await store.read(fingerprint);
  const last = rendering?.frames.at(-1);
  if (rendering === undefined || last === undefined) return undefined;
  const { widthPx, heightPx, channels } = rendering;
  const bytes = await encodePicture({ pixels: last.pixels, widthPx, heightPx, channels });
  return { url: `data:image/webp;base64,${bytes.toString('base64')}`, widthPx, heightPx };
}
