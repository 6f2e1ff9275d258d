/** How `status` and `render --dry-run` tell what would be rendered, and why. */

import { fieldNames, type ModelStatus } from '../status.ts';
import { counted, duration, table } from '../words.ts';

/** What is told of all models together. */
export interface Totals {
  readonly units: {
    readonly total: number;
    readonly fresh: number;
    readonly missing: number;
    readonly stale: number;
  };
  /** To render what is missing or stale, as far as it can be judged; null where it cannot be at all. */
  readonly seconds: number | null;
}

export function totalsOf(models: readonly ModelStatus[]): Totals {
  const layers = models.flatMap((model) => model.layers);
  const sum = (of: (layer: (typeof layers)[number]) => number): number =>
    layers.reduce((total, layer) => total + of(layer), 0);
  const isOpen = layers.some(({ missing, stale }) => missing + stale > 0);
  const isKnown = layers.some(({ missing, stale, seconds }) => missing + stale > 0 && seconds !== null);
  return {
    units: {
      total: sum(({ units }) => units),
      fresh: sum(({ fresh }) => fresh),
      missing: sum(({ missing }) => missing),
      stale: sum(({ stale }) => stale),
    },
    seconds: isOpen && !isKnown ? null : sum(({ seconds }) => seconds ?? 0),
  };
}

/** A table with a row for each layer, what differs in the stale units, and a sentence on all. */
export function statusText(models: readonly ModelStatus[]): string {
  const rows = models.flatMap(({ model, layers }) =>
    layers.map(({ name, units, fresh, missing, stale, seconds }) => [
      model,
      name,
      units,
      fresh,
      missing,
      stale,
      missing + stale === 0 ? '' : seconds === null ? 'unknown' : `about ${duration(seconds)}`,
    ]),
  );
  const head = ['model', 'layer', 'units', 'fresh', 'missing', 'stale', 'to render'];
  const lines = [table([head, ...rows])];
  const reasons = models.flatMap(({ model, layers }) =>
    layers.flatMap(({ name, reasons: own }) =>
      own.map(({ fields, units }) => [
        model,
        name,
        units,
        fields.length === 0
          ? 'unknown: an earlier version rendered them'
          : fields.map((field) => fieldNames[field]).join(', '),
      ]),
    ),
  );
  if (reasons.length > 0) lines.push(table([['model', 'layer', 'stale', 'what differs'], ...reasons]));
  lines.push(sentence(models));
  return `${lines.join('\n\n')}\n`;
}

function sentence(models: readonly ModelStatus[]): string {
  const { units, seconds } = totalsOf(models);
  const open = units.missing + units.stale;
  if (open === 0) return `Nothing to render: all ${counted(units.total, 'unit')} are in the store.`;
  const parts = [`${open.toLocaleString('en')} of ${counted(units.total, 'unit')} to render`];
  const unknown = models
    .flatMap(({ layers }) => layers)
    .filter((layer) => layer.seconds === null)
    .reduce((sum, { missing, stale }) => sum + missing + stale, 0);
  if (seconds === null) parts.push('in a time that is not known until some of it has been rendered');
  else parts.push(`about ${duration(seconds)} by what earlier ones took`);
  if (seconds !== null && unknown > 0)
    parts.push(`${unknown} of them not counted in, as none like them was rendered`);
  return `${parts.join(', ')}.`;
}
