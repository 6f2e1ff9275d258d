/** How fine a picture's structure is. */

import type { Planes } from './display.ts';

/**
 * Share of the picture's power, its mean apart, at frequencies above `from` cycles a pixel; 0 for a picture of one
 * colour. Of the mean of its channels. All power is the variance (Parseval); that of the low frequencies is summed
 * from the discrete Fourier transform, which needs those alone.
 */
export function highFrequencyShare({ channels, height, width, data }: Planes, from = 0.25): number {
  const area = height * width;
  const grey = Float64Array.from({ length: area }, (_, place) => {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++) sum += data[channel * area + place] as number;
    return sum / channels;
  });
  const mean = grey.reduce((sum, value) => sum + value, 0) / area;
  const variance = grey.reduce((sum, value) => sum + (value - mean) ** 2, 0) / area;
  if (variance < 1e-9) return 0;

  // Negative kx mirror the positive ones: they are not computed but counted.
  const columns = Math.min(Math.floor(from * width), Math.floor(width / 2)) + 1;
  const across = transformRows(grey, height, width, columns);
  let low = 0;
  for (let kx = 0; kx < columns; kx++) {
    const weight = kx === 0 || 2 * kx === width ? 1 : 2;
    for (let ky = 0; ky < height; ky++) {
      const f = Math.hypot(Math.min(ky, height - ky) / height, kx / width);
      if (f <= from && f > 0) low += weight * powerOf(across, columns, kx, height, ky);
    }
  }
  return Math.min(1, Math.max(0, 1 - low / area ** 2 / variance));
}

/** The first `kept` frequencies of each row of `length` real values: rows × kept, real and imaginary parts. */
function transformRows(
  values: Float64Array,
  rows: number,
  length: number,
  kept: number,
): readonly [real: Float64Array, imaginary: Float64Array] {
  const [cosines, sines] = circle(length);
  const real = new Float64Array(rows * kept);
  const imaginary = new Float64Array(rows * kept);
  for (let row = 0; row < rows; row++) {
    for (let k = 0; k < kept; k++) {
      let re = 0;
      let im = 0;
      for (let x = 0, angle = 0; x < length; x++, angle = (angle + k) % length) {
        const value = values[row * length + x] as number;
        re += value * (cosines[angle] as number);
        im -= value * (sines[angle] as number);
      }
      real[row * kept + k] = re;
      imaginary[row * kept + k] = im;
    }
  }
  return [real, imaginary];
}

/** |F|² at (ky, kx), from the transformed rows: the transform of their column kx. */
function powerOf(
  [real, imaginary]: readonly [Float64Array, Float64Array],
  columns: number,
  kx: number,
  height: number,
  ky: number,
): number {
  const [cosines, sines] = circle(height);
  let re = 0;
  let im = 0;
  for (let y = 0, angle = 0; y < height; y++, angle = (angle + ky) % height) {
    const a = real[y * columns + kx] as number;
    const b = imaginary[y * columns + kx] as number;
    const cos = cosines[angle] as number;
    const sin = sines[angle] as number;
    re += a * cos + b * sin;
    im += b * cos - a * sin;
  }
  return re * re + im * im;
}

const circles = new Map<number, readonly [cosines: Float64Array, sines: Float64Array]>();

/** cos and sin of 2πk/length, k = 0 … length - 1. */
function circle(length: number): readonly [Float64Array, Float64Array] {
  const known = circles.get(length);
  if (known !== undefined) return known;
  const cosines = Float64Array.from({ length }, (_, k) => Math.cos((2 * Math.PI * k) / length));
  const sines = Float64Array.from({ length }, (_, k) => Math.sin((2 * Math.PI * k) / length));
  circles.set(length, [cosines, sines]);
  return [cosines, sines];
}
