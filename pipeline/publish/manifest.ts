/**
 * The second key: what the pictures in public/gallery were encoded from, and how. It lies beside the layer files, one
 * file a layer, and lets a run skip what is right already without opening the store's frames.
 */

import { z } from 'zod';
import { type Files, jsonOrUndefined, writeChanged } from '../files.ts';
import { webEncoding } from '../picture/encode.ts';

/** Raised when a unit's record is made from a rendering in another way. */
const recordVersion = 1;

/** All besides the rendering that decides what is published of it. */
const settings = JSON.stringify({ recordVersion, ...webEncoding });

const encoded = z.object({
  fingerprint: z.string(),
  imageBytes: z.int(),
  stripBytes: z.int(),
});
/** What a unit's two pictures were made from, and their sizes as written. */
export type Encoded = Readonly<z.infer<typeof encoded>>;

const manifest = z.object({ settings: z.literal(settings), units: z.record(z.string(), encoded) });

/** By unit. Empty where there is no manifest, or one of other settings. */
export async function readManifest(files: Files, path: string): Promise<Map<number, Encoded>> {
  const bytes = await files.read(path).catch(() => undefined);
  const parsed = manifest.safeParse(bytes && jsonOrUndefined(bytes.toString('utf8')));
  if (!parsed.success) return new Map();
  return new Map(Object.entries(parsed.data.units).map(([unit, entry]) => [Number(unit), entry]));
}

/** Returns whether the file had to be written. */
export function writeManifest(
  files: Files,
  path: string,
  units: ReadonlyMap<number, Encoded>,
): Promise<boolean> {
  const ordered = [...units].sort(([a], [b]) => a - b);
  const text = JSON.stringify({ settings, units: Object.fromEntries(ordered) });
  return writeChanged(files, path, Buffer.from(`${text}\n`));
}
