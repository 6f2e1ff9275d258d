/**
 * From the store to the gallery: content/gallery (what is known) and public/gallery (pictures). What the plan wants
 * and the store has is there afterwards, and nothing else. A file's name says what is in it: pictures are named by
 * their rendering's fingerprint, layers by their content. New files come beside the old ones, then the index is
 * replaced, in one step, then what nothing names any more is removed: whoever reads the index meanwhile is told of one
 * gallery or of the other, never of a mixture.
 */

import { join } from 'node:path';
import pLimit from 'p-limit';
import type { z } from 'zod';
import {
  type Changes,
  type GalleryChanges,
  type GalleryIndex,
  type GalleryLayer,
  type GalleryModel,
  galleryChanges,
  galleryIndex,
  galleryLayer,
  type ModelContent,
  type Renumbered,
  type UnitRecord,
  type Wall,
} from '../../content/schema.ts';
import { PhospheneError } from '../error.ts';
import type { PublishEvent } from '../events.ts';
import { disk, type Files, jsonOrUndefined, writeChanged } from '../files.ts';
import type { LayerKind } from '../network/network.ts';
import { encodePicture, encodeStrip } from '../picture/encode.ts';
import { runsOf } from '../runs.ts';
import type { Rendering, Store } from '../store/store.ts';
import { counted } from '../words.ts';
import { readAddressBook } from './address-book.ts';
import { type Settled, type ShownLayer, type ShownModel, settle } from './addresses.ts';
import { changedFingerprints, readChanges, shownChanges } from './changes.ts';
import { type LastPicture, lastFingerprints, notesOf, withLastFingerprints } from './gone.ts';
import { joined } from './joined.ts';
import { type Lock, type LockedModel, markOf, readLock, writeLock } from './lock.ts';
import {
  type Encoded,
  type indexManifest,
  type Made,
  type Manifest,
  manifestOf,
  readManifest,
  type Sheet,
  sha256,
  writeManifest,
} from './manifest.ts';
import { type ShownRecipe, shownRecipes } from './recipes.ts';
import { pictureFiles, type Recipe, recordOf, withClassName } from './record.ts';
import { samplesOf } from './samples.ts';
import { removeOthers } from './sweep.ts';
import { encodeSheet, sheetFile, sheetKey, sheetsOf, tileOf } from './wall.ts';

/** A model as the gallery shall show it: what the plan knows without rendering anything. */
export interface PublishModel {
  /** As in the address. */
  readonly slug: string;
  /** Only of a release. */
  readonly release?: NonNullable<GalleryModel['release']>;
  readonly content: ModelContent;
  /** Of the model file. */
  readonly sha256: string;
  readonly format: string;
  /** Trained numbers in the network. */
  readonly parameters: number;
  /** Null where the network takes any size. */
  readonly input: {
    readonly channels: number;
    readonly heightPx: number | null;
    readonly widthPx: number | null;
  };
  readonly layers: readonly PublishLayer[];
}

export interface PublishLayer {
  /** As in the address; no other layer of the model has it. */
  readonly slug: string;
  /** As in the model file; untrusted text. */
  readonly name: string;
  readonly kind: LayerKind;
  /** Place among the layers of the network, from 0. */
  readonly index: number;
  /** Units that the layer has. */
  readonly units: number;
  /** The size of the units' pictures. */
  readonly picture: { readonly heightPx: number; readonly widthPx: number };
  /** [channels, height, width] for such a picture, or [units]. */
  readonly output: readonly number[];
  /** Null: the whole input. */
  readonly receptiveFieldPx: number | null;
  /** Slugs of the shown layers that it takes its input from. */
  readonly inputs?: readonly string[];
  /** The units to show. */
  readonly wanted: readonly WantedUnit[];
}

export interface WantedUnit {
  readonly unit: number;
  /** Class name. */
  readonly label?: string;
  readonly fingerprint: string;
  /** sha256 in hex of the weights that are its own: what it is known by when units get other numbers. */
  readonly weights: string;
}

/** How addresses that were published once are kept alive. */
export interface Promises {
  /** ISO date. */
  readonly today: string;
  /** Models that are not among those to publish because their weights are not here, and why, as words. */
  readonly absent: ReadonlyMap<string, string>;
}

