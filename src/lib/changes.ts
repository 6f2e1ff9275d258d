/** Pages of what changed between two states of a network. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type GalleryChanges,
  type GalleryIndex,
  type GalleryModel,
  galleryChanges,
  type UnitChange,
} from '../../content/schema.ts';
import { galleryFolder, readGallery } from './gallery.ts';

export interface NamedChanges {
  readonly name: string;
  readonly changes: GalleryChanges;
}

/** All of them, by name. @throws where a file is missing or broken. */
export async function readChanges(): Promise<NamedChanges[]> {
  const named = (await readGallery())?.changes ?? [];
  return Promise.all(
    named.map(async ({ name, file }) => ({
      name,
      changes: galleryChanges.parse(JSON.parse(await readFile(join(galleryFolder(), file), 'utf8'))),
    })),
  );
}

/** A changed unit with its picture before and after. */
export interface SeenChange extends UnitChange {
  readonly pictures: readonly [GalleryChanges['pictures'][string], GalleryChanges['pictures'][string]];
}

/** Those of which there are two pictures, the most changed first. */
export function seenChanges(
  units: readonly UnitChange[],
  pictures: GalleryChanges['pictures'],
): SeenChange[] {
  return units.flatMap((change) => {
    const [before, after] = [pictures[change.before ?? ''], pictures[change.after ?? '']];
    return before === undefined || after === undefined ? [] : [{ ...change, pictures: [before, after] }];
  });
}

/** Pages that compare states of a model; of a release those that compare it with another state. */
export function changesOfModel(
  gallery: GalleryIndex | undefined,
  { slug, release }: GalleryModel,
): NonNullable<GalleryIndex['changes']> {
  return (gallery?.changes ?? []).filter(({ model, before, after }) =>
    release === undefined ? model === slug : before === slug || after === slug,
  );
}
