/** From rendered columns to what a sheet shows of each layer; only here are pictures held, encoded. */

import type { Layer } from '../network/network.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { Store } from '../store/store.ts';
import { type Cell, type Column, embeddedPicture } from './column.ts';
import type { SheetCell, SheetLayer, SheetLayerColumn } from './sheet.ts';

/** The units of a layer that are compared. */
export interface Rows {
  readonly layer: Layer;
  readonly units: readonly { readonly unit: number; readonly label?: string }[];
}

/** @param absent Why a column, by its place, says nothing of a layer. */
export async function sheetLayers(
  rows: readonly Rows[],
  columns: readonly Column[],
  absent: (place: number, layer: Layer) => string,
  store: Store,
): Promise<SheetLayer[]> {
  const layers: SheetLayer[] = [];
  for (const { layer, units } of rows) {
    const own = columns.map((column) => column.layers.get(layer.name));
    const heads = own.map(
      (each, place): SheetLayerColumn =>
        each === undefined
          ? { kind: 'none', reason: absent(place, layer) }
          : { kind: 'recipe', summary: recipeInBrief(each.recipe) },
    );
    const sheetRows = [];
    for (const unit of units) {
      const cells = [];
      for (const each of own) cells.push(await shown(each?.cells.get(unit.unit), store));
      sheetRows.push({ ...unit, cells });
    }
    layers.push({ name: layer.name, kind: layer.kind, columns: heads, rows: sheetRows });
  }
  return layers;
}

async function shown(cell: Cell | undefined, store: Store): Promise<SheetCell | undefined> {
  if (cell?.kind !== 'picture') return cell;
  const picture = await embeddedPicture(store, cell.fingerprint);
  if (picture === undefined) return { kind: 'none', reason: 'Its rendering is gone from the store.' };
  const { measures, seconds } = cell;
  return { kind: 'picture', ...picture, measures, seconds };
}

/** `64 steps, sphere, adam` */
function recipeInBrief({ steps, parameterisation, optimiser }: Recipe): string {
  return `${steps.toLocaleString('en')} ${steps === 1 ? 'step' : 'steps'}, ${parameterisation.kind}, ${optimiser.kind}`;
}
