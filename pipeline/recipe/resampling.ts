/** Resampling along one axis as a matrix [to, from] of constants: out = rows · in · columnsᵀ, two plain matrix products. */

import type { GraphBuilder } from '../network/build.ts';
import { float32 } from '../network/graph.ts';

export interface Matrix {
  readonly to: number;
  readonly from: number;
  /** Row-major. */
  readonly data: Float32Array;
}

/** Writes rows · value · columnsᵀ of an [N, C, h, w] value. */
export function resample(build: GraphBuilder, value: string, rows: Matrix, columns: Matrix): string {
  const { to, from, data } = columns;
  const turned = Float32Array.from(
    { length: data.length },
    (_, index) => data[(index % to) * from + Math.floor(index / to)] as number,
  );
  const left = build.constant(float32([rows.to, rows.from], rows.data), 'rows');
  const right = build.constant(float32([from, to], turned), 'columns');
  return build.add('MatMul', [build.add('MatMul', [left, value]), right]);
}

/** Place in 0…side - 1 of a place outside of it where the border is mirrored: d c b a | a b c d | d c b a. */
export function mirrored(place: number, side: number): number {
  const period = 2 * side;
  const within = ((place % period) + period) % period;
  return within < side ? within : period - 1 - within;
}

/** Interpolation between neighbours: how much a value counts at a distance from it, and up to which distance. */
const kernels = {
  bilinear: { reach: 1, weight: (distance: number) => Math.max(0, 1 - distance) },
  /** Keys, "Cubic convolution interpolation for digital image processing", 1981, with a = -1/2. */
  bicubic: {
    reach: 2,
    weight: (d: number) => {
      if (d < 1) return (1.5 * d - 2.5) * d * d + 1;
      return d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
    },
  },
} as const;
export type Interpolation = keyof typeof kernels;

/**
 * From `from` to `to` values: half-pixel centres, source = (i + 0.5) · from / to - 0.5, the border repeated.
 * @param smooth Where there get fewer, whether each is made from all that lie around it, so that nothing shimmers; no
 *   antialiasing where it is false.
 */
export function resizing(from: number, to: number, interpolation: Interpolation, smooth = false): Matrix {
  const { reach, weight } = kernels[interpolation];
  const stretch = smooth ? Math.max(1, from / to) : 1;
  const data = new Float32Array(to * from);
  for (let row = 0; row < to; row++) {
    const source = ((row + 0.5) * from) / to - 0.5;
    const weights = new Map<number, number>();
    for (let place = Math.ceil(source - reach * stretch); place <= source + reach * stretch; place++)
      weights.set(place, weight(Math.abs(place - source) / stretch));
    const total = smooth ? [...weights.values()].reduce((sum, value) => sum + value, 0) : 1;
    for (const [place, value] of weights) {
      const index = row * from + Math.min(from - 1, Math.max(0, place));
      data[index] = (data[index] as number) + value / total;
    }
  }
  return { to, from, data };
}

/** rows · plane · columnsᵀ of each of the planes, on the host. */
export function resamplePlanes(planes: Float32Array, rows: Matrix, columns: Matrix): Float32Array {
  const count = planes.length / (rows.from * columns.from);
  const result = new Float32Array(count * rows.to * columns.to);
  const row = new Float64Array(columns.from);
  for (let plane = 0, place = 0; plane < count; plane++) {
    for (let y = 0; y < rows.to; y++) {
      row.fill(0);
      for (let from = 0; from < rows.from; from++) {
        const weight = rows.data[y * rows.from + from] as number;
        const start = (plane * rows.from + from) * columns.from;
        if (weight === 0) continue;
        for (const [x, sum] of row.entries()) row[x] = sum + weight * (planes[start + x] as number);
      }
      for (let x = 0; x < columns.to; x++) {
        const weights = columns.data.subarray(x * columns.from, (x + 1) * columns.from);
        result[place++] = weights.reduce((sum, weight, from) => sum + weight * (row[from] as number), 0);
      }
    }
  }
  return result;
}

/** Gaussian blur as scipy.ndimage's `gaussian_filter`: radius floor(4σ + 0.5), normalised, the border mirrored. */
export function blurring(side: number, deviation: number): Matrix {
  const radius = Math.floor(4 * deviation + 0.5);
  const weights = Array.from({ length: 2 * radius + 1 }, (_, index) =>
    Math.exp(-0.5 * ((index - radius) / deviation) ** 2),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const data = new Float32Array(side * side);
  for (let row = 0; row < side; row++) {
    weights.forEach((weight, index) => {
      const place = row * side + mirrored(row + index - radius, side);
      data[place] = (data[place] as number) + weight / total;
    });
  }
  return { to: side, from: side, data };
}
