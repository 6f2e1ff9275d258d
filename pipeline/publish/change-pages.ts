/** Pages of what changed between two states, from what `diff` kept of it. */

import { type Changes, type GalleryIndex, galleryChanges } from '../../content/schema.ts';
import { changedFingerprints } from './changes.ts';
import { changesFile } from './gallery-files.ts';
import type { LastPicture } from './gone.ts';
import { lonePictures } from './pictures.ts';
import type { PublishRun } from './run.ts';

/** All of them, each with the pictures of its most changed units. */
export async function publishChanges(
  run: PublishRun,
  all: ReadonlyMap<string, Changes>,
): Promise<Pick<GalleryIndex, 'changes'>> {
  if (all.size === 0) return {};
  const { gallery } = run;
  const before = await gallery.index();
  const known: Omit<LastPicture, 'strip'>[] = [];
  for (const { file } of before?.changes ?? []) {
    const read = await gallery.read(galleryChanges, file);
    known.push(...Object.values(read?.pictures ?? {}));
  }
  const pictures = await lonePictures(run, changesFile, changedFingerprints(all.values()), known);
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
    const { name: file } = await gallery.writeNamed(`changes/${name}`, page);
    told.push({ name, model, madeAt, before, after, file });
  }
  return { changes: told };
}
