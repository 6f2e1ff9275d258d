/** A layer of the gallery, made as far as it is not there already. */

import pLimit from 'p-limit';
import type { GalleryLayer, Renumbered, UnitRecord } from '../../content/schema.ts';
import { runsOf } from '../runs.ts';
import { type GalleryFiles, namedBy } from './gallery-files.ts';
import { type Encoded, type Made, type Manifest, manifestOf, sha256 } from './manifest.ts';
import { pictureFiles, withClassName } from './record.ts';
import type { PublishRun } from './run.ts';
import { samplesOf } from './samples.ts';
import { type KnownUnit, lastUnits, publishUnit } from './units.ts';
import { publishWall, sheetFile } from './wall.ts';
import type { PublishLayer, PublishModel, WantedUnit } from './wanted.ts';

/** Units worked on at once: keeps the encoder's threads busy; memory stays a few strips. */
const unitsAtOnce = 4;

/** What is encoded is noted this often, so that little is encoded again after an interruption. */
const unitsBetweenNotes = 128;

/**
 * Publishes a layer: its pictures, its walls, its file, its manifest. Undefined, and nothing written, where no picture is
 * there.
 * @param releases Those of the model.
 */
export async function publishLayer(
  run: PublishRun,
  model: PublishModel,
  layer: PublishLayer,
  releases: readonly PublishModel[],
  renumbered: readonly Renumbered[],
): Promise<GalleryLayer['layer'] | undefined> {
  const folder = `${folderName(model.slug)}/${folderName(layer.slug)}`;
  const { gallery } = run;
  const manifestFile = `${folder}.json`;
  const wanted = [...layer.wanted].sort((a, b) => a.unit - b.unit);
  run.counts.total += wanted.length;

  const key = layerKey(model, layer, releases, renumbered);
  const there = await run.inStore(wanted);
  const own = await gallery.manifest(manifestFile);
  if (own.made?.key === key && there.size === wanted.length) {
    if (await isAsMade(gallery, folder, own, wanted)) return keep(run, model, layer, folder, own, own.made);
  }
  const { units: encoded, sheets, layerSha256, last } = await past(gallery, model, layer, folder, own);
  const done = new Map<number, Encoded>();
  for (const { unit, fingerprint } of wanted) {
    const entry = encoded.get(unit);
    if (entry?.fingerprint === fingerprint && gallery.hasPictures(entry)) done.set(unit, entry);
  }
  let unwritten = 0;
  const recipes: Record<string, Record<string, unknown>> = {};
  const published = await eachOf(wanted, run.signal, async (each) => {
    const isNew = !done.has(each.unit);
    const made = await publishUnit(run, model, layer, each, there, done.get(each.unit), last);
    if (made === undefined) {
      done.delete(each.unit);
      return [];
    }
    recipes[made.record.recipe] = { ...made.recipe };
    done.set(each.unit, made.encoded);
    if (isNew && ++unwritten % unitsBetweenNotes === 0) {
      await gallery.writeManifest(manifestFile, { units: done, sheets, layerSha256 });
    }
    const measures = withClassName(made.record.measures, model.content.classes);
    return [{ ...made.record, measures, ...(each.label === undefined ? {} : { label: each.label }) }];
  });

  if (published.length === 0) return undefined;
  gallery.keep(manifestOf(manifestFile));

  const dead = published.filter(({ measures }) => measures.dead).length;
  run.counts.dead += dead;
  const described: GalleryLayer['layer'] = {
    slug: layer.slug,
    name: layer.name,
    kind: layer.kind,
    index: layer.index,
    units: layer.units,
    published: published.length,
    dead,
    picture: layer.picture,
    output: [...layer.output],
    receptiveFieldPx: layer.receptiveFieldPx,
    ...(layer.inputs === undefined ? {} : { inputs: [...layer.inputs] }),
    shown: runsOf(published.map(({ unit }) => unit)),
    ...latestOf(published),
    samples: samplesOf(published, (unit) => done.get(unit)?.imageBytes ?? 0),
  };
  const byRecipe: Record<string, number> = {};
  for (const { recipe } of published) {
    const name = String(recipes[recipe]?.['name'] ?? '');
    byRecipe[name] = (byRecipe[name] ?? 0) + 1;
  }
  if (model.release === undefined) run.countRecipes(byRecipe);
  const wall = await publishWall(run, published, sheets);
  const file = await gallery.writeNamed(folder, {
    version: 1,
    model: model.slug,
    layer: described,
    recipes: Object.fromEntries(Object.entries(recipes).sort(([a], [b]) => (a < b ? -1 : 1))),
    ...(renumbered.length === 0 ? {} : { renumbered: [...renumbered] }),
    ...releasesOf(releases, layer.slug, published),
    ...(wall.described === undefined ? {} : { wall: wall.described }),
    units: published,
  } satisfies GalleryLayer);
  const made = { key, described, recipes: byRecipe };
  const manifest = { units: done, sheets: wall.sheets, layerSha256: file.sha256, made };
  if (await gallery.writeManifest(manifestFile, manifest)) gallery.written++;
  return { ...described, file: file.name };
}

