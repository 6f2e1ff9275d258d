/** What the wall of a layer shows of each unit, and what it can be ordered by. Shared by the page and its script. */

import {
  type GalleryLayer,
  type LayerSummary,
  type Measures,
  type UnitRecord,
  type Wall,
  wallSheet,
} from '../../content/schema.ts';

/** Where a unit's picture hangs: a place on a sheet, or a file of its own. */
export interface Hung {
  readonly record: UnitRecord;
  /** Number of its sheet, and its place on it. */
  readonly sheet?: { readonly number: number; readonly place: number };
}

/** The living units, each with its place on the sheets that `publish` made, where it made any. */
export function hang({ wall, layer }: GalleryLayer, living: readonly UnitRecord[]): Hung[] {
  if (wall === undefined || layer.kind === 'scores') return living.map((record) => ({ record }));
  const { unitsPerSheet } = wallSheet;
  return living.map((record, index) => ({
    record,
    sheet: { number: Math.floor(index / unitsPerSheet), place: index % unitsPerSheet },
  }));
}

/** The whole size of a sheet of these living units. */
export function sheetSize(
  { widthPx, heightPx }: Wall['tile'],
  sheet: number,
  living: number,
): { readonly widthPx: number; readonly heightPx: number } {
  const { columns, unitsPerSheet } = wallSheet;
  const units = Math.min(unitsPerSheet, living - sheet * unitsPerSheet);
  return { widthPx: widthPx * columns, heightPx: heightPx * Math.ceil(units / columns) };
}

export interface Order {
  readonly key: string;
  /** As a choice: `Most excited first`. */
  readonly name: string;
  /** As the measure that a share is taken by: `activation`. */
  readonly measure: string;
}

const orders: readonly (Order & { readonly of: (measures: Measures) => number | undefined })[] = [
  {
    key: 'activation',
    name: 'Most excited first',
    measure: 'activation',
    of: ({ activation }) => activation,
  },
  {
    key: 'gain',
    name: 'Grown most first',
    measure: 'times the start',
    of: ({ activation, initialActivation }) =>
      initialActivation > 0 ? activation / initialActivation : undefined,
  },
  {
    key: 'kept',
    name: 'Steadiest first',
    measure: 'share kept when moved',
    of: ({ keptUnderShifts }) => keptUnderShifts ?? undefined,
  },
  {
    key: 'soft',
    name: 'Softest first',
    measure: 'share neither black nor white',
    of: ({ harshShare }) => 1 - harshShare,
  },
  {
    key: 'probability',
    name: 'Surest first',
    measure: 'probability of its class',
    of: ({ probability, prediction }) =>
      probability ?? (prediction?.right === true ? prediction.probability : undefined),
  },
];

/** The orders that a layer's measures allow, `probability` for classes only. */
export function ordersOf(kind: LayerSummary['kind']): readonly Order[] {
  return orders.filter(({ key }) => kind === 'scores' || key !== 'probability');
}

/** The values that a tile carries for `ordersOf(kind)`, in that order: three digits, `-` where there is none. */
export function valuesOf(measures: Measures, kind: LayerSummary['kind']): string {
  const keys = new Set(ordersOf(kind).map(({ key }) => key));
  return orders
    .filter(({ key }) => keys.has(key))
    .map(({ of }) => {
      const value = of(measures);
      return value === undefined || !Number.isFinite(value) ? '-' : String(Number(value.toPrecision(3)));
    })
    .join(' ');
}