export interface PublishEffects {
  readonly store: Store;
  /** Holds `models/`; `gallery/` is written there. */
  readonly contentDir: string;
  /** Served as it is; `gallery/` is written there. */
  readonly publicDir: string;
  /** Stops between two units; what is there then is whole, but some of it may be of the last run. */
  readonly signal: AbortSignal;
  readonly files?: Files;
  /** Without them the gallery is only for looking at: no address is promised, and none that was is kept. */
  readonly promises?: Promises;
  emit(event: PublishEvent): void;
}

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

export const indexFile = 'index.json';
/** Pictures of units that are gone, and of pages of changes, are in no layer's manifest: these are theirs. */
export const goneFile = 'gone.json';
export const changesFile = 'changes.json';

/** Units worked on at once: keeps the encoder's threads busy; memory stays a few strips. */
const unitsAtOnce = 4;

/** What is encoded is noted this often, so that little is encoded again after an interruption. */
const unitsBetweenNotes = 128;

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
  const compared = await readChanges(effects.files ?? disk, effects.contentDir);
  const settled = await run.settle(models, compared);
  effects.emit({ kind: 'publishing', units: wanted.reduce((sum, units) => sum + units, 0) });
  const published: GalleryModel[] = [];
  // Releases come last: what they share with the newest gallery is there then.
  const ordered = models.toSorted(
    (a, b) => Number(a.release !== undefined) - Number(b.release !== undefined),
  );
  for (const model of ordered) {
    const releases = models.filter(({ release }) => release?.of === model.slug);
    const made = await run.model(model, releases, settled?.lock.models.get(model.slug));
    if (made.layers.length > 0) {
      published.push(made);
      continue;
    }
    effects.emit({ kind: 'left-out', models: [model.slug], reason: 'none of its units is rendered yet' });
  }
  const kept = settled && (await run.keepPromises(settled));
  const { true: releases = [], false: newest = [] } = Object.groupBy(
    published,
    ({ release }) => `${release !== undefined}`,
  );
  await run.writeIndex({
    version: 1,
    models: newest,
    ...(releases.length === 0 ? {} : { releases }),
    ...(await run.changes(compared)),
    ...kept?.addresses,
    recipes: run.recipes(),
  });
  if (kept !== undefined) await writeLock(effects.files ?? disk, effects.contentDir, kept.lock);
  await run.sweep();
  return {
    ...run.summary(),
    models: newest.length,
    layers: published.reduce((sum, model) => sum + model.layers.length, 0),
    seconds: (performance.now() - started) / 1000,
  };
}

