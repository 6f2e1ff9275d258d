/** Half of a real picture's Fourier spectrum ⇒ the picture, as matrix products. */

import type { GraphBuilder } from '../network/build.ts';
import { float32, ints } from '../network/graph.ts';
import type { PictureSize } from './size.ts';

/** Half of a real picture's spectrum, [C, 2H, K]: rows 0…H-1 real, H…2H-1 imaginary parts, K = floor(W/2) + 1. */
export function spectrumDims({ channels, height, width }: PictureSize): [number, number, number] {
  return [channels, 2 * height, Math.floor(width / 2) + 1];
}

/**
 * The inverse of the two-dimensional real Fourier transform, as a matrix product along each axis:
 * plane[y, x] = 1/(HW) · Σ_kx w · Re(Σ_ky gain(f) · z · e^(2πi(ky·y/H + kx·x/W))), w = 1 for kx = 0 and W/2, else 2;
 * f = √((ky/H)² + (kx/W)²) in cycles a pixel, ky signed.
 */
export function inverseFourier(
  build: GraphBuilder,
  spectrum: string,
  { height, width }: PictureSize,
  gain: (f: number) => number,
): string {
  const columns = Math.floor(width / 2) + 1;
  const gains = new Float32Array(2 * height * columns);
  for (let ky = 0; ky < height; ky++) {
    const fy = (ky < height / 2 ? ky : ky - height) / height;
    for (let kx = 0; kx < columns; kx++)
      gains[ky * columns + kx] = gains[(ky + height) * columns + kx] = gain(Math.hypot(fy, kx / width));
  }
  /** Real and imaginary part of each ky in two rows H apart → those of each y in two columns H apart. */
  const vertical = new Float32Array(4 * height * height);
  for (let ky = 0; ky < height; ky++) {
    for (let y = 0; y < height; y++) {
      const angle = (2 * Math.PI * ((ky * y) % height)) / height;
      const [real, imaginary] = [2 * height * ky + y, 2 * height * (ky + height) + y];
      vertical[real] = vertical[imaginary + height] = Math.cos(angle);
      vertical[real + height] = Math.sin(angle);
      vertical[imaginary] = -Math.sin(angle);
    }
  }
  /** Real and imaginary part of each kx in two neighbouring rows → the real part of each x. */
  const horizontal = new Float32Array(2 * columns * width);
  for (let kx = 0; kx < columns; kx++) {
    const weight = (kx === 0 || 2 * kx === width ? 1 : 2) / (height * width);
    for (let x = 0; x < width; x++) {
      const angle = (2 * Math.PI * ((kx * x) % width)) / width;
      horizontal[2 * kx * width + x] = weight * Math.cos(angle);
      horizontal[(2 * kx + 1) * width + x] = -weight * Math.sin(angle);
    }
  }
  const constant = (rows: number, cols: number, data: Float32Array, hint: string): string =>
    build.constant(float32([rows, cols], data), hint);
  const turned = (value: string): string => build.add('Transpose', [value], { perm: ints([0, 1, 3, 2]) });
  const shaped = build.add('Mul', [
    spectrum,
    build.constant(float32([1, 1, 2 * height, columns], gains), 'gain'),
  ]);
  const byColumn = build.add('MatMul', [
    turned(shaped),
    constant(2 * height, 2 * height, vertical, 'vertical'),
  ]);
  // [N, C, K, 2H] is [N, C, 2K, H], where the parts of a kx are neighbours.
  const parts = build.add('Reshape', [byColumn, build.shape([0, 0, 2 * columns, height])]);
  return build.add('MatMul', [turned(parts), constant(2 * columns, width, horizontal, 'horizontal')]);
}

/** Amplitude by frequency f (cycles a pixel): max(f, 1/S)^-exponent · exp(-(f/lowPass)⁴), S the longer side. */
export function amplitude(
  { height, width }: PictureSize,
  { exponent, lowPass }: { readonly exponent: number; readonly lowPass?: number | undefined },
): (f: number) => number {
  const least = 1 / Math.max(height, width);
  const damping = (f: number): number => (lowPass === undefined ? 1 : Math.exp(-((f / lowPass) ** 4)));
  return (f) => damping(f) / Math.max(f, least) ** exponent;
}
