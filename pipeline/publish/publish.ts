/**
 * From the store to the gallery: content/gallery (what is known) and public/gallery (pictures). What the plan wants
 * and the store has is there afterwards, and nothing else. A file's name says what is in it: pictures are named by
 * their rendering's fingerprint, layers by their content. New files come beside the old ones, then the index is
 * replaced, in one step, then what nothing names any more is removed: whoever reads the index meanwhile is told of one
 * gallery or of the other, never of a mixture.
 */

import type { GalleryLayer, GalleryModel } from '../../content/schema.ts';
import { publishChanges } from './change-pages.ts';
import { readChanges } from './changes.ts';
import { joined } from './joined.ts';
import { folderName, publishLayer } from './layer.ts';
import { type LockedModel, writeLock } from './lock.ts';
import { keepPromises, settlePromises } from './promises.ts';
import { shownRecipes } from './recipes.ts';
import { type PublishEffects, PublishRun } from './run.ts';
import type { PublishModel } from './wanted.ts';

export interface PublishSummary {
  readonly models: number;
  readonly layers: number;
  readonly units: {
    readonly total: number;
    readonly published: number;
    /** Not in the store. */
    readonly missing: number;
    /** In the store, but not as it was written; removed from it. */
    readonly damaged: number;
    /** Published, and marked as dead. */
    readonly dead: number;
  };
  /** Units whose pictures were encoded, and units whose pictures were right already. */
  readonly pictures: { readonly encoded: number; readonly kept: number };
  readonly files: { readonly written: number; readonly removed: number };
  readonly seconds: number;
}

/**
 * Publishes these models and no others.
 * @throws PhospheneError (exit code 2) where an address would be lost that was published once; nothing is written then.
 * @throws PhospheneError where a folder cannot be written or the disk is full.
 * @throws the signal's reason when it is aborted.
 */
export async function publish(
  models: readonly PublishModel[],
  effects: PublishEffects,
): Promise<PublishSummary> {
  const started = performance.now();
  const run = new PublishRun(effects);
  const wanted = models.flatMap(({ layers }) => layers.map((layer) => layer.wanted.length));
  const { gallery } = run;
  const { promises } = effects;
  const compared = await readChanges(gallery.files, gallery.contentDir);
  const settled = promises && (await settlePromises(run, models, compared, promises));
  effects.emit({ kind: 'publishing', units: wanted.reduce((sum, units) => sum + units, 0) });
  const published: GalleryModel[] = [];
  // Releases come last: what they share with the newest gallery is there then.
  const ordered = models.toSorted(
    (a, b) => Number(a.release !== undefined) - Number(b.release !== undefined),
  );
  for (const model of ordered) {
    const releases = models.filter(({ release }) => release?.of === model.slug);
    const made = await makeModel(run, model, releases, settled?.lock.models.get(model.slug));
    if (made.layers.length > 0) {
      published.push(made);
      continue;
    }
    effects.emit({ kind: 'left-out', models: [model.slug], reason: 'none of its units is rendered yet' });
  }
  const kept = promises && settled && (await keepPromises(run, settled, promises));
  const { true: releases = [], false: newest = [] } = Object.groupBy(
    published,
    ({ release }) => `${release !== undefined}`,
  );
  await gallery.writeIndex({
    version: 1,
    models: newest,
    ...(releases.length === 0 ? {} : { releases }),
    ...(await publishChanges(run, compared)),
    ...kept?.addresses,
    recipes: shownRecipes(run.byRecipe),
  });
  if (kept !== undefined) await writeLock(gallery.files, gallery.contentDir, kept.lock);
  run.signal.throwIfAborted();
  const removed = await gallery.sweep();
  const { total, missing, damaged, dead, encoded, kept: right } = run.counts;
  return {
    units: { total, published: encoded + right, missing, damaged, dead },
    pictures: { encoded, kept: right },
    files: { written: gallery.written, removed },
    models: newest.length,
    layers: published.reduce((sum, model) => sum + model.layers.length, 0),
    seconds: (performance.now() - started) / 1000,
  };
}

/**
 * A model with the layers that have pictures.
 * @param releases Those of the model.
 * @param locked What is known of its addresses.
 */
async function makeModel(
  run: PublishRun,
  model: PublishModel,
  releases: readonly PublishModel[],
  locked?: LockedModel,
): Promise<GalleryModel> {
  const { title, summary, source, licence, classes, input } = model.content;
  const layers: GalleryLayer['layer'][] = [];
  for (const layer of model.layers) {
    const renumbered = locked?.layers.get(layer.slug)?.renumbered ?? [];
    const shown = await publishLayer(run, model, layer, releases, renumbered);
    if (shown !== undefined) layers.push(shown);
  }
  return {
    slug: folderName(model.slug),
    ...(model.release === undefined ? {} : { release: model.release }),
    title,
    ...(summary === undefined ? {} : { summary }),
    ...(source === undefined ? {} : { source }),
    ...(licence === undefined ? {} : { licence }),
    sha256: model.sha256,
    format: model.format,
    parameters: model.parameters,
    input: { ...model.input, scaling: input.scaling },
    ...(classes === undefined ? {} : { classes }),
    layers: joined(layers, model.layers),
  };
}
