/** (settings, picture's size) ⇒ what is optimised, and how a picture is decoded from it. */

import type { GraphBuilder } from '../network/build.ts';
import { int } from '../network/graph.ts';
import { clipped, correlateColours, type Range, squashed } from './colours.ts';
import { resample, resizing } from './resampling.ts';
import {
  networkGrey,
  reorderChannels,
  type Scaling,
  scaled,
  scaledGrey,
  scaledPicture,
  scalePicture,
  unscalePicture,
} from './scaling.ts';
import type { Parameterisation } from './schema.ts';
import type { PictureSize } from './size.ts';
import { amplitude, inverseFourier, spectrumDims } from './spectrum.ts';

/** A tensor [N, …dims] that the optimiser changes; every one has rank 4 with the batch. */
export interface Parameter {
  readonly name: string;
  readonly dims: readonly [channels: number, height: number, width: number];
  /** `recipe`: from the recipe's start; `zeros`: 0. */
  readonly start: 'recipe' | 'zeros';
  /** Multiplies the recipe's rate. */
  readonly rateFactor: number;
  /** Its value where the picture is grey, a channel. */
  readonly grey: readonly number[];
  /** Its values that give a picture [channels, height, width] of 0..255 RGB; only of `pixels`. */
  encode?(picture: Float32Array): Float32Array;
}

export interface Decoder {
  readonly parameters: readonly Parameter[];
  /** What lies between black and white in the space that `decode` gives, a channel: fills borders. */
  readonly grey: readonly number[];
  /** Smallest and largest value a channel can take there. */
  readonly range: Range;
  /** Writes parameters → [N, C, H, W]: what the transforms act on. */
  decode(build: GraphBuilder, parameters: readonly string[]): string;
  /** Writes the transformed value → network input [N, C, H, W]. */
  toInput(build: GraphBuilder, value: string): string;
  /** Writes the decoded value → picture, 0..255 RGB, not clipped. */
  toPicture(build: GraphBuilder, value: string): string;
  /** Writes the decoded value with its numbers as they are, channels as RGB. */
  toColours(build: GraphBuilder, value: string): string;
}

type Of<Kind> = Extract<Parameterisation, { kind: Kind }>;

const parameterisations: {
  readonly [Kind in Parameterisation['kind']]: (
    settings: Of<Kind>,
    size: PictureSize,
    scaling: Scaling,
  ) => Decoder;
} = { pixels, fourier, pyramid, phase, sphere };

/** Looks a parameterisation up by its kind. */
export function decoder(settings: Parameterisation, size: PictureSize, scaling: Scaling): Decoder {
  // The table is keyed by `kind`, which TypeScript cannot follow through the lookup.
  const make = parameterisations[settings.kind] as (
    settings: Parameterisation,
    size: PictureSize,
    scaling: Scaling,
  ) => Decoder;
  return make(settings, size, scaling);
}

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
  grey: scaledGrey(scaling),
  range: [scaled(scaling, 0), scaled(scaling, 255)],
  toInput: (_build, value) => value,
  toPicture: (build, value) => unscalePicture(build, value, scaling),
  toColours: (build, value) => reorderChannels(build, value, scaling),
});

/** A parameter that starts as the recipe says; 0 is grey. */
const around0 = (name: string, dims: Parameter['dims']): Parameter => ({
  name,
  dims,
  start: 'recipe',
  rateFactor: 1,
  grey: new Array<number>(dims[0]).fill(0),
});