/** Whether all that was made for a layer is in place, for these units and no others. */
async function isAsMade(
  gallery: GalleryFiles,
  folder: string,
  manifest: Manifest,
  wanted: readonly WantedUnit[],
): Promise<boolean> {
  const { units, sheets, layerSha256 } = manifest;
  const isInPlace = (encoded: Encoded | undefined, fingerprint: string): boolean =>
    encoded?.fingerprint === fingerprint && gallery.hasPictures(encoded);
  if (units.size !== wanted.length) return false;
  if (!wanted.every(({ unit, fingerprint }) => isInPlace(units.get(unit), fingerprint))) return false;
  const areSheets = sheets.every(({ key, bytes }) => gallery.pictureSize(sheetFile(key)) === bytes);
  const layer = areSheets ? await gallery.bytes(namedBy(folder, layerSha256)) : undefined;
  return layer !== undefined && sha256(layer) === layerSha256;
}

/** Takes over a layer as it was made, without looking into it. */
function keep(
  run: PublishRun,
  model: PublishModel,
  layer: PublishLayer,
  folder: string,
  { units, sheets, layerSha256 }: Manifest,
  { described, recipes }: Made,
): GalleryLayer['layer'] {
  const file = namedBy(folder, layerSha256);
  const { gallery } = run;
  gallery.keep(file, manifestOf(`${folder}.json`));
  for (const { key } of sheets) gallery.keepPictures(sheetFile(key));
  for (const [unit, { fingerprint }] of units) {
    const { image, strip } = pictureFiles(fingerprint);
    gallery.keepPictures(image, strip);
    run.emit({ kind: 'published', model: model.slug, layer: layer.name, unit, encoded: false });
  }
  run.counts.kept += units.size;
  run.counts.dead += described.dead;
  if (model.release === undefined) run.countRecipes(recipes);
  return { ...described, file };
}

/** What was published of a layer before; of a release that is new, what is published of the model. */
async function past(
  gallery: GalleryFiles,
  { release }: PublishModel,
  { slug }: PublishLayer,
  folder: string,
  own: Manifest,
): Promise<Manifest & { readonly last: ReadonlyMap<number, KnownUnit> }> {
  if (release === undefined || own.layerSha256 !== '') {
    return { ...own, last: await lastUnits(gallery, folder, own.layerSha256) };
  }
  const newest = `${release.of}/${slug}`;
  const { units, sheets, layerSha256 } = await gallery.manifest(`${newest}.json`);
  return { units, sheets, layerSha256: '', last: await lastUnits(gallery, newest, layerSha256) };
}

/** Changes when the same units give another layer file. */
const layerForm = 2;

/** Changes with all besides the renderings that a layer's file is made from. */
function layerKey(
  { slug, content }: PublishModel,
  layer: PublishLayer,
  releases: readonly PublishModel[],
  renumbered: readonly Renumbered[],
): string {
  const shown = releases.map(({ release, layers }) => [
    release,
    layers.find((other) => other.slug === layer.slug)?.wanted,
  ]);
  return sha256(Buffer.from(JSON.stringify([layerForm, slug, content.classes, layer, shown, renumbered])));
}

/** What a layer's file says of releases; nothing where there are none. */
function releasesOf(
  releases: readonly PublishModel[],
  slug: string,
  published: readonly UnitRecord[],
): Pick<GalleryLayer, 'releases'> {
  const now = new Map(published.map(({ unit, fingerprint }) => [unit, fingerprint]));
  const told = releases.flatMap(({ release, layers }) => {
    const wanted = layers.find((layer) => layer.slug === slug)?.wanted;
    if (release === undefined || wanted === undefined) return [];
    const units = wanted.toSorted((a, b) => a.unit - b.unit);
    const same = units.filter(({ unit, fingerprint }) => now.get(unit) === fingerprint);
    const { name, releasedAt } = release;
    const [shown, alike] = [units, same].map((each) => runsOf(each.map(({ unit }) => unit)));
    return [{ name, releasedAt, units: shown ?? [], same: alike ?? [] }];
  });
  return told.length === 0 ? {} : { releases: told };
}

function latestOf(units: readonly UnitRecord[]): { latest?: string } {
  const latest = units.map(({ renderedAt }) => renderedAt).reduce((a, b) => (a > b ? a : b), '');
  return latest === '' ? {} : { latest };
}

/** `make` of each item, a few at once. After a failure or an abort no more begin, and those that run are awaited. */
async function eachOf<In, Out>(
  items: readonly In[],
  signal: AbortSignal,
  make: (item: In) => Promise<Out[]>,
): Promise<Out[]> {
  const limit = pLimit(unitsAtOnce);
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const results = await Promise.allSettled(
    items.map((item) =>
      limit(async () => {
        stop.throwIfAborted();
        return make(item).catch((error: unknown) => {
          failed.abort(error);
          throw error;
        });
      }),
    ),
  );
  stop.throwIfAborted();
  return results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
}

/** A slug that stays one part of a path; `@` is between a model and its release. @throws Error for any other: whoever made it has a defect. */
export function folderName(slug: string): string {
  if (!/^[a-z0-9_-][a-z0-9._@-]*$/i.test(slug)) {
    throw new Error(`Expected a slug of letters, digits, '-', '_' and '.', got '${slug}'`);
  }
  return slug;
}