class PublishRun {
  readonly #effects: PublishEffects;
  readonly #files: Files;
  readonly #contentGallery: string;
  readonly #publicGallery: string;
  /** Paths below the two galleries that something refers to. */
  readonly #content = new Set<string>();
  readonly #public = new Set<string>();
  /** Fingerprints that the store was found to have. */
  readonly #found = new Set<string>();
  /** Units by the name of their recipe. */
  readonly #recipes = new Map<string, number>();
  readonly #counts = {
    total: 0,
    missing: 0,
    damaged: 0,
    dead: 0,
    encoded: 0,
    kept: 0,
    written: 0,
    removed: 0,
  };

  constructor(effects: PublishEffects) {
    this.#effects = effects;
    this.#files = effects.files ?? disk;
    this.#contentGallery = join(effects.contentDir, 'gallery');
    this.#publicGallery = join(effects.publicDir, 'gallery');
  }

  /** Those that come with the project, with the number of units that each made. */
  recipes(): ShownRecipe[] {
    return shownRecipes(this.#recipes);
  }

  summary(): Pick<PublishSummary, 'units' | 'pictures' | 'files'> {
    const { total, missing, damaged, dead, encoded, kept, written, removed } = this.#counts;
    return {
      units: { total, published: encoded + kept, missing, damaged, dead },
      pictures: { encoded, kept },
      files: { written, removed },
    };
  }

  /** What becomes of all addresses that were published once; undefined where none are promised. */
  async settle(
    models: readonly PublishModel[],
    compared: ReadonlyMap<string, Changes>,
  ): Promise<Settled | undefined> {
    const { promises, contentDir } = this.#effects;
    if (promises === undefined) return undefined;
    const shown: ShownModel[] = [];
    for (const { slug, content, layers } of models) {
      const shownLayers: ShownLayer[] = [];
      for (const { slug: layer, name, wanted } of layers) {
        const there = await this.#inStore(wanted);
        const [rendered, missing] = [new Map<number, string>(), new Set<number>()];
        for (const { unit, weights, fingerprint } of wanted) {
          if (there.has(fingerprint)) rendered.set(unit, markOf(weights));
          else missing.add(unit);
        }
        shownLayers.push({ slug: layer, name, units: rendered, missing });
      }
      shown.push({ slug, title: content.title, layers: shownLayers });
    }
    const lock = await readLock(this.#files, contentDir);
    const book = await readAddressBook(this.#files, contentDir);
    const changes = new Map([...compared].map(([name, page]) => [name, shownChanges(page)]));
    const settled = settle(lock, { models: shown, changes }, book, { contentDir, ...promises });
    for (const { slug, layers } of shown) {
      for (const { slug: layer, name } of layers) {
        const known = settled.lock.models.get(slug)?.layers.get(layer)?.renumbered ?? [];
        const before = lock.models.get(slug)?.layers.get(layer)?.renumbered.length ?? 0;
        const units = known.slice(before).filter(({ now }) => now !== null).length;
        if (units > 0) this.#effects.emit({ kind: 'renumbered', model: slug, layer: name, units });
      }
    }
    return settled;
  }

  /**
   * The lock as it is to be written, and what the index says of addresses that lead elsewhere or to a note.
   * @throws PhospheneError where a unit that was to be shown turned out to be damaged.
   */
  async keepPromises(settled: Settled): Promise<{
    readonly lock: Lock;
    readonly addresses: Pick<GalleryIndex, 'moved' | 'gone'>;
  }> {
    const { damaged } = this.#counts;
    if (damaged > 0) {
      throw new PhospheneError(
        `${counted(damaged, 'rendering')} that the gallery shows turned out to be damaged and went from the store; the gallery stays as it was: run phosphene render, then publish again`,
      );
    }
    const { store, promises } = this.#effects;
    const before = await this.#lastIndex();
    const lock = await withLastFingerprints(settled.lock, (...at) => this.#lastShown(before, ...at), store);
    const known = (before?.gone ?? []).flatMap(({ picture }) => picture ?? []);
    const pictures = await this.#pictures(goneFile, lastFingerprints(lock), known);
    const gone = notesOf(settled, lock, pictures, promises?.today ?? '');
    const { moved } = settled;
    return {
      lock,
      addresses: {
        ...(moved.length === 0 ? {} : { moved: [...moved] }),
        ...(gone.length === 0 ? {} : { gone }),
      },
    };
  }

  /** Pages of what changed, each with the pictures of its most changed units. */
  async changes(all: ReadonlyMap<string, Changes>): Promise<Pick<GalleryIndex, 'changes'>> {
    if (all.size === 0) return {};
    const before = await this.#lastIndex();
    const known: Omit<LastPicture, 'strip'>[] = [];
    for (const { file } of before?.changes ?? []) {
      const read = await this.#lastFile(galleryChanges, file);
      known.push(...Object.values(read?.pictures ?? {}));
    }
    const pictures = await this.#pictures(changesFile, changedFingerprints(all.values()), known);
    const told: NonNullable<GalleryIndex['changes']> = [];
    for (const [name, found] of all) {
      const own = changedFingerprints([found]).flatMap((fingerprint) => {
        const picture = pictures.get(fingerprint);
        if (picture === undefined) return [];
        const { strip: _, ...shown } = picture;
        return [[fingerprint, shown] as const];
      });
      const page = { ...found, pictures: Object.fromEntries(own) };
      const { model, madeAt, before, after } = found;
      const { name: file } = await this.#writeNamed(`changes/${name}`, page);
      told.push({ name, model, madeAt, before, after, file });
    }
    return { changes: told };
  }

  #lastIndex(): Promise<GalleryIndex | undefined> {
    return this.#lastFile(galleryIndex, indexFile);
  }

  /** A file below content/gallery as it lies there; undefined where it cannot be read, or has not today's form. */
  async #lastFile<T>(schema: z.ZodType<T>, file: string): Promise<T | undefined> {
    const bytes = await this.#files.read(join(this.#contentGallery, file)).catch(() => undefined);
    return schema.safeParse(jsonOrUndefined(bytes?.toString('utf8') ?? '')).data;
  }

  /** Fingerprints by unit, as the last gallery showed them. */
  async #lastShown(
    before: GalleryIndex | undefined,
    model: string,
    layer: string,
  ): Promise<ReadonlyMap<number, string>> {
    const known = before?.models.find(({ slug }) => slug === model);
    const file = known?.layers.find(({ slug }) => slug === layer)?.file;
    if (file === undefined) return new Map();
    const read = await this.#lastFile(galleryLayer, file);
    return new Map(read?.units.map(({ unit, fingerprint }) => [unit, fingerprint]));
  }

  /** Pictures of these renderings by fingerprint, made where they are not in place; none of those that are lost. */
  async #pictures(
    manifest: string,
    fingerprints: readonly string[],
    before: readonly Omit<LastPicture, 'strip'>[],
  ): Promise<ReadonlyMap<string, LastPicture>> {
    const path = join(this.#contentGallery, manifestOf(manifest));
    const known = [...(await readManifest(this.#files, path)).units.values()];
    const pictures = new Map<string, LastPicture>();
    const done = new Map<number, Encoded>();
    for (const fingerprint of fingerprints) {
      this.#effects.signal.throwIfAborted();
      const { image, strip } = pictureFiles(fingerprint);
      const last = before.find(({ file }) => file === image);
      let encoded = known.find((each) => each.fingerprint === fingerprint);
      let picture = last && { ...last, strip };
      if (encoded === undefined || picture === undefined || !this.#inPlace(encoded)) {
        const rendering = await this.#effects.store.read(fingerprint);
        if (rendering === undefined) continue;
        encoded = await this.#encode(rendering, recordOf(0, rendering));
        picture = { file: image, strip, widthPx: rendering.widthPx, heightPx: rendering.heightPx };
      }
      pictures.set(fingerprint, picture);
      done.set(done.size, encoded);
      this.#public.add(image).add(strip);
    }
    if (done.size > 0) {
      await writeManifest(this.#files, path, { units: done, sheets: [], layerSha256: '' });
      this.#content.add(manifestOf(manifest));
    }
    return pictures;
  }

  /**
   * A model with the layers that have pictures.
   * @param releases Those of the model.
   * @param locked What is known of its addresses.
   */
  async model(
    model: PublishModel,
    releases: readonly PublishModel[],
    locked?: LockedModel,
  ): Promise<GalleryModel> {
    const { title, summary, source, licence, classes, input } = model.content;
    const layers: GalleryLayer['layer'][] = [];
    for (const layer of model.layers) {
      const renumbered = locked?.layers.get(layer.slug)?.renumbered ?? [];
      const shown = await this.#layer(model, layer, releases, renumbered);
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

  /** Undefined, and nothing written, where no picture is there. */
  async #layer(
    model: PublishModel,
    layer: PublishLayer,
    releases: readonly PublishModel[],
    renumbered: readonly Renumbered[],
  ): Promise<GalleryLayer['layer'] | undefined> {
    const folder = `${folderName(model.slug)}/${folderName(layer.slug)}`;
    const manifestFile = manifestOf(`${folder}.json`);
    const manifestPath = join(this.#contentGallery, manifestFile);
    const wanted = [...layer.wanted].sort((a, b) => a.unit - b.unit);
    this.#counts.total += wanted.length;

    const key = layerKey(model, layer, releases, renumbered);
    const there = await this.#inStore(wanted);
    const own = await readManifest(this.#files, manifestPath);
    if (own.made?.key === key && there.size === wanted.length) {
      if (await this.#isAsMade(folder, own, wanted)) return this.#keep(model, layer, folder, own, own.made);
    }
    const { units: encoded, sheets, layerSha256, last } = await this.#past(model, layer, folder, own);
    const done = new Map<number, Encoded>();
    for (const { unit, fingerprint } of wanted) {
      const entry = encoded.get(unit);
      if (entry?.fingerprint === fingerprint && this.#inPlace(entry)) done.set(unit, entry);
    }
    let unwritten = 0;
    const recipes: Record<string, Record<string, unknown>> = {};
    const published = await eachOf(wanted, this.#effects.signal, async (each) => {
      const isNew = !done.has(each.unit);
      const made = await this.#unit(model, layer, each, there, done.get(each.unit), last);
      if (made === undefined) {
        done.delete(each.unit);
        return [];
      }
      recipes[made.record.recipe] = { ...made.recipe };
      done.set(each.unit, made.encoded);
      if (isNew && ++unwritten % unitsBetweenNotes === 0) {
        await writeManifest(this.#files, manifestPath, { units: done, sheets, layerSha256 });
      }
      const measures = withClassName(made.record.measures, model.content.classes);
      return [{ ...made.record, measures, ...(each.label === undefined ? {} : { label: each.label }) }];
    });

    if (published.length === 0) return undefined;
    this.#content.add(manifestFile);

    const dead = published.filter(({ measures }) => measures.dead).length;
    this.#counts.dead += dead;
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
    if (model.release === undefined) this.#countRecipes(byRecipe);
    const wall = await this.#wall(published, sheets);
    const file = await this.#writeNamed(folder, {
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
    if (await writeManifest(this.#files, manifestPath, manifest)) this.#counts.written++;
    return { ...described, file: file.name };
  }

  /** Of these units the fingerprints that the store has; each is looked for once. */
  async #inStore(wanted: readonly WantedUnit[]): Promise<ReadonlySet<string>> {
    const open = wanted.map(({ fingerprint }) => fingerprint).filter((each) => !this.#found.has(each));
    for (const each of await this.#effects.store.hasAll(open)) this.#found.add(each);
    return new Set(wanted.map(({ fingerprint }) => fingerprint).filter((each) => this.#found.has(each)));
  }

  /** Whether all that was made for a layer is in place, for these units and no others. */
  async #isAsMade(folder: string, manifest: Manifest, wanted: readonly WantedUnit[]): Promise<boolean> {
    const { units, sheets, layerSha256 } = manifest;
    const isInPlace = (encoded: Encoded | undefined, fingerprint: string): boolean =>
      encoded?.fingerprint === fingerprint && this.#inPlace(encoded);
    if (units.size !== wanted.length) return false;
    if (!wanted.every(({ unit, fingerprint }) => isInPlace(units.get(unit), fingerprint))) return false;
    const areSheets = sheets.every(
      ({ key, bytes }) => this.#files.size(join(this.#publicGallery, sheetFile(key))) === bytes,
    );
    const path = join(this.#contentGallery, namedBy(folder, layerSha256));
    const layer = areSheets ? await this.#files.read(path).catch(() => undefined) : undefined;
    return layer !== undefined && sha256(layer) === layerSha256;
  }

  /** Takes over a layer as it was made, without looking into it. */
  #keep(
    model: PublishModel,
    layer: PublishLayer,
    folder: string,
    { units, sheets, layerSha256 }: Manifest,
    { described, recipes }: Made,
  ): GalleryLayer['layer'] {
    const file = namedBy(folder, layerSha256);
    this.#content.add(file).add(manifestOf(`${folder}.json`));
    for (const { key } of sheets) this.#public.add(sheetFile(key));
    for (const [unit, { fingerprint }] of units) {
      const { image, strip } = pictureFiles(fingerprint);
      this.#public.add(image).add(strip);
      this.#effects.emit({ kind: 'published', model: model.slug, layer: layer.name, unit, encoded: false });
    }
    this.#counts.kept += units.size;
    this.#counts.dead += described.dead;
    if (model.release === undefined) this.#countRecipes(recipes);
    return { ...described, file };
  }

  #countRecipes(units: Readonly<Record<string, number>>): void {
    for (const [name, count] of Object.entries(units)) {
      this.#recipes.set(name, (this.#recipes.get(name) ?? 0) + count);
    }
  }

  /** What was published of a layer before; of a release that is new, what is published of the model. */
  async #past(
    { release }: PublishModel,
    { slug }: PublishLayer,
    folder: string,
    own: Manifest,
  ): Promise<Manifest & { readonly last: ReadonlyMap<number, KnownUnit> }> {
    const manifestOfFolder = (name: string): Promise<Manifest> =>
      readManifest(this.#files, join(this.#contentGallery, manifestOf(`${name}.json`)));
    if (release === undefined || own.layerSha256 !== '') {
      return { ...own, last: await this.#lastLayer(folder, own.layerSha256) };
    }
    const newest = `${release.of}/${slug}`;
    const { units, sheets, layerSha256 } = await manifestOfFolder(newest);
    return { units, sheets, layerSha256: '', last: await this.#lastLayer(newest, layerSha256) };
  }

  async #unit(
    model: PublishModel,
    layer: PublishLayer,
    { unit, fingerprint }: WantedUnit,
    there: ReadonlySet<string>,
    known: Encoded | undefined,
    last: ReadonlyMap<number, KnownUnit>,
  ): Promise<PublishedUnit | undefined> {
    const { store } = this.#effects;
    const where = { model: model.slug, layer: layer.name, unit };
    if (!there.has(fingerprint)) {
      this.#counts.missing++;
      this.#effects.emit({ kind: 'unpublished', ...where, reason: 'missing' });
      return undefined;
    }
    const before = last.get(unit);
    const isKept = known !== undefined && before?.record.fingerprint === fingerprint;
    const made = isKept ? { ...before, encoded: known } : await this.#made(unit, fingerprint, known);
    if (made === undefined) {
      this.#counts.damaged++;
      await store.remove(fingerprint);
      this.#found.delete(fingerprint);
      this.#effects.emit({ kind: 'unpublished', ...where, reason: 'damaged' });
      return undefined;
    }
    this.#counts[known === undefined ? 'encoded' : 'kept']++;
    this.#public.add(made.record.image.file).add(made.record.strip.file);
    this.#effects.emit({ kind: 'published', ...where, encoded: known === undefined });
    return made;
  }

  /** A unit from its rendering, with its pictures where they are not `known` to be in place; undefined for a damaged one. */
  async #made(
    unit: number,
    fingerprint: string,
    known: Encoded | undefined,
  ): Promise<PublishedUnit | undefined> {
    const rendering = await this.#effects.store.read(fingerprint);
    if (rendering === undefined) return undefined;
    const record = recordOf(unit, rendering);
    return {
      record,
      recipe: rendering.recipe,
      encoded: known ?? (await this.#encode(rendering, record)),
    };
  }

  async #encode(rendering: Rendering, { image, strip, fingerprint }: UnitRecord): Promise<Encoded> {
    const frames = rendering.frames.map(({ pixels }) => ({ ...rendering, pixels }));
    const sheet = await encodeStrip(frames);
    const picture = await encodePicture(frames.at(-1) as (typeof frames)[number]);
    await this.#write(join(this.#publicGallery, image.file), picture);
    await this.#write(join(this.#publicGallery, strip.file), sheet);
    return {
      fingerprint,
      imageBytes: picture.length,
      stripBytes: sheet.length,
      imageSha256: sha256(picture),
      stripSha256: sha256(sheet),
    };
  }

  /** Makes the sheets whose units changed, from the pictures as they were published. */
  async #wall(
    units: readonly UnitRecord[],
    known: readonly Sheet[],
  ): Promise<{ readonly described?: Wall; readonly sheets: readonly Sheet[] }> {
    const blocks = sheetsOf(units);
    const [first] = blocks[0] ?? [];
    if (first === undefined) return { sheets: [] };
    const tile = tileOf(first.image);
    const files: string[] = [];
    const sheets: Sheet[] = [];
    for (const block of blocks) {
      this.#effects.signal.throwIfAborted();
      const key = sheetKey(block);
      const file = sheetFile(key);
      const path = join(this.#publicGallery, file);
      files.push(file);
      this.#public.add(file);
      const before = known.find((sheet) => sheet.key === key);
      if (before !== undefined && (await this.#files.info(path))?.bytes === before.bytes) {
        sheets.push(before);
        continue;
      }
      const pictures = await Promise.all(
        block.map(({ image }) => this.#files.read(join(this.#publicGallery, image.file))),
      );
      const bytes = await encodeSheet(pictures, tile);
      await this.#write(path, bytes);
      sheets.push({ key, bytes: bytes.length, sha256: sha256(bytes) });
    }
    return { described: { tile, files }, sheets };
  }

  /** Whether both pictures of a unit lie where they belong, in the size that they were written in. */
  #inPlace({ fingerprint, imageBytes, stripBytes }: Encoded): boolean {
    const { image, strip } = pictureFiles(fingerprint);
    const sizeOf = (file: string): number | undefined => this.#files.size(join(this.#publicGallery, file));
    return sizeOf(image) === imageBytes && sizeOf(strip) === stripBytes;
  }

  /** What the last run published of a layer; nothing where that is damaged or not to be had in today's form. */
  async #lastLayer(folder: string, expected: string): Promise<Map<number, KnownUnit>> {
    const path = join(this.#contentGallery, namedBy(folder, expected));
    const bytes = await this.#files.read(path).catch(() => undefined);
    if (bytes === undefined || sha256(bytes) !== expected) return new Map();
    const parsed = galleryLayer.safeParse(jsonOrUndefined(bytes.toString('utf8')));
    if (!parsed.success) return new Map();
    const { recipes, units } = parsed.data;
    return new Map(
      units.flatMap(({ label: _, ...record }) => {
        const recipe = recipes[record.recipe];
        return recipe === undefined ? [] : [[record.unit, { record, recipe }]];
      }),
    );
  }

  /** Writes a layer below content/gallery, under a name that tells its content. */
  async #writeNamed(
    folder: string,
    layer: GalleryLayer | GalleryChanges,
  ): Promise<{ name: string; sha256: string }> {
    const bytes = Buffer.from(`${JSON.stringify(layer)}\n`);
    const sum = sha256(bytes);
    const name = namedBy(folder, sum);
    this.#content.add(name);
    await this.#write(join(this.#contentGallery, name), bytes);
    return { name, sha256: sum };
  }

  /** Switches from the last gallery to this one. */
  async writeIndex(index: GalleryIndex): Promise<void> {
    const bytes = Buffer.from(`${JSON.stringify(index)}\n`);
    await this.#write(join(this.#contentGallery, indexFile), bytes);
    const sum = { sha256: sha256(bytes) } satisfies z.infer<typeof indexManifest>;
    const manifest = Buffer.from(`${JSON.stringify(sum)}\n`);
    await this.#write(join(this.#contentGallery, manifestOf(indexFile)), manifest);
    this.#content.add(indexFile).add(manifestOf(indexFile));
  }

  async #write(path: string, bytes: Uint8Array): Promise<void> {
    if (await writeChanged(this.#files, path, bytes)) this.#counts.written++;
  }

  async sweep(): Promise<void> {
    this.#effects.signal.throwIfAborted();
    this.#counts.removed += await removeOthers(this.#files, this.#contentGallery, this.#content);
    this.#counts.removed += await removeOthers(this.#files, this.#publicGallery, this.#public);
  }
}

/** A unit as a layer file holds it, its label apart: that is the plan's to say. */
interface KnownUnit {
  readonly record: UnitRecord;
  readonly recipe: Recipe;
}

interface PublishedUnit extends KnownUnit {
  readonly encoded: Encoded;
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
function folderName(slug: string): string {
  if (!/^[a-z0-9_-][a-z0-9._@-]*$/i.test(slug)) {
    throw new Error(`Expected a slug of letters, digits, '-', '_' and '.', got '${slug}'`);
  }
  return slug;
}

/** A file's name below content/gallery that tells its content. */
export const namedBy = (path: string, sum: string): string => `${path}.${sum.slice(0, 12)}.json`;
