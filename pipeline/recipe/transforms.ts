/** (settings) ⇒ (random numbers of one step) ⇒ (picture [N, C, H, W]) ⇒ picture. */

import type { GraphBuilder } from '../network/build.ts';
import { float32, int, ints, text } from '../network/graph.ts';
import type { Random } from './random.ts';
import { blurring, resample } from './resampling.ts';
import type { Transform } from './schema.ts';
import type { PictureSize } from './size.ts';

/** A graph input [batch, …dims] that the host draws anew for each picture and step. */
export interface Draw {
  readonly name: string;
  readonly dims: readonly number[];
  draw(random: Random): readonly number[];
}

export interface TransformRule {
  readonly draws: readonly Draw[];
  /** Of what it gives. */
  readonly size: PictureSize;
  /** `draws` are the inputs' names; `grey` is what lies between black and white, a channel. */
  write(build: GraphBuilder, value: string, draws: readonly string[], grey: readonly number[]): string;
}

type Of<Kind> = Extract<Transform, { kind: Kind }>;

const transforms: {
  readonly [Kind in Transform['kind']]: (settings: Of<Kind>, size: PictureSize) => TransformRule;
} = { jitter, pad, scale, rotate, crop, noise, blur, flip };

/** Looks a transform up by its kind; `size` is that of the picture it is given. */
export function transformRule(settings: Transform, size: PictureSize): TransformRule {
  // The table is keyed by `kind`, which TypeScript cannot follow through the lookup.
  const rule = transforms[settings.kind] as (settings: Transform, size: PictureSize) => TransformRule;
  return rule(settings, size);
}

const numberNamed = (name: string, draw: (random: Random) => number): Draw => ({
  name,
  dims: [1, 1, 1],
  draw: (random) => [draw(random)],
});

const oneOf = (choices: readonly number[], random: Random): number =>
  choices[random.integer(0, choices.length - 1)] as number;

/** Calls `write` with the picture minus grey, and adds it again: what comes in as 0 is grey. */
function aroundGrey(
  build: GraphBuilder,
  value: string,
  grey: readonly number[],
  write: (centred: string) => string,
): string {
  const fill = build.perChannel(grey);
  return build.add('Add', [write(build.add('Sub', [value, fill])), fill]);
}

/** out[y, x] = in[y - d, x - e]. */
function jitter({ pixels, border }: Of<'jitter'>, size: PictureSize): TransformRule {
  const { height, width } = size;
  const shift = (name: string): Draw => numberNamed(name, (random) => random.integer(-pixels, pixels));
  return {
    draws: [shift('down'), shift('right')],
    size:
      border === 'crop' ? { ...size, height: cropped(height, pixels), width: cropped(width, pixels) } : size,
    write(build, value, [down = '', right = ''], grey) {
      const move = (moved: string, wraps: boolean): string =>
        build.add('Shift', [moved, down, right], {
          pixels: int(pixels),
          sides: ints([height, width]),
          wraps: int(Number(wraps)),
        });
      switch (border) {
        case 'wrap':
          return move(value, true);
        case 'grey':
          return aroundGrey(build, value, grey, (centred) => move(centred, false));
        case 'crop': {
          // What comes in at the border is cut off again.
          const place = [(height - cropped(height, pixels)) / 2, (width - cropped(width, pixels)) / 2];
          const end = [height - (place[0] as number), width - (place[1] as number)];
          return build.add('Slice', [
            move(value, false),
            build.shape(place),
            build.shape(end),
            build.shape([2, 3]),
          ]);
        }
      }
    },
  };
}

/** The side that is left, one pixel at least. */
const cropped = (side: number, pixels: number): number => (side > 2 * pixels ? side - 2 * pixels : side);

function pad({ pixels, border }: Of<'pad'>, size: PictureSize): TransformRule {
  const by = frame(pixels);
  return {
    draws: [],
    size: { ...size, height: size.height + 2 * pixels, width: size.width + 2 * pixels },
    write(build, value, _draws, grey) {
      const widen = (inner: string, mode: 'constant' | 'edge' | 'reflect'): string =>
        build.add('Pad', [inner, build.shape(by)], { mode: text(mode) });
      if (border === 'edge' || border === 'reflect') return widen(value, border);
      const fill = border === 'grey' ? grey : grey.map(() => border);
      return aroundGrey(build, value, fill, (centred) => widen(centred, 'constant'));
    },
  };
}

