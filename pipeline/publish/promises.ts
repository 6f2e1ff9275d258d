/** Addresses that were published once, kept alive by one run: what becomes of each, and what is noted of it. */

import { type Changes, type GalleryIndex, galleryLayer } from '../../content/schema.ts';
import { PhospheneError } from '../error.ts';
import { counted } from '../words.ts';
import { readAddressBook } from './address-book.ts';
import { type Settled, type ShownLayer, type ShownModel, settle } from './addresses.ts';
import { shownChanges } from './changes.ts';
import { type GalleryFiles, goneFile } from './gallery-files.ts';
import { lastFingerprints, notesOf, withLastFingerprints } from './gone.ts';
import { type Lock, markOf, readLock } from './lock.ts';
import { lonePictures } from './pictures.ts';
import type { Promises, PublishRun } from './run.ts';
import type { PublishModel } from './wanted.ts';

/**
 * What becomes of all addresses that were published once.
 * @throws PhospheneError (exit code 2) where one would be lost.
 */
export async function settlePromises(
  run: PublishRun,
  models: readonly PublishModel[],
  compared: ReadonlyMap<string, Changes>,
  promises: Promises,
): Promise<Settled> {
  const { files, contentDir } = run.gallery;
  const shown: ShownModel[] = [];
  for (const { slug, content, layers } of models) {
    const shownLayers: ShownLayer[] = [];
    for (const { slug: layer, name, wanted } of layers) {
      const there = await run.inStore(wanted);
      const [rendered, missing] = [new Map<number, string>(), new Set<number>()];
      for (const { unit, weights, fingerprint } of wanted) {
        if (there.has(fingerprint)) rendered.set(unit, markOf(weights));
        else missing.add(unit);
      }
      shownLayers.push({ slug: layer, name, units: rendered, missing });
    }
    shown.push({ slug, title: content.title, layers: shownLayers });
  }
  const lock = await readLock(files, contentDir);
  const book = await readAddressBook(files, contentDir);
  const changes = new Map([...compared].map(([name, page]) => [name, shownChanges(page)]));
  const settled = settle(lock, { models: shown, changes }, book, { contentDir, ...promises });
  for (const { slug, layers } of shown) {
    for (const { slug: layer, name } of layers) {
      const known = settled.lock.models.get(slug)?.layers.get(layer)?.renumbered ?? [];
      const before = lock.models.get(slug)?.layers.get(layer)?.renumbered.length ?? 0;
      const units = known.slice(before).filter(({ now }) => now !== null).length;
      if (units > 0) run.emit({ kind: 'renumbered', model: slug, layer: name, units });
    }
  }
  return settled;
}

/**
 * The lock as it is to be written, and what the index says of addresses that lead elsewhere or to a note.
 * @throws PhospheneError where a unit that was to be shown turned out to be damaged.
 */
export async function keepPromises(
  run: PublishRun,
  settled: Settled,
  { today }: Promises,
): Promise<{
  readonly lock: Lock;
  readonly addresses: Pick<GalleryIndex, 'moved' | 'gone'>;
}> {
  const { damaged } = run.counts;
  if (damaged > 0) {
    throw new PhospheneError(
      `${counted(damaged, 'rendering')} that the gallery shows turned out to be damaged and went from the store; the gallery stays as it was: run phosphene render, then publish again`,
    );
  }
  const { gallery, store } = run;
  const before = await gallery.index();
  const lock = await withLastFingerprints(settled.lock, (...at) => lastShown(gallery, before, ...at), store);
  const known = (before?.gone ?? []).flatMap(({ picture }) => picture ?? []);
  const pictures = await lonePictures(run, goneFile, lastFingerprints(lock), known);
  const gone = notesOf(settled, lock, pictures, today);
  const { moved } = settled;
  return {
    lock,
    addresses: {
      ...(moved.length === 0 ? {} : { moved: [...moved] }),
      ...(gone.length === 0 ? {} : { gone }),
    },
  };
}

/** Fingerprints by unit, as the last gallery showed them. */
async function lastShown(
  gallery: GalleryFiles,
  before: GalleryIndex | undefined,
  model: string,
  layer: string,
): Promise<ReadonlyMap<number, string>> {
  const known = before?.models.find(({ slug }) => slug === model);
  const file = known?.layers.find(({ slug }) => slug === layer)?.file;
  if (file === undefined) return new Map();
  const read = await gallery.read(galleryLayer, file);
  return new Map(read?.units.map(({ unit, fingerprint }) => [unit, fingerprint]));
}
