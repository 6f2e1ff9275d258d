import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import {
  decodeExact,
  encodeExact,
  encodePicture,
  encodeStrip,
  stripFrames,
} from '../../pipeline/picture/encode.ts';
import { joinStrip, type Pixels } from '../../pipeline/picture/strip.ts';

/** Smooth waves, as renderings are, of any size. */
function waves(side: number, channels: 1 | 3, phase = 0): Pixels {
  const pixels = new Uint8Array(side * side * channels);
  for (let index = 0; index < pixels.length; index++) {
    const place = Math.floor(index / channels);
    const [x, y, c] = [place % side, Math.floor(place / side), index % channels];
    pixels[index] = 128 + 100 * Math.sin(x / 5 + c + phase) * Math.cos(y / 7 + phase);
  }
  return { pixels, widthPx: side, heightPx: side, channels };
}

/** The RGB values that a browser would show. */
async function shown(bytes: Buffer): Promise<{ rgb: Buffer; width: number; height: number; format: string }> {
  const { format } = await sharp(bytes).metadata();
  const { data, info } = await sharp(bytes).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  expect(info.channels).toBe(3);
  return { rgb: data, width: info.width, height: info.height, format };
}

function asRgb({ pixels, channels }: Pixels): Buffer {
  return Buffer.from(channels === 3 ? pixels : Array.from(pixels).flatMap((value) => [value, value, value]));
}

function rms(a: Buffer, b: Buffer): number {
  return Math.sqrt(a.reduce((sum, value, index) => sum + (value - (b[index] ?? 0)) ** 2, 0) / a.length);
}

describe('encodePicture', () => {
  it.each([
    [1, 1],
    [28, 1],
    [64, 3],
  ] as const)('keeps a picture of side %i, %i channels, exact, as WebP', async (side, channels) => {
    const picture = waves(side, channels);
    const decoded = await shown(await encodePicture(picture));
    expect(decoded).toMatchObject({ width: side, height: side, format: 'webp' });
    expect(decoded.rgb.equals(asRgb(picture))).toBe(true);
  });

  it.each([1, 3] as const)(
    'keeps a larger picture of %i channels close, in a third of the bytes',
    async (channels) => {
      const picture = waves(128, channels);
      const bytes = await encodePicture(picture);
      // Quality 90 of smooth waves: measured 1.0 (grey) and 1.9 (RGB) of 255; 3 is where the eye begins to tell.
      expect(rms((await shown(bytes)).rgb, asRgb(picture))).toBeLessThan(3);
      expect(bytes.length).toBeLessThan((128 * 128 * channels) / 3);
    },
  );

  it('gives a grey picture no tint, lossy or not', async () => {
    const { rgb } = await shown(await encodePicture(waves(128, 1)));
    let tint = 0;
    for (let index = 0; index < rgb.length; index += 3) {
      const [red = 0, green = 0, blue = 0] = rgb.subarray(index, index + 3);
      tint = Math.max(tint, Math.abs(red - green), Math.abs(green - blue));
    }
    // One step of 255 is the rounding of the format's own colour conversion.
    expect(tint).toBeLessThanOrEqual(1);
  });

  it('gives the same bytes for the same pixels', async () => {
    const [one, two] = await Promise.all([encodePicture(waves(100, 3)), encodePicture(waves(100, 3))]);
    expect(one.equals(two)).toBe(true);
  });
});

describe('encodeStrip', () => {
  it('lays all frames side by side, each as large as the picture', async () => {
    const frames = [0, 1, 2, 3].map((phase) => waves(28, 1, phase));
    const bytes = await encodeStrip(frames);
    const kept = stripFrames({ frames, widthPx: frames[0]?.widthPx ?? 0 });
    const decoded = await shown(bytes);
    expect(kept).toEqual([0, 1, 2, 3]);
    expect(decoded).toMatchObject({ width: 112, height: 28, format: 'webp' });
    expect(decoded.rgb.equals(asRgb(joinStrip(frames)))).toBe(true);
  });

  it('leaves frames out where the sheet would be wider than WebP allows, never the first or the last', async () => {
    const flat: Pixels = { pixels: new Uint8Array(5000), widthPx: 5000, heightPx: 1, channels: 1 };
    const eight = Array.from({ length: 8 }, () => flat);
    const bytes = await encodeStrip(eight);
    const frames = stripFrames({ frames: eight, widthPx: flat.widthPx });
    expect(frames).toEqual([0, 4, 7]);
    expect(await shown(bytes)).toMatchObject({ width: 15_000, height: 1 });
  });
});

describe('encodeExact', () => {
  it.each([1, 3] as const)('gives every value back through decodeExact, %i channels', async (channels) => {
    const pixels = Uint8Array.from({ length: 256 * channels }, (_, index) => (index * 37) % 256);
    const picture: Pixels = { pixels, widthPx: 32, heightPx: 8, channels };
    expect(await decodeExact(await encodeExact(picture), channels)).toEqual(picture);
  });
});
