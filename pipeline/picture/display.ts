/** How a finished picture becomes the 8 bits that people see. */

import type { Display } from '../recipe/schema.ts';

/** A picture as planes: channels × height × width. */
export interface Planes {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly data: Float32Array;
}

type Of<Kind> = Extract<Display, { kind: Kind }>;
type Show<Kind> = (settings: Of<Kind>, data: Float32Array) => Float32Array;

const mean = (data: Float32Array): number => data.reduce((sum, value) => sum + value, 0) / data.length;

/** data ⇒ 0..255, not yet clipped or rounded. */
const displays: { readonly [Kind in Display['kind']]: Show<Kind> } = {
  range: (_settings, data) => data,
  standardise: ({ mean: target, deviation }, data) => {
    const centre = mean(data);
    const spread = Math.sqrt(mean(data.map((value) => (value - centre) ** 2))) + 1e-5;
    return data.map((value) => 255 * (((value - centre) / spread) * deviation + target));
  },
  positive: (_settings, data) => {
    const centre = mean(data);
    const peak = data.reduce((most, value) => Math.max(most, value - centre), 0);
    return data.map((value) => (peak === 0 ? 0 : (255 * (value - centre)) / peak));
  },
};

/** Height × width × channels, 8 bits: clipped to 0..255, rounded to the nearest. */
export function show(settings: Display, picture: Planes): Uint8Array {
  const { channels, height, width, data } = picture;
  // The table is keyed by `kind`, which TypeScript cannot follow through the lookup.
  const shown = (displays[settings.kind] as Show<Display['kind']>)(settings as never, data);
  const area = height * width;
  return Uint8Array.from({ length: channels * area }, (_, index) => {
    const value = shown[(index % channels) * area + Math.floor(index / channels)] as number;
    return Math.min(255, Math.max(0, Math.round(value)));
  });
}

/** The planes of 8-bit pixels (height × width × channels), values 0..255. */
export function planesOf(pixels: Uint8Array, { channels, height, width }: Omit<Planes, 'data'>): Planes {
  const area = height * width;
  const data = Float32Array.from({ length: channels * area }, (_, index) => {
    return pixels[(index % area) * channels + Math.floor(index / area)] as number;
  });
  return { channels, height, width, data };
}