const frame = (pixels: number): number[] => [0, 0, pixels, pixels, 0, 0, pixels, pixels];

/**
 * Linear interpolation at `source` places [batch, 1, side, 1]: the matrix max(0, 1 - |from - source|), from the left
 * for rows; for columns the same from the right, `source` being [batch, 1, 1, side].
 */
function interpolating(build: GraphBuilder, source: string, side: number, axis: 'rows' | 'columns'): string {
  const places = Float32Array.from({ length: side }, (_, place) => place);
  const dims = axis === 'rows' ? [1, 1, 1, side] : [1, 1, side, 1];
  const from = build.constant(float32(dims, places), 'places');
  const away = build.add('Abs', [build.add('Sub', [from, source])]);
  return build.add('Relu', [build.add('Sub', [build.scalar(1), away])]);
}

/** A constant [1, 1, side, 1] for rows, [1, 1, 1, side] for columns. */
function ramp(
  build: GraphBuilder,
  side: number,
  axis: 'rows' | 'columns',
  at: (place: number) => number,
): string {
  const data = Float32Array.from({ length: side }, (_, place) => at(place));
  return build.constant(float32(axis === 'rows' ? [1, 1, side, 1] : [1, 1, 1, side], data), 'ramp');
}

const around = (
  build: GraphBuilder,
  value: string,
  { height, width }: PictureSize,
  source: (side: number, axis: 'rows' | 'columns') => string,
): string => {
  const rows = interpolating(build, source(height, 'rows'), height, 'rows');
  const columns = interpolating(build, source(width, 'columns'), width, 'columns');
  return build.add('MatMul', [build.add('MatMul', [rows, value]), columns]);
};

/** About the centre: out[y] = in[(y - c) / factor + c]. */
function scale({ factors }: Of<'scale'>, size: PictureSize): TransformRule {
  return {
    draws: [numberNamed('zoom', (random) => 1 / oneOf(factors, random))],
    size,
    write: (build, value, [zoom = ''], grey) =>
      aroundGrey(build, value, grey, (centred) =>
        around(build, centred, size, (side, axis) => {
          const c = (side - 1) / 2;
          const offsets = ramp(build, side, axis, (place) => place - c);
          return build.add('Add', [build.add('Mul', [offsets, zoom]), build.scalar(c)]);
        }),
      ),
  };
}

/** A window of a share of each side, anywhere in the picture, enlarged to the picture's size. */
function crop({ low, high }: Of<'crop'>, size: PictureSize): TransformRule {
  return {
    draws: [
      {
        name: 'window',
        dims: [3, 1, 1],
        draw(random) {
          const share = low + (high - low) * random.uniform();
          return [share, (1 - share) * random.uniform(), (1 - share) * random.uniform()];
        },
      },
    ],
    size,
    write(build, value, [window = '']) {
      const part = (index: number): string => channelOf(build, window, index);
      const share = part(0);
      return around(build, value, size, (side, axis) => {
        const wide = build.add('Mul', [ramp(build, side, axis, (place) => place + 0.5), share]);
        const offset = build.add('Mul', [part(axis === 'rows' ? 1 : 2), build.scalar(side)]);
        const source = build.add('Sub', [build.add('Add', [wide, offset]), build.scalar(0.5)]);
        return build.add('Clip', [source, build.scalar(0), build.scalar(side - 1)]);
      });
    },
  };
}

const channelOf = (build: GraphBuilder, value: string, channel: number): string =>
  build.add('Slice', [value, build.shape([channel]), build.shape([channel + 1]), build.shape([1])]);

/**
 * Three shears (A. Paeth, "A fast algorithm for general raster rotation", 1986): along rows by -tan(θ/2), along
 * columns by sin θ, along rows again. A shear is the product with a triangular-kernel matrix a row, of which only the
 * few bands that the largest angle reaches are written.
 */
