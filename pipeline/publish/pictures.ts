/** The two pictures of a rendering as the site shows them, encoded where they are not in place. */

import { encodePicture, encodeStrip } from '../picture/encode.ts';
import type { Rendering } from '../store/store.ts';
import type { GalleryFiles } from './gallery-files.ts';
import type { LastPicture } from './gone.ts';
import { type Encoded, manifestOf, sha256 } from './manifest.ts';
import { pictureFiles } from './record.ts';
import type { PublishRun } from './run.ts';

export async function encodePictures(gallery: GalleryFiles, rendering: Rendering): Promise<Encoded> {
  const { fingerprint } = rendering;
  const { image, strip } = pictureFiles(fingerprint);
  const frames = rendering.frames.map(({ pixels }) => ({ ...rendering, pixels }));
  const sheet = await encodeStrip(frames);
  const picture = await encodePicture(frames.at(-1) as (typeof frames)[number]);
  await gallery.writePicture(image, picture);
  await gallery.writePicture(strip, sheet);
  return {
    fingerprint,
    imageBytes: picture.length,
    stripBytes: sheet.length,
    imageSha256: sha256(picture),
    stripSha256: sha256(sheet),
  };
}

/**
 * Pictures that belong to no layer that is shown, by fingerprint; none of those that are lost.
 * @param manifest The file that tells of them.
 * @param before As the last gallery told of them.
 */
export async function lonePictures(
  { gallery, store, signal }: PublishRun,
  manifest: string,
  fingerprints: readonly string[],
  before: readonly Omit<LastPicture, 'strip'>[],
): Promise<ReadonlyMap<string, LastPicture>> {
  const known = [...(await gallery.manifest(manifest)).units.values()];
  const pictures = new Map<string, LastPicture>();
  const done = new Map<number, Encoded>();
  for (const fingerprint of fingerprints) {
    signal.throwIfAborted();
    const { image, strip } = pictureFiles(fingerprint);
    const last = before.find(({ file }) => file === image);
    let encoded = known.find((each) => each.fingerprint === fingerprint);
    let picture = last && { ...last, strip };
    if (encoded === undefined || picture === undefined || !gallery.hasPictures(encoded)) {
      const rendering = await store.read(fingerprint);
      if (rendering === undefined) continue;
      encoded = await encodePictures(gallery, rendering);
      picture = { file: image, strip, widthPx: rendering.widthPx, heightPx: rendering.heightPx };
    }
    pictures.set(fingerprint, picture);
    done.set(done.size, encoded);
    gallery.keepPictures(image, strip);
  }
  if (done.size > 0) {
    await gallery.writeManifest(manifest, { units: done, sheets: [], layerSha256: '' });
    gallery.keep(manifestOf(manifest));
  }
  return pictures;
}
