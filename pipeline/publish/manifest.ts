/**
 * The second key: what the pictures in public/gallery were encoded from, and how. It lies beside the layer files, one
 * file a layer, and lets a run skip what is right already without opening the store's frames.
 */

import { createHash } from 'node:crypto';
import { z } from 'zod';
import { layerSummary } from '../../content/schema.ts';
import { type Files, jsonOrUndefined, writeChanged } from '../files.ts';
import { webEncoding } from '../picture/encode.ts';

/** Raised when a unit's record is made from a rendering in another way. */
const recordVersion = 2;

/** All besides the rendering that decides what is published of it. */
const settings = JSON.stringify({ recordVersion, ...webEncoding });

const encoded = z.object({
  fingerprint: z.string(),
  imageBytes: z.int(),
  stripBytes: z.int(),
  imageSha256: z.string(),
  stripSha256: z.string(),
});
/** What a unit's two pictures were made from, and their sizes and checksums as written. */
export type Encoded = Readonly<z.infer<typeof encoded>>;

const sheet = z.object({ key: z.string(), bytes: z.int(), sha256: z.string() });
/** What a sheet of the wall was made from, and its size and checksum as written. */
export type Sheet = Readonly<z.infer<typeof sheet>>;

const made = z.object({ key: z.string(), described: layerSummary, recipes: z.record(z.string(), z.int()) });
/** What a layer's file was made from, as a key, what the index says of it, and its units by the name of their recipe. */
export type Made = Readonly<z.infer<typeof made>>;

const manifest = z.object({
  settings: z.literal(settings),
  units: z.record(z.string(), encoded),
  sheets: z.array(sheet).default([]),
  layerSha256: z.string(),
  made: made.optional(),
});

export interface Manifest {
  readonly units: ReadonlyMap<number, Encoded>;
  readonly sheets: readonly Sheet[];
  /** Of the layer's file as written; empty before the first time. */
  readonly layerSha256: string;
  /** Absent while the layer is being made. */
  readonly made?: Made | undefined;
}

/** How a manifest ends: the checksum of all before it and the last brace. */
const checksum = /,"sha256":"([0-9a-f]{64})"\}\n$/;

/** Where, below content/gallery, the manifest of a layer's file or the index lies. */
export const manifestOf = (file: string): string => `.encoded/${file}`;

/** What a file holds, as a name of it. */
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** The index's own manifest. */
export const indexManifest = z.object({ sha256: z.string() });

/** Empty where there is no manifest, or one of other settings. */
export async function readManifest(files: Files, path: string): Promise<Manifest> {
  const text = (await files.read(path).catch(() => undefined))?.toString('utf8') ?? '';
  const [ending, sum] = checksum.exec(text) ?? [];
  const isRight = sum === sha256(Buffer.from(`${text.slice(0, text.length - (ending?.length ?? 0))}}`));
  const parsed = manifest.safeParse(isRight ? jsonOrUndefined(text) : undefined);
  if (!parsed.success) return { units: new Map(), sheets: [], layerSha256: '' };
  const { units, sheets, layerSha256, made } = parsed.data;
  return {
    units: new Map(Object.entries(units).map(([unit, entry]) => [Number(unit), entry])),
    sheets,
    layerSha256,
    made,
  };
}

/** Returns whether the file had to be written. */
export function writeManifest(
  files: Files,
  path: string,
  { units, sheets, layerSha256, made }: Manifest,
): Promise<boolean> {
  const ordered = [...units].sort(([a], [b]) => a - b);
  const text = JSON.stringify({ settings, units: Object.fromEntries(ordered), sheets, layerSha256, made });
  const sum = sha256(Buffer.from(text));
  return writeChanged(files, path, Buffer.from(`${text.slice(0, -1)},"sha256":"${sum}"}\n`));
}