function rotate({ degrees }: Of<'rotate'>, size: PictureSize): TransformRule {
  const { height, width } = size;
  const angles = degrees.map((angle) => (angle * Math.PI) / 180);
  const steepest = (slope: (angle: number) => number): number =>
    Math.max(...angles.map((angle) => Math.abs(slope(angle))));
  const acrossSlope = (angle: number): number => -Math.tan(angle / 2);
  return {
    draws: [
      {
        name: 'slopes',
        dims: [2, 1, 1],
        draw(random) {
          const angle = oneOf(angles, random);
          return [acrossSlope(angle), Math.sin(angle)];
        },
      },
    ],
    size,
    write(build, value, [slopes = ''], grey) {
      const [across, along] = [channelOf(build, slopes, 0), channelOf(build, slopes, 1)];
      const shearRows = (from: string): string => shear(build, from, across, size, 3, steepest(acrossSlope));
      const shearColumns = (from: string): string => shear(build, from, along, size, 2, steepest(Math.sin));
      return aroundGrey(build, value, grey, (centred) =>
        height * width === 1 ? centred : shearRows(shearColumns(shearRows(centred))),
      );
    },
  };
}

/** out[…, p] = Σ_k max(0, 1 - |s - k|) · in[…, p - k] along `axis`, s = slope · distance from the other axis' middle. */
function shear(
  build: GraphBuilder,
  value: string,
  slope: string,
  { height, width }: PictureSize,
  axis: 2 | 3,
  steepest: number,
): string {
  const [side, other] = axis === 3 ? [width, height] : [height, width];
  const c = (other - 1) / 2;
  const shift = build.add('Mul', [
    slope,
    ramp(build, other, axis === 3 ? 'rows' : 'columns', (place) => place - c),
  ]);
  const reach = Math.ceil(steepest * c);
  if (reach === 0) return value;
  const pads = axis === 3 ? [0, 0, 0, reach, 0, 0, 0, reach] : [0, 0, reach, 0, 0, 0, reach, 0];
  const wide = build.add('Pad', [value, build.shape(pads)]);
  let sum: string | undefined;
  for (let k = -reach; k <= reach; k++) {
    const away = build.add('Abs', [build.add('Sub', [shift, build.scalar(k)])]);
    const weight = build.add('Relu', [build.add('Sub', [build.scalar(1), away])]);
    const from = reach - k;
    const moved = build.add('Slice', [
      wide,
      build.shape([from]),
      build.shape([from + side]),
      build.shape([axis]),
    ]);
    const band = build.add('Mul', [moved, weight]);
    sum = sum === undefined ? band : build.add('Add', [sum, band]);
  }
  return sum as string;
}

function noise({ deviation }: Of<'noise'>, size: PictureSize): TransformRule {
  const { channels, height, width } = size;
  const length = channels * height * width;
  return {
    draws: [
      {
        name: 'noise',
        dims: [channels, height, width],
        draw: (random) => Array.from({ length }, () => deviation * random.normal()),
      },
    ],
    size,
    write: (build, value, [drawn = '']) => build.add('Add', [value, drawn]),
  };
}

function blur({ deviation }: Of<'blur'>, size: PictureSize): TransformRule {
  const [rows, columns] = [blurring(size.height, deviation), blurring(size.width, deviation)];
  return { draws: [], size, write: (build, value) => resample(build, value, rows, columns) };
}

function flip(_settings: Of<'flip'>, size: PictureSize): TransformRule {
  return {
    draws: [numberNamed('flipped', (random) => random.integer(0, 1))],
    size,
    write(build, value, [flipped = '']) {
      const from = build.shape([size.width - 1]);
      // The end before place 0: counted from the end, one side and a place further.
      const end = build.shape([-size.width - 1]);
      const mirror = build.add('Slice', [value, from, end, build.shape([3]), build.shape([-1])]);
      return build.add('Add', [
        build.add('Mul', [mirror, flipped]),
        build.add('Mul', [value, build.add('Sub', [build.scalar(1), flipped])]),
      ]);
    },
  };
}
