/** Half of a real picture's Fourier spectrum ⇒ the picture, as matrix products. */

import type { GraphBuilder } from '../network/build.ts';
import { float32 } from '../network/graph.ts';
import type { PictureSize } from './size.ts';

/** Half of a real picture's spectrum, [C, 2H, K]: rows 0…H-1 real, H…2H-1 imaginary parts, K = floor(W/2) + 1. */
export function spectrumDims({ channels, height, width }: PictureSize): [number, number, number] {
  return [channels, 2 * height, Math.floor(width / 2) + 1];
}

/**
 * The inverse of the two-dimensional real Fourier transform, as two matrix products on each side of the spectrum:
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

/** Amplitude by frequency f (cycles a pixel): max(f, 1/S)^-exponent · exp(-(f/lowPass)⁴), S the longer side. */
export function amplitude(
  { height, width }: PictureSize,
  { exponent, lowPass }: { readonly exponent: number; readonly lowPass?: number | undefined },
): (f: number) => number {
  const least = 1 / Math.max(height, width);
  const damping = (f: number): number => (lowPass === undefined ? 1 : Math.exp(-((f / lowPass) ** 4)));
  return (f) => damping(f) / Math.max(f, least) ** exponent;
}
