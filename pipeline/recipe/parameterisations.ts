/** (settings, picture's size) ⇒ what is optimised, and how a picture is decoded from it. */

import type { GraphBuilder } from '../network/build.ts';
import { float32 } from '../network/graph.ts';
import {
  networkGrey,
  reorderChannels,
  type Scaling,
  scaled,
  scalePicture,
  unscalePicture,
} from './scaling.ts';
import type { Parameterisation } from './schema.ts';

export interface PictureSize {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** A tensor [N, …dims] that the optimiser changes; every one has rank 4 with the batch. */
export interface Parameter {
  readonly name: string;
  readonly dims: readonly [number, number, number];
  /** `recipe`: from the recipe's start; `zeros`: 0. */
  readonly start: 'recipe' | 'zeros';
  /** Multiplies the recipe's rate. */
  readonly rateFactor: number;
}

export interface Decoder {
  readonly parameters: readonly Parameter[];
  /** What lies between black and white in the space that `decode` gives, a channel: fills borders. */
  readonly grey: readonly number[];
  /** Smallest and largest value a channel can take there. */
  readonly range: readonly [low: readonly number[], high: readonly number[]];
  /** Writes parameters → [N, C, H, W]: what the transforms act on. */
  decode(build: GraphBuilder, parameters: readonly string[]): string;
  /** Writes the transformed value → network input [N, C, H, W]. */
  toInput(build: GraphBuilder, value: string): string;
  /** Writes the decoded value → picture, 0..255 RGB, not clipped. */
  toPicture(build: GraphBuilder, value: string): string;
  /** Writes the decoded value with its numbers as they are, channels as RGB. */
  toColours(build: GraphBuilder, value: string): string;
}

/** Looks a parameterisation up by its kind. */
export function decoder(settings: Parameterisation, size: PictureSize, scaling: Scaling): Decoder {
  switch (settings.kind) {
    case 'pixels':
      return pixels(settings, size, scaling);
    case 'fourier':
      return fourier(size, scaling);
    case 'sphere':
      return sphere(settings, size, scaling);
  }
}

type Of<Kind> = Extract<Parameterisation, { kind: Kind }>;

const black = ({ channels }: PictureSize): number[] => new Array<number>(channels).fill(0);
const white = ({ channels }: PictureSize): number[] => new Array<number>(channels).fill(255);

/** What all decoders share that end in a picture of 0..255 RGB. */
const inPictureSpace = (size: PictureSize, scaling: Scaling): Omit<Decoder, 'parameters' | 'decode'> => ({
  grey: networkGrey(scaling),
  range: [black(size), white(size)],
  toInput: (build, value) => scalePicture(build, value, scaling),
  toPicture: (_build, value) => value,
  toColours: (_build, value) => value,
});

const inInputSpace = (scaling: Scaling): Omit<Decoder, 'parameters' | 'decode'> => ({
  grey: scaling.mean.map(() => 0),
  range: [scaled(scaling, 0), scaled(scaling, 255)],
  toInput: (_build, value) => value,
  toPicture: (build, value) => unscalePicture(build, value, scaling),
  toColours: (build, value) => reorderChannels(build, value, scaling),
});

function pixels({ space }: Of<'pixels'>, size: PictureSize, scaling: Scaling): Decoder {
  const { channels, height, width } = size;
  return {
    ...(space === 'input' ? inInputSpace(scaling) : inPictureSpace(size, scaling)),
    parameters: [{ name: 'picture', dims: [channels, height, width], start: 'recipe', rateFactor: 1 }],
    decode: (_build, [picture = '']) => picture,
  };
}

/** lucid's `to_valid_rgb(fft_image)`: 255 · sigmoid(M · plane / 4), spectrum scaled by √(HW) / max(f, 1/max(H, W)). */
function fourier(size: PictureSize, scaling: Scaling): Decoder {
  const { height, width } = size;
  return {
    ...inPictureSpace(size, scaling),
    parameters: [{ name: 'spectrum', dims: spectrumDims(size), start: 'recipe', rateFactor: 1 }],
    decode(build, [spectrum = '']) {
      const gain = (f: number): number =>
        Math.sqrt(width * height) / Math.max(f, 1 / Math.max(height, width)) / 4;
      const colours = correlateColours(build, inverseFourier(build, spectrum, size, gain), size);
      return build.add('Mul', [build.add('Sigmoid', [colours]), build.scalar(255)]);
    },
  };
}

/**
 * clip(grey + contrast · n(n(M · F⁻¹(z · max(f, 1/S)⁻¹ · exp(-(f/lowPass)⁴)) - spatial mean) + c), 0, 255) with
 * n(x) = x / rms(x), a picture at a time: every picture has one contrast, so the ascent cannot win by contrast alone.
 */
function sphere(settings: Of<'sphere'>, size: PictureSize, scaling: Scaling): Decoder {
  const { channels, height, width } = size;
  const grey =
    settings.grey === 'network' ? networkGrey(scaling) : new Array<number>(channels).fill(settings.grey);
  const spectrum: Parameter = { name: 'spectrum', dims: spectrumDims(size), start: 'recipe', rateFactor: 1 };
  const colour: Parameter = {
    name: 'colour',
    dims: [channels, 1, 1],
    start: 'zeros',
    rateFactor: settings.colourRate,
  };
  return {
    ...inPictureSpace(size, scaling),
    grey,
    parameters: settings.colourRate > 0 ? [spectrum, colour] : [spectrum],
    decode(build, [z = '', c]) {
      const gain = (f: number): number =>
        Math.exp(-((f / settings.lowPass) ** 4)) / Math.max(f, 1 / Math.max(height, width));
      const plane = correlateColours(build, inverseFourier(build, z, size, gain), size);
      const centred = build.add('Sub', [plane, build.mean(plane, 'map')]);
      let unit = toUnitRms(build, centred);
      if (c !== undefined) unit = toUnitRms(build, build.add('Add', [unit, c]));
      const contrasted = build.add('Mul', [unit, build.scalar(settings.contrast)]);
      const picture = build.add('Add', [contrasted, build.perChannel(grey)]);
      return build.add('Clip', [picture, build.scalar(0), build.scalar(255)]);
    },
  };
}

/** Half of a real picture's spectrum, [C, 2H, K]: rows 0…H-1 real, H…2H-1 imaginary parts, K = floor(W/2) + 1. */
function spectrumDims({ channels, height, width }: PictureSize): [number, number, number] {
  return [channels, 2 * height, Math.floor(width / 2) + 1];
}

/**
 * The inverse of the two-dimensional real Fourier transform, as two matrix products on each side of the spectrum:
 * plane[y, x] = 1/(HW) · Σ_kx w · Re(Σ_ky gain(f) · z · e^(2πi(ky·y/H + kx·x/W))), w = 1 for kx = 0 and W/2, else 2;
 * f = √((ky/H)² + (kx/W)²) in cycles a pixel, ky signed.
 */
function inverseFourier(
  build: GraphBuilder,
  spectrum: string,
  { height, width }: PictureSize,
  gain: (f: number) => number,
): string {
  const columns = Math.floor(width / 2) + 1;
  const gains = new Float32Array(2 * height * columns);
  const left = new Float32Array(4 * height * height);
  const right = [new Float32Array(columns * width), new Float32Array(columns * width)] as const;
  for (let ky = 0; ky < height; ky++) {
    const fy = (ky < height / 2 ? ky : ky - height) / height;
    for (let kx = 0; kx < columns; kx++) {
      gains[ky * columns + kx] = gains[(ky + height) * columns + kx] = gain(Math.hypot(fy, kx / width));
    }
    for (let y = 0; y < height; y++) {
      const angle = (2 * Math.PI * ((ky * y) % height)) / height;
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      left[y * 2 * height + ky] = left[(y + height) * 2 * height + ky + height] = cos;
      left[y * 2 * height + ky + height] = -sin;
      left[(y + height) * 2 * height + ky] = sin;
    }
  }
  for (let kx = 0; kx < columns; kx++) {
    const weight = (kx === 0 || 2 * kx === width ? 1 : 2) / (height * width);
    for (let x = 0; x < width; x++) {
      const angle = (2 * Math.PI * ((kx * x) % width)) / width;
      right[0][kx * width + x] = weight * Math.cos(angle);
      right[1][kx * width + x] = -weight * Math.sin(angle);
    }
  }
  const matrix = (rows: number, cols: number, data: Float32Array): string =>
    build.constant(float32([rows, cols], data), 'dft');
  const shaped = build.add('Mul', [
    spectrum,
    build.constant(float32([1, 1, 2 * height, columns], gains), 'gain'),
  ]);
  const byRow = build.add('MatMul', [matrix(2 * height, 2 * height, left), shaped]);
  const half = (from: number): string =>
    build.add('Slice', [byRow, build.shape([from]), build.shape([from + height]), build.shape([2])]);
  return build.add('Add', [
    build.add('MatMul', [half(0), matrix(columns, width, right[0])]),
    build.add('MatMul', [half(height), matrix(columns, width, right[1])]),
  ]);
}

/** lucid's `color_correlation_svd_sqrt` of ImageNet over its largest column norm; only for three channels. */
const colourCorrelation = [
  [0.26, 0.09, 0.02],
  [0.27, 0.0, -0.05],
  [0.27, -0.09, 0.03],
].map((row) => row.map((value) => value / 0.461952));

function correlateColours(build: GraphBuilder, plane: string, { channels }: PictureSize): string {
  if (channels !== 3) return plane;
  const kernel = build.constant(float32([3, 3, 1, 1], colourCorrelation.flat()), 'colours');
  return build.add('Conv', [plane, kernel]);
}

/** x / rms(x), a picture at a time. */
function toUnitRms(build: GraphBuilder, value: string): string {
  const meanSquare = build.mean(build.add('Mul', [value, value]), 'picture');
  // The smallest normal float keeps an all-zero spectrum from becoming NaN.
  const root = build.add('Sqrt', [build.add('Add', [meanSquare, build.scalar(1e-30)])]);
  return build.add('Div', [value, root]);
}
