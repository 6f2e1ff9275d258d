/**
 * From the store to the gallery: content/gallery (what is known) and public/gallery (pictures). What the plan wants
 * and the store has is there afterwards, and nothing else. Pictures come first, then the layers that name them, then
 * the index that names the layers, then what nothing names any more is removed: whoever reads meanwhile finds every
 * file that he is told of.
 */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import canonicalize from 'canonicalize';
import pLimit from 'p-limit';
import { z } from 'zod';
import {
  type GalleryIndex,
  type GalleryLayer,
  type GalleryModel,
  galleryLayer,
  type Measures,
  type ModelContent,
  type UnitRecord,
  type Wall,
} from '../../content/schema.ts';
import type { PublishEvent } from '../events.ts';
import { disk, type Files, jsonOrUndefined, writeChanged } from '../files.ts';
import type { Format, LayerKind } from '../network/network.ts';
import { encodePicture, encodeStrip } from '../picture/encode.ts';
import type { Rendering, Store } from '../store/store.ts';
import { thinned } from './curve.ts';
import {
  type Encoded,
  type indexManifest,
  manifestOf,
  readManifest,
  type Sheet,
  sha256,
  writeManifest,
} from './manifest.ts';
import { type ShownRecipe, shownRecipes } from './recipes.ts';
import { samplesOf } from './samples.ts';
import { removeOthers } from './sweep.ts';
import { encodeSheet, sheetKey, sheetsOf, tileOf } from './wall.ts';

