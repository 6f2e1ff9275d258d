/**
 * Convolutions 3×3 between few channels, channels first, and many, channels last: products of two matrices, of which one
 * has every place's taps, so that no layout changes. Every picture may have a kernel of its own.
 */

import type { GraphBuilder } from '../build.ts';
import { type Float32Tensor, float32, ints } from '../graph.ts';
import {
  arranged,
  type Bands,
  edgesFor,
  picturesOf,
  reshaped,
  split,
  stacked,
  transposed,
  withPictures,
} from './bands.ts';
import type { Axis } from './winograd.ts';

const taps = 9;

export interface Narrow {
  readonly vertical: Axis;
  readonly horizontal: Axis;
  /** The channels that are few. */
  readonly few: number;
}

/** Zeros that are beyond the last place that is read. */
const after = ({ size, before, written }: Axis): number => written + 2 - size - before;

const padsOf = ({ vertical, horizontal }: Narrow): number[] => [
  vertical.before,
  horizontal.before,
  after(vertical),
  after(horizontal),
];

/**
 * Writes the convolution of `x` [N, few, height, width].
 * @param kernels Of each picture [few · taps, many], or with one more row, which is added at every place.
 * @param dims Of what is written, [N, many, height, width].
 */
export function fromFew(
  build: GraphBuilder,
  x: string,
  settings: Narrow & { readonly hasBias: boolean },
  kernels: readonly string[],
  dims: readonly number[],
): Bands {
  const { few, hasBias } = settings;
  const [pictures, rows] = [kernels.length, taps * few + Number(hasBias)];
  const [, , height = 1, width = 1] = dims;
  const own = build.shared(`taps of ${few} ${hasBias}`, () => unitKernels(few, rows, (tap) => tap), 'taps');
  const one = build.shared(
    `one after ${taps * few}`,
    () =>
      float32(
        [rows],
        Array.from({ length: rows }, (_, row) => Number(row === taps * few)),
      ),
    'one',
  );
  const edges = withPictures(edgesFor(dims), dims);
  const parts = split(build, x, new Array<number>(pictures).fill(1)).flatMap((picture, index) => {
    const ofPlaces = build.add('Conv', [picture, own, ...(hasBias ? [one] : [])], {
      pads: ints(padsOf(settings)),
    });
    const inside = edges.filter((edge) => edge >= index * height && edge <= (index + 1) * height);
    const lengths = inside.slice(1).map((edge, before) => (edge - (inside[before] as number)) * width);
    return split(build, reshaped(build, ofPlaces, [rows, height * width]), lengths, 1).map((matrix) =>
      build.add('MatMul', [transposed(build, matrix, [1, 0]), kernels[index] as string]),
    );
  });
  return { dims, edges, inQuarters: false, parts };
}

/**
 * Writes the convolution of `x`, [N, few, height, width].
 * @param kernels Of each picture [few · taps, many].
 * @param bias The name of a value [few] that is added.
 */
export function toFew(
  build: GraphBuilder,
  x: Bands,
  settings: Narrow,
  kernels: readonly string[],
  bias?: string,
): string {
  const { few } = settings;
  const [, , height = 1, width = 1] = x.dims;
  const edges = withPictures(x.edges, x.dims);
  const { parts } = arranged(build, x, { edges, inQuarters: false });
  // Every map goes to where its tap reads it from.
  const places = build.shared(
    `taps to ${few}`,
    () => unitKernels(few, taps * few, (tap) => taps - 1 - tap),
    'taps',
  );
  const ofPictures = picturesOf(x.dims)
    .slice(1)
    .map((end, index) => {
      const met = parts
        .filter((_, part) => (edges[part] as number) >= end - height && (edges[part] as number) < end)
        .map((part) => build.add('MatMul', [kernels[index] as string, transposed(build, part, [1, 0])]));
      return build.add(
        'ConvTranspose',
        [
          reshaped(build, stacked(build, met, 1), [1, taps * few, height, width]),
          places,
          ...(bias === undefined ? [] : [bias]),
        ],
        { pads: ints(padsOf(settings).map((pad) => 2 - pad)) },
      );
    });
  return stacked(build, ofPictures);
}

/** [rows, few, 3, 3]: in row `channel · taps + tap` of a channel a 1 at a tap, and zeros. */
function unitKernels(few: number, rows: number, at: (tap: number) => number): Float32Tensor {
  const result = new Float32Array(rows * few * taps);
  for (let row = 0; row < few * taps; row++) {
    result[(row * few + Math.floor(row / taps)) * taps + at(row % taps)] = 1;
  }
  return float32([rows, few, 3, 3], result);
}

/** [many, few, 3, 3] and [many] ⇒ [few · taps, many] and one more row. */
export function kernelFromFew({ dims, data }: Float32Tensor, bias?: Float32Tensor): Float32Tensor {
  const [many = 1, few = 1] = dims;
  const rows = few * taps;
  const result = new Float32Array((rows + Number(bias !== undefined)) * many);
  for (let row = 0; row < rows; row++) {
    for (let channel = 0; channel < many; channel++)
      result[row * many + channel] = data[channel * rows + row] ?? 0;
  }
  if (bias !== undefined) result.set(bias.data, rows * many);
  return float32([result.length / many, many], result);
}

/** [few, many, 3, 3] ⇒ [few · taps, many]. */
export function kernelToFew({ dims, data }: Float32Tensor): Float32Tensor {
  const [few = 1, many = 1] = dims;
  const result = new Float32Array(data.length);
  for (let filter = 0; filter < few; filter++) {
    for (let channel = 0; channel < many; channel++) {
      for (let tap = 0; tap < taps; tap++) {
        result[(filter * taps + tap) * many + channel] = data[(filter * many + channel) * taps + tap] ?? 0;
      }
    }
  }
  return float32([few * taps, many], result);
}

/** A value of [pictures, many, taps] as each picture's [taps, many]. */
export function ownKernels(build: GraphBuilder, kernels: string, pictures: number, many: number): string[] {
  const byChannel = reshaped(build, kernels, [pictures, many, taps]);
  const byTap = reshaped(build, transposed(build, byChannel, [0, 2, 1]), [pictures * taps, many]);
  return split(build, byTap, new Array<number>(pictures).fill(taps));
}