function pixels({ space, valid }: Of<'pixels'>, size: PictureSize, scaling: Scaling): Decoder {
  const { channels, height, width } = size;
  const own = space === 'input' ? inInputSpace(scaling) : inPictureSpace(size, scaling);
  const [low, high] = own.range;
  const unsquashed = (value: number, channel: number): number => {
    if (valid !== 'sigmoid') return value;
    const [black = 0, white = 255] = [low[channel], high[channel]];
    // The sigmoid never reaches black and white: half of a step of 255 is left.
    const share = Math.min(1 - 0.5 / 255, Math.max(0.5 / 255, (value - black) / (white - black)));
    return Math.log(share / (1 - share));
  };
  return {
    ...own,
    parameters: [
      {
        ...around0('picture', [channels, height, width]),
        grey: own.grey.map(unsquashed),
        encode: (picture) =>
          (space === 'input' ? scaledPicture(picture, scaling) : picture).map((value, index) =>
            unsquashed(value, Math.floor(index / (height * width))),
          ),
      },
    ],
    decode(build, [picture = '']) {
      if (valid === undefined) return picture;
      return valid === 'clip' ? clipped(build, picture, own.range) : squashed(build, picture, own.range);
    },
  };
}

/**
 * lucid's `to_valid_rgb(fft_image)` (Olah, Mordvintsev, Schubert, "Feature Visualization", Distill, 2017): with the
 * defaults 255 · sigmoid(M · plane / 4), the spectrum scaled by √(HW) / max(f, 1/max(H, W)).
 */
function fourier(settings: Of<'fourier'>, size: PictureSize, scaling: Scaling): Decoder {
  const { channels, height, width } = size;
  const falling = amplitude(size, settings);
  return {
    ...inPictureSpace(size, scaling),
    parameters: [around0('spectrum', spectrumDims(size))],
    decode(build, [spectrum = '']) {
      const gain = (f: number): number => (Math.sqrt(width * height) * falling(f)) / 4;
      const plane = inverseFourier(build, spectrum, size, gain);
      return toValid(build, mixed(build, plane, settings.colours, channels), settings.valid);
    },
  };
}

/** lucid's `laplacian_pyramid_image`: Σ_k of pictures of side S/2^k, each enlarged bilinearly. */
function pyramid(settings: Of<'pyramid'>, size: PictureSize, scaling: Scaling): Decoder {
  const { channels, height, width } = size;
  const side = (full: number, level: number): number => Math.max(1, Math.floor(full / 2 ** level));
  const levels = Array.from({ length: settings.levels }, (_, level) =>
    around0(`level${level}`, [channels, side(height, level), side(width, level)]),
  );
  return {
    ...inPictureSpace(size, scaling),
    parameters: levels,
    decode(build, values) {
      const sum = levels.reduce<string | undefined>((below, { dims: [, rows, columns] }, level) => {
        const own = values[level] ?? '';
        const large =
          level === 0
            ? own
            : resample(build, own, resizing(rows, height, 'bilinear'), resizing(columns, width, 'bilinear'));
        return below === undefined ? large : build.add('Add', [below, large]);
      }, undefined);
      return toValid(build, mixed(build, sum ?? '', settings.colours, channels), settings.valid);
    },
  };
}

/**
 * Only the phases φ of a spectrum are optimised, its magnitudes A(f) stay (T. Fel et al., "Unlocking Feature
 * Visualization for Deeper Networks with MAgnitude Constrained Optimization", 2023):
 * clip(grey + contrast · n(M · F⁻¹(A(f) · e^(iφ)) - spatial mean), 0, 255), n(x) = x / rms(x).
 */
function phase(settings: Of<'phase'>, size: PictureSize, scaling: Scaling): Decoder {
  const { channels } = size;
  const [, rows, columns] = spectrumDims(size);
  const grey = greyOf(settings, size, scaling);
  // Engines round the cosine of the last few values otherwise than that of whole groups of 16: each picture has whole ones.
  const wide = Math.ceil(columns / 16) * 16;
  return {
    ...inPictureSpace(size, scaling),
    grey,
    parameters: [around0('phase', [channels, rows / 2, wide])],
    decode(build, [phases = '']) {
      const turned = build.add('Concat', [build.add('Cos', [phases]), build.add('Sin', [phases])], {
        axis: int(2),
      });
      const bounds = [[0], [columns], [3]].map((place) => build.shape(place));
      const spectrum = build.add('Slice', [turned, ...bounds]);
      const plane = inverseFourier(build, spectrum, size, amplitude(size, settings));
      const colours = centred(build, mixed(build, plane, settings.colours, channels));
      return displayable(build, toRms(build, colours, build.scalar(settings.contrast)), grey);
    },
  };
}

