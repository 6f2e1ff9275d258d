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

const sheet = z.object({ key: z.string(), bytes: z.int() });
/** What a sheet of the wall was made from, and its size as written. */
export type Sheet = Readonly<z.infer<typeof sheet>>;

const manifest = z.object({
  settings: z.literal(settings),
  units: z.record(z.string(), encoded),
  sheets: z.array(sheet).default([]),
});

export interface Manifest {
  readonly units: ReadonlyMap<number, Encoded>;
  readonly sheets: readonly Sheet[];
}

/** Empty where there is no manifest, or one of other settings. */
export async function readManifest(files: Files, path: string): Promise<Manifest> {
  const bytes = await files.read(path).catch(() => undefined);
  const parsed = manifest.safeParse(bytes && jsonOrUndefined(bytes.toString('utf8')));
  if (!parsed.success) return { units: new Map(), sheets: [] };
  const { units, sheets } = parsed.data;
  return {
    units: new Map(Object.entries(units).map(([unit, entry]) => [Number(unit), entry])),
    sheets,
  };
}

/** Returns whether the file had to be written. */
export function writeManifest(files: Files, path: string, { units, sheets }: Manifest): Promise<boolean> {
  const ordered = [...units].sort(([a], [b]) => a - b);
  const text = JSON.stringify({ settings, units: Object.fromEntries(ordered), sheets });
  return writeChanged(files, path, Buffer.from(`${text}\n`));
}
