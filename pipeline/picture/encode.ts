/** Pixels to files and back. The same pixels and settings always give the same bytes. */

import sharp from 'sharp';
import { joinStrip, type Pixels, spread } from './strip.ts';

/** How pictures are encoded for the web. A change here renders nothing again: it only encodes again. */
export const webEncoding = {
  /** Raised when the code below changes what comes out of the same numbers. */
  version: 1,
  /** Pictures up to this side are kept exact: they are small, and people see their single pixels. */
  losslessUpToPx: 64,
  pictureQuality: 90,
  stripQuality: 80,
} as const;

/** Longest side that the WebP format can hold. */
const webpLimitPx = 16_383;

/** One picture as WebP. */
export function encodePicture(picture: Pixels): Promise<Buffer> {
  return webp(picture, webEncoding.pictureQuality, picture);
}

/** Which of a rendering's frames are in its strip, first to last: all, unless they would be wider than WebP allows. */
export function stripFrames({ frames, widthPx }: { frames: readonly unknown[]; widthPx: number }): number[] {
  return spread(frames.length, Math.floor(webpLimitPx / widthPx));
}

/** Frames of one size as one WebP sheet, those of `stripFrames` side by side, each as large as the picture. */
export async function encodeStrip(frames: readonly Pixels[]): Promise<Buffer> {
  const [first] = frames;
  if (first === undefined) throw new RangeError('Expected at least one frame for a strip, got none');
  const kept = stripFrames({ frames, widthPx: first.widthPx });
  const sheet = joinStrip(kept.flatMap((index) => frames[index] ?? []));
  return webp(sheet, webEncoding.stripQuality, first);
}

function webp(sheet: Pixels, quality: number, tile: Pixels): Promise<Buffer> {
  const lossless = Math.max(tile.widthPx, tile.heightPx) <= webEncoding.losslessUpToPx;
  // Efforts as measured: above them files get hardly smaller, but take several times as long.
  const options = lossless ? { lossless, effort: 2 } : { quality, effort: 4, smartSubsample: true };
  return sharp(sheet.pixels, { raw: rawOf(sheet) })
    .webp(options)
    .toBuffer();
}

/** Pixels as PNG, exact. */
export function encodeExact(picture: Pixels): Promise<Buffer> {
  const image = sharp(picture.pixels, { raw: rawOf(picture), limitInputPixels: false });
  return (picture.channels === 1 ? image.toColourspace('b-w') : image)
    .png({ compressionLevel: 6, adaptiveFiltering: true })
    .toBuffer();
}

/** What `encodeExact` made, as pixels again. @throws Error if the bytes are no PNG of that many channels. */
export async function decodeExact(bytes: Uint8Array, channels: 1 | 3): Promise<Pixels> {
  const image = sharp(bytes, { limitInputPixels: false });
  const { data, info } = await (channels === 1 ? image.toColourspace('b-w') : image)
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== channels) {
    throw new Error(`Expected a PNG of ${channels} channels, got one of ${info.channels}`);
  }
  return { pixels: new Uint8Array(data), widthPx: info.width, heightPx: info.height, channels };
}

function rawOf({ widthPx, heightPx, channels }: Pixels): { width: number; height: number; channels: 1 | 3 } {
  return { width: widthPx, height: heightPx, channels };
}