/**
 * clip(grey + contrast · n((1 + w) · n(M · F⁻¹(z · max(f, 1/S)⁻¹ · exp(-(f/lowPass)⁴)) - spatial mean) + c), 0, 255),
 * n(x) = x / rms(x), a picture at a time: every picture has one contrast, so the ascent cannot win by contrast alone.
 */
function sphere(settings: Of<'sphere'>, size: PictureSize, scaling: Scaling): Decoder {
  const { channels } = size;
  const grey = greyOf(settings, size, scaling);
  const spectrum = around0('spectrum', spectrumDims(size));
  const colour: Parameter = {
    ...around0('colour', [channels, 1, 1]),
    start: 'zeros',
    rateFactor: settings.colourRate,
  };
  const structure: Parameter = {
    ...around0('structure', [1, 1, 1]),
    start: 'zeros',
    rateFactor: settings.structureRate,
  };
  const gain = amplitude(size, { exponent: 1, lowPass: settings.lowPass });
  return {
    ...inPictureSpace(size, scaling),
    grey,
    parameters: [spectrum, colour, structure].filter(({ rateFactor }) => rateFactor > 0),
    decode(build, [z = '', c, w]) {
      const plane = correlateColours(build, inverseFourier(build, z, size, gain), channels);
      const contrast = build.scalar(settings.contrast);
      const structured = centred(build, plane);
      if (c === undefined) return displayable(build, toRms(build, structured, contrast), grey);
      const rms = w === undefined ? build.scalar(1) : build.add('Add', [w, build.scalar(1)]);
      const coloured = build.add('Add', [toRms(build, structured, rms), c]);
      return displayable(build, toRms(build, coloured, contrast), grey);
    },
  };
}

const greyOf = (
  { grey }: { readonly grey: 'network' | number },
  { channels }: PictureSize,
  scaling: Scaling,
): readonly number[] => (grey === 'network' ? networkGrey(scaling) : new Array<number>(channels).fill(grey));

const mixed = (
  build: GraphBuilder,
  plane: string,
  colours: 'decorrelated' | 'plain',
  channels: number,
): string => (colours === 'plain' ? plane : correlateColours(build, plane, channels));

/** Any number → 0..255. */
function toValid(build: GraphBuilder, value: string, valid: 'sigmoid' | 'clip'): string {
  if (valid === 'sigmoid') return build.add('Mul', [build.add('Sigmoid', [value]), build.scalar(255)]);
  const line = build.add('Mul', [value, build.scalar(63.75)]);
  return clip255(build, build.add('Add', [line, build.scalar(127.5)]));
}

const clip255 = (build: GraphBuilder, value: string): string =>
  build.add('Clip', [value, build.scalar(0), build.scalar(255)]);

const centred = (build: GraphBuilder, plane: string): string =>
  build.add('Sub', [plane, build.mean(plane, 'map')]);

/** clip(grey + value, 0, 255). */
const displayable = (build: GraphBuilder, value: string, grey: readonly number[]): string =>
  clip255(build, build.add('Add', [value, build.perChannel(grey)]));

/** x · rms / rms(x), a picture at a time; `rms` is a number or one a picture, [N, 1, 1, 1]. */
function toRms(build: GraphBuilder, value: string, rms: string): string {
  const meanSquare = build.mean(build.add('Mul', [value, value]), 'picture');
  // The smallest normal float keeps an all-zero spectrum from becoming NaN.
  const root = build.add('Sqrt', [build.add('Add', [meanSquare, build.scalar(1e-30)])]);
  return build.add('Mul', [value, build.add('Div', [rms, root])]);
}
