/** Units of a layer from their renderings, and from what the last run published of them. */

import { galleryLayer, type UnitRecord } from '../../content/schema.ts';
import { jsonOrUndefined } from '../files.ts';
import { type GalleryFiles, namedBy } from './gallery-files.ts';
import { type Encoded, sha256 } from './manifest.ts';
import { encodePictures } from './pictures.ts';
import { type Recipe, recordOf } from './record.ts';
import type { PublishRun } from './run.ts';
import type { PublishLayer, PublishModel, WantedUnit } from './wanted.ts';

/** A unit as a layer file holds it, its label apart: that is the plan's to say. */
export interface KnownUnit {
  readonly record: UnitRecord;
  readonly recipe: Recipe;
}

export interface PublishedUnit extends KnownUnit {
  readonly encoded: Encoded;
}

/** What the last run published of a layer; nothing where that is damaged or not to be had in today's form. */
export async function lastUnits(
  gallery: GalleryFiles,
  folder: string,
  expected: string,
): Promise<ReadonlyMap<number, KnownUnit>> {
  const bytes = await gallery.bytes(namedBy(folder, expected));
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

/**
 * Publishes a unit; undefined where its rendering is missing or damaged.
 * @param there Fingerprints that the store has.
 * @param known The unit's pictures, where they are in place.
 */
export async function publishUnit(
  run: PublishRun,
  model: PublishModel,
  layer: PublishLayer,
  { unit, fingerprint }: WantedUnit,
  there: ReadonlySet<string>,
  known: Encoded | undefined,
  last: ReadonlyMap<number, KnownUnit>,
): Promise<PublishedUnit | undefined> {
  const where = { model: model.slug, layer: layer.name, unit };
  if (!there.has(fingerprint)) {
    run.counts.missing++;
    run.emit({ kind: 'unpublished', ...where, reason: 'missing' });
    return undefined;
  }
  const before = last.get(unit);
  const isKept = known !== undefined && before?.record.fingerprint === fingerprint;
  const made = isKept ? { ...before, encoded: known } : await fromStore(run, unit, fingerprint, known);
  if (made === undefined) {
    run.counts.damaged++;
    await run.removeDamaged(fingerprint);
    run.emit({ kind: 'unpublished', ...where, reason: 'damaged' });
    return undefined;
  }
  run.counts[known === undefined ? 'encoded' : 'kept']++;
  run.gallery.keepPictures(made.record.image.file, made.record.strip.file);
  run.emit({ kind: 'published', ...where, encoded: known === undefined });
  return made;
}

/** A unit from its rendering, with its pictures where they are not `known` to be in place; undefined for a damaged one. */
async function fromStore(
  { store, gallery }: PublishRun,
  unit: number,
  fingerprint: string,
  known: Encoded | undefined,
): Promise<PublishedUnit | undefined> {
  const rendering = await store.read(fingerprint);
  if (rendering === undefined) return undefined;
  return {
    record: recordOf(unit, rendering),
    recipe: rendering.recipe,
    encoded: known ?? (await encodePictures(gallery, rendering)),
  };
}
