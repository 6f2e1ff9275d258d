/**
 * The wall of a layer in few files: its living units in order, small, side by side on sheets. A page that shows 4,096
 * units asks for 128 files, one after the other as people scroll, and not for 4,096.
 */

import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { type UnitRecord, type Wall, wallSheet } from '../../content/schema.ts';
import { webEncoding } from '../picture/encode.ts';
import { type Sheet, sha256 } from './manifest.ts';
import type { PublishRun } from './run.ts';

export const wallEncoding = {
  /** Raised when the code below makes other bytes of the same pictures. */
  version: 1,
  ...wallSheet,
  /** Longest side of a unit on its sheet; smaller pictures stay as they are. */
  longestTilePx: 96,
  quality: 80,
} as const;

export interface Tile {
  readonly widthPx: number;
  readonly heightPx: number;
}

/** How large pictures of this size are on a sheet: never enlarged. */
export function tileOf({ widthPx, heightPx }: Tile): Tile {
  const scale = Math.min(1, wallEncoding.longestTilePx / Math.max(widthPx, heightPx));
  return {
    widthPx: Math.max(1, Math.round(widthPx * scale)),
    heightPx: Math.max(1, Math.round(heightPx * scale)),
  };
}

/** The units of each sheet. Dead units are not drawn; units of another size than the first would not fit. */
export function sheetsOf(units: readonly UnitRecord[]): UnitRecord[][] {
  const living = units.filter(({ measures }) => !measures.dead);
  const { widthPx, heightPx } = living[0]?.image ?? { widthPx: 0, heightPx: 0 };
  if (living.some(({ image }) => image.widthPx !== widthPx || image.heightPx !== heightPx)) return [];
  const { unitsPerSheet } = wallEncoding;
  return Array.from({ length: Math.ceil(living.length / unitsPerSheet) }, (_, sheet) =>
    living.slice(sheet * unitsPerSheet, (sheet + 1) * unitsPerSheet),
  );
}

/** Changes with anything that changes the sheet's bytes. */
export function sheetKey(units: readonly UnitRecord[]): string {
  const made = [wallEncoding, webEncoding, units.map(({ fingerprint }) => fingerprint)];
  return createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 16);
}

/** Where, below public/gallery, the sheet of a key lies. */
export const sheetFile = (key: string): string => `pictures/walls/${key}.webp`;

/** Encoded pictures of one size as one WebP sheet, rows of `columns`. */
export async function encodeSheet(pictures: readonly Buffer[], tile: Tile): Promise<Buffer> {
  const { columns, quality } = wallEncoding;
  const tiles = await Promise.all(
    pictures.map(async (picture, place) => ({
      input: await sharp(picture)
        .resize(tile.widthPx, tile.heightPx, { fit: 'fill' })
        .removeAlpha()
        .png({ compressionLevel: 1 })
        .toBuffer(),
      left: (place % columns) * tile.widthPx,
      top: Math.floor(place / columns) * tile.heightPx,
    })),
  );
  const exact = Math.max(tile.widthPx, tile.heightPx) <= webEncoding.losslessUpToPx;
  return sharp({
    create: {
      width: columns * tile.widthPx,
      height: Math.ceil(pictures.length / columns) * tile.heightPx,
      channels: 3,
      background: '#000',
    },
  })
    .composite(tiles)
    .webp(exact ? { lossless: true, effort: 4 } : { quality, effort: 4, smartSubsample: true })
    .toBuffer();
}

/** Makes the sheets whose units changed, from the pictures as they were published. */
export async function publishWall(
  run: PublishRun,
  units: readonly UnitRecord[],
  known: readonly Sheet[],
): Promise<{ readonly described?: Wall; readonly sheets: readonly Sheet[] }> {
  const { gallery } = run;
  const blocks = sheetsOf(units);
  const [first] = blocks[0] ?? [];
  if (first === undefined) return { sheets: [] };
  const tile = tileOf(first.image);
  const files: string[] = [];
  const sheets: Sheet[] = [];
  for (const block of blocks) {
    run.signal.throwIfAborted();
    const key = sheetKey(block);
    const file = sheetFile(key);
    files.push(file);
    gallery.keepPictures(file);
    const before = known.find((sheet) => sheet.key === key);
    if (before !== undefined && gallery.pictureSize(file) === before.bytes) {
      sheets.push(before);
      continue;
    }
    const pictures = await Promise.all(block.map(({ image }) => gallery.picture(image.file)));
    const bytes = await encodeSheet(pictures, tile);
    await gallery.writePicture(file, bytes);
    sheets.push({ key, bytes: bytes.length, sha256: sha256(bytes) });
  }
  return { described: { tile, files }, sheets };
}
