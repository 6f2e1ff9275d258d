/** What is left of units that are not shown any more: until when they were, why they are not, and the last picture. */

import type { Gone } from '../../content/schema.ts';
import type { Store } from '../store/store.ts';
import { changesSlug, type Settled } from './addresses.ts';
import type { LastShown, Lock, LockedLayer } from './lock.ts';

/** A unit's last picture, below public/gallery. */
export type LastPicture = NonNullable<Gone['picture']>;

/**
 * The lock, with the fingerprint of the last picture of each unit that is gone, as far as anybody knows it.
 * @param lastShown What the last publishing showed of a layer: fingerprints by unit.
 */
export async function withLastFingerprints(
  lock: Lock,
  lastShown: (model: string, layer: string) => Promise<ReadonlyMap<number, string>>,
  store: Store,
): Promise<Lock> {
  const unknown = new Map<string, { fingerprint: string; renderedAt: string } | undefined>();
  const known = await eachGone(lock, async (model, layer, entry, unit, last) => {
    if (last.fingerprint !== null) return last;
    const fingerprint = (await lastShown(model, layer)).get(unit) ?? null;
    if (fingerprint === null) unknown.set(keyOf(model, entry.name, unit), undefined);
    return { ...last, fingerprint };
  });
  if (unknown.size === 0) return known;
  for await (const { model, layer, unit, fingerprint, renderedAt } of store.records()) {
    const key = keyOf(model, layer, unit);
    const before = unknown.get(key);
    if (unknown.has(key) && (before === undefined || before.renderedAt < renderedAt)) {
      unknown.set(key, { fingerprint, renderedAt });
    }
  }
  return eachGone(known, async (model, _, entry, unit, last) => ({
    ...last,
    fingerprint: last.fingerprint ?? unknown.get(keyOf(model, entry.name, unit))?.fingerprint ?? null,
  }));
}

const keyOf = (model: string, layer: string, unit: number): string => `${model}\0${layer}\0${unit}`;

async function eachGone(
  lock: Lock,
  change: (
    model: string,
    layer: string,
    entry: LockedLayer,
    unit: number,
    last: LastShown,
  ) => Promise<LastShown>,
): Promise<Lock> {
  const models = new Map(lock.models);
  for (const [slug, model] of lock.models) {
    const layers = new Map(model.layers);
    for (const [layer, entry] of layers) {
      const gone = new Map(entry.gone);
      for (const [unit, last] of gone) gone.set(unit, await change(slug, layer, entry, unit, last));
      layers.set(layer, { ...entry, gone });
    }
    models.set(slug, { ...model, layers });
  }
  return { ...lock, models };
}

/** All fingerprints of pictures that notes show, in one order. */
export function lastFingerprints(lock: Lock): string[] {
  const layers = [...lock.models.values()].flatMap((model) => [...model.layers.values()]);
  return layers.flatMap(({ gone }) => [...gone.values()].flatMap(({ fingerprint }) => fingerprint ?? []));
}

/** The notes, as the site shows them. */
export function notesOf(
  { gone }: Settled,
  lock: Lock,
  pictures: ReadonlyMap<string, LastPicture>,
  today: string,
): Gone[] {
  return gone.map(({ model, layer, unit, why }) => {
    if (model === changesSlug && layer !== undefined) return noteOfChanges(layer, lock, why, today);
    const own = lock.models.get(model);
    const entry = own?.layers.get(layer ?? '');
    const last = unit === undefined ? undefined : entry?.gone.get(unit);
    const entries = layer === undefined ? [...(own?.layers.values() ?? [])] : entry ? [entry] : [];
    const days = entries.flatMap((each) => [...each.gone.values()].map(({ until }) => until)).sort();
    const picture = pictures.get(last?.fingerprint ?? '');
    return {
      model: { slug: model, title: own?.title ?? model },
      ...(layer === undefined ? {} : { layer: { slug: layer, name: entry?.name ?? layer } }),
      ...(unit === undefined ? {} : { unit }),
      until: last?.until ?? days.at(-1) ?? today,
      why,
      ...(picture === undefined ? {} : { picture }),
    };
  });
}

function noteOfChanges(name: string, { changes }: Lock, why: string, today: string): Gone {
  const { title = name, until } = changes.get(name) ?? {};
  return {
    model: { slug: changesSlug, title: 'What changed' },
    layer: { slug: name, name: title },
    until: until ?? today,
    why,
  };
}