/** A model as the gallery shall show it: what the plan knows without rendering anything. */
export interface PublishModel {
  /** As in the address. */
  readonly slug: string;
  readonly content: ModelContent;
  /** Of the model file. */
  readonly sha256: string;
  readonly format: Format;
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

/** Units worked on at once: keeps the encoder's threads busy; memory stays a few strips. */
const unitsAtOnce = 4;

/**
 * Publishes these models and no others.
 * @throws PhospheneError where a folder cannot be written or the disk is full.
 * @throws the signal's reason when it is aborted.
 */
export async function publish(
  models: readonly PublishModel[],
  effects: PublishEffects,
): Promise<PublishSummary> {
  const started = performance.now();
  const run = new PublishRun(effects);
  const layers = models.flatMap((model) => model.layers.map((layer) => layer.wanted.length));
  effects.emit({ kind: 'publishing', units: layers.reduce((sum, units) => sum + units, 0) });
  const published: GalleryModel[] = [];
  for (const model of models) published.push(await run.model(model));
  const index: GalleryIndex = { version: 1, models: published, recipes: run.recipes() };
  const written = await run.writeJson(indexFile, index);
  await run.writeJson(manifestOf(indexFile), { sha256: written });
  await run.sweep();
  return {
    ...run.summary(),
    models: models.length,
    layers: layers.length,
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

  async model(model: PublishModel): Promise<GalleryModel> {
    const { title, summary, source, licence, classes, input } = model.content;
    const layers: GalleryLayer['layer'][] = [];
    for (const layer of model.layers) layers.push(await this.#layer(model, layer));
    return {
      slug: pathPart(model.slug),
      title,
      ...(summary === undefined ? {} : { summary }),
      ...(source === undefined ? {} : { source }),
      ...(licence === undefined ? {} : { licence }),
      sha256: model.sha256,
      format: model.format,
      parameters: model.parameters,
      input: { ...model.input, scaling: input.scaling },
      ...(classes === undefined ? {} : { classes }),
      layers,
    };
  }

  async #layer(model: PublishModel, layer: PublishLayer): Promise<GalleryLayer['layer']> {
    const folder = `${pathPart(model.slug)}/${pathPart(layer.slug)}`;
    const manifestFile = manifestOf(`${folder}.json`);
    const manifestPath = join(this.#contentGallery, manifestFile);
    const wanted = [...layer.wanted].sort((a, b) => a.unit - b.unit);

    const { units: encoded, sheets, layerSha256 } = await readManifest(this.#files, manifestPath);
    const last = await this.#lastLayer(`${folder}.json`, layerSha256);
    const known = new Map<number, Encoded>();
    for (const { unit, fingerprint } of wanted) {
      const entry = encoded.get(unit);
      const fits = entry?.fingerprint === fingerprint && (await this.#inPlace(folder, unit, entry));
      if (fits) known.set(unit, entry);
    }
    // The manifest must never promise a picture that is about to be replaced.
    if (known.size < encoded.size)
      await writeManifest(this.#files, manifestPath, { units: known, sheets, layerSha256 });

    const done = new Map<number, Encoded>();
    const recipes: Record<string, Record<string, unknown>> = {};
    const published = await eachOf(wanted, this.#effects.signal, async (each) => {
      const made = await this.#unit(model, layer, folder, each, known.get(each.unit), last);
      if (made === undefined) return [];
      recipes[made.record.recipe] = { ...made.recipe };
      done.set(each.unit, made.encoded);
      const measures = withClassName(made.record.measures, model.content.classes);
      return [{ ...made.record, measures, ...(each.label === undefined ? {} : { label: each.label }) }];
    });

    const dead = published.filter(({ measures }) => measures.dead).length;
    this.#counts.total += wanted.length;
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
      samples: samplesOf(published),
    };
    for (const { recipe } of published) {
      const name = String(recipes[recipe]?.['name'] ?? '');
      this.#recipes.set(name, (this.#recipes.get(name) ?? 0) + 1);
    }
    const wall = await this.#wall(folder, published, sheets, () =>
      writeManifest(this.#files, manifestPath, { units: done, sheets: [], layerSha256 }),
    );
    const written = await this.writeJson(`${folder}.json`, {
      version: 1,
      model: model.slug,
      layer: described,
      recipes: Object.fromEntries(Object.entries(recipes).sort(([a], [b]) => (a < b ? -1 : 1))),
      ...(wall.described === undefined ? {} : { wall: wall.described }),
      units: published,
    } satisfies GalleryLayer);
    const manifest = { units: done, sheets: wall.sheets, layerSha256: written };
    if (await writeManifest(this.#files, manifestPath, manifest)) this.#counts.written++;
    this.#content.add(manifestFile);
    return described;
  }

  async #unit(
    model: PublishModel,
    layer: PublishLayer,
    folder: string,
    { unit, fingerprint }: WantedUnit,
    encoded: Encoded | undefined,
    last: ReadonlyMap<number, KnownUnit>,
  ): Promise<PublishedUnit | undefined> {
    const { store } = this.#effects;
    const where = { model: model.slug, layer: layer.name, unit };
    const image = `${folder}/${unit}.webp`;
    const strip = `${folder}/${unit}.strip.webp`;
    const refer = (): void => {
      this.#public.add(image).add(strip);
    };
    if (!(await store.has(fingerprint))) {
      this.#counts.missing++;
      this.#effects.emit({ kind: 'unpublished', ...where, reason: 'missing' });
      return undefined;
    }
    const before = last.get(unit);
    if (encoded !== undefined && before?.record.fingerprint === fingerprint) {
      this.#counts.kept++;
      refer();
      this.#effects.emit({ kind: 'published', ...where, encoded: false });
      return { ...before, encoded };
    }
    const rendering = await store.read(fingerprint);
    const frames = rendering?.frames.map(({ pixels }) => ({ ...rendering, pixels }));
    const finished = frames?.at(-1);
    if (rendering === undefined || frames === undefined || finished === undefined) {
      this.#counts.damaged++;
      await store.remove(fingerprint);
      this.#effects.emit({ kind: 'unpublished', ...where, reason: 'damaged' });
      return undefined;
    }
    const sheet = await encodeStrip(frames);
    const picture = await encodePicture(finished);
    await this.#write(join(this.#publicGallery, image), picture);
    await this.#write(join(this.#publicGallery, strip), sheet.bytes);
    this.#counts.encoded++;
    refer();
    this.#effects.emit({ kind: 'published', ...where, encoded: true });
    return {
      record: recordOf(unit, rendering, { image, strip }, sheet.frames),
      recipe: rendering.recipe,
      encoded: {
        fingerprint,
        imageBytes: picture.length,
        stripBytes: sheet.bytes.length,
        imageSha256: sha256(picture),
        stripSha256: sha256(sheet.bytes),
      },
    };
  }

  /** Makes the sheets whose units changed, from the pictures as they were published; `forget`s the known ones first. */
  async #wall(
    folder: string,
    units: readonly UnitRecord[],
    known: readonly Sheet[],
    forget: () => Promise<unknown>,
  ): Promise<{ readonly described?: Wall; readonly sheets: readonly Sheet[] }> {
    const blocks = sheetsOf(units);
    const [first] = blocks[0] ?? [];
    if (first === undefined) return { sheets: [] };
    const tile = tileOf(first.image);
    const files = blocks.map((_, place) => `${folder}/wall-${place}.webp`);
    const sheets = [];
    for (const [place, block] of blocks.entries()) {
      this.#effects.signal.throwIfAborted();
      const path = join(this.#publicGallery, files[place] ?? '');
      const key = sheetKey(block);
      const before = known[place];
      this.#public.add(files[place] ?? '');
      if (before?.key === key && (await this.#files.info(path))?.bytes === before.bytes) {
        sheets.push(before);
        continue;
      }
      // As with pictures: the manifest must never promise a sheet that is about to be replaced.
      if (before !== undefined) await forget();
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
  async #inPlace(folder: string, unit: number, { imageBytes, stripBytes }: Encoded): Promise<boolean> {
    const [image, strip] = await Promise.all(
      [`${unit}.webp`, `${unit}.strip.webp`].map((name) =>
        this.#files.info(join(this.#publicGallery, folder, name)),
      ),
    );
    return image?.bytes === imageBytes && strip?.bytes === stripBytes;
  }

  /** What the last run published of a layer; nothing where that is damaged or not to be had in today's form. */
  async #lastLayer(file: string, expected: string): Promise<Map<number, KnownUnit>> {
    const bytes = await this.#files.read(join(this.#contentGallery, file)).catch(() => undefined);
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

  /** Writes a file below content/gallery. Returns its sha256. */
  async writeJson(
    file: string,
    value: GalleryIndex | GalleryLayer | z.infer<typeof indexManifest>,
  ): Promise<string> {
    this.#content.add(file);
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    await this.#write(join(this.#contentGallery, file), bytes);
    return sha256(bytes);
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

type Recipe = Readonly<Record<string, unknown>>;

/** A unit as a layer file holds it, its label apart: that is the plan's to say. */
interface KnownUnit {
  readonly record: UnitRecord;
  readonly recipe: Recipe;
}

interface PublishedUnit extends KnownUnit {
  readonly encoded: Encoded;
}

/** Class names are the content file's to say, today's and not those of the day when the unit was rendered. */
function withClassName(
  { prediction, ...measures }: Measures,
  classes: readonly string[] | undefined,
): Measures {
  if (prediction === undefined) return measures;
  const { label: _, ...seen } = prediction;
  const label = classes?.[seen.unit];
  return { ...measures, prediction: label === undefined ? seen : { ...seen, label } };
}

/** Ascending numbers as runs: 0, 1, 2, 5 are [0, 2] and [5, 5]. */
function runsOf(units: readonly number[]): [number, number][] {
  const runs: [number, number][] = [];
  for (const unit of units) {
    const last = runs.at(-1);
    if (last?.[1] === unit - 1) last[1] = unit;
    else runs.push([unit, unit]);
  }
  return runs;
}

function latestOf(units: readonly UnitRecord[]): { latest?: string } {
  const latest = units.map(({ renderedAt }) => renderedAt).reduce((a, b) => (a > b ? a : b), '');
  return latest === '' ? {} : { latest };
}

function recordOf(
  unit: number,
  rendering: Rendering,
  files: { readonly image: string; readonly strip: string },
  frames: readonly number[],
): UnitRecord {
  const { widthPx, heightPx, seed, measures, fingerprint, engine, device, seconds, renderedAt } = rendering;
  const { kind, of } = z
    .object({ kind: z.string(), of: z.string().optional() })
    .catch({ kind: 'unknown' })
    .parse(rendering.recipe['objective']);
  return {
    unit,
    image: { file: files.image, widthPx, heightPx },
    strip: {
      file: files.strip,
      frames: frames.flatMap((index) => {
        const frame = rendering.frames[index];
        return frame === undefined ? [] : [{ step: frame.step, objective: frame.objective }];
      }),
    },
    recipe: recipeKey(rendering.recipe),
    seed,
    objective: { name: of === undefined ? kind : `${kind} ${of}`, curve: thinned(rendering.curve) },
    measures,
    fingerprint,
    engine,
    device,
    seconds,
    renderedAt,
  };
}

/** The same for equal recipes, whatever the order of their fields. */
function recipeKey(recipe: Recipe): string {
  return createHash('sha256')
    .update(canonicalize(recipe) ?? '')
    .digest('hex')
    .slice(0, 8);
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

/** A slug that stays one part of a path. @throws Error for any other: whoever made it has a defect. */
function pathPart(slug: string): string {
  if (!/^[a-z0-9_-][a-z0-9._-]*$/i.test(slug)) {
    throw new Error(`Expected a slug of letters, digits, '-', '_' and '.', got '${slug}'`);
  }
  return slug;
}
