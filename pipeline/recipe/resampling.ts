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
 * From `from` to `to` values: half-pixel centres, source = (i + 0.5) · from / to - 0.5, the border repeated, no
 * antialiasing.
 */
export function resizing(from: number, to: number, interpolation: Interpolation): Matrix {
  const { reach, weight } = kernels[interpolation];
  const data = new Float32Array(to * from);
  for (let row = 0; row < to; row++) {
    const source = ((row + 0.5) * from) / to - 0.5;
    for (let place = Math.ceil(source - reach); place <= source + reach; place++) {
      const index = row * from + Math.min(from - 1, Math.max(0, place));
      data[index] = (data[index] as number) + weight(Math.abs(place - source));
    }
  }
  return { to, from, data };
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
