/**
 * How much the pictures of one unit are alike, so that an ascent can make them differ: lucid's `diversity` (Olah,
 * Mordvintsev, Schubert, "Feature Visualization", Distill, 2017). The pictures that are compared belong to one unit and
 * are part of what the recipe asks for; no picture depends on another unit's.
 */

import type { GraphBuilder } from '../network/build.ts';
import { float32, ints } from '../network/graph.ts';
import type { Diversity } from './schema.ts';

/**
 * Writes, for each picture, weight / pictures · Σ over the unit's other pictures of the cosine between their Gram
 * matrices G = F·Fᵀ, F the layer's maps as [channels, places]; [rows].
 * @param maps [rows, …dims], `pictures` rows a unit after each other.
 */
export function likeness(
  build: GraphBuilder,
  { pictures, weight }: Diversity,
  maps: string,
  dims: readonly number[],
): string {
  const [channels = 1] = dims;
  const features = build.add('Reshape', [maps, build.shape([0, channels, -1])]);
  const turned = build.add('Transpose', [features], { perm: ints([0, 2, 1]) });
  const product = build.add('MatMul', [features, turned]);
  const gram = build.add('Reshape', [product, build.shape([0, 1, channels, channels])]);
  // By the mean square: a silent layer's Gram matrix is 0 and is like no other.
  const square = build.mean(build.add('Mul', [gram, gram]), 'picture');
  const root = build.add('Sqrt', [build.add('Add', [square, build.scalar(1e-30)])]);
  const unit = build.add('Div', [gram, root]);
  const group = build.add('Reshape', [unit, build.shape([-1, pictures, channels * channels])]);
  const cosines = build.add('MatMul', [group, build.add('Transpose', [group], { perm: ints([0, 2, 1]) })]);
  const others = Float32Array.from({ length: pictures * pictures }, (_, place) =>
    place % (pictures + 1) === 0 ? 0 : weight / pictures / (channels * channels),
  );
  const counted = build.add('Mul', [
    cosines,
    build.constant(float32([1, pictures, pictures], others), 'others'),
  ]);
  const ones = build.constant(float32([pictures, 1], new Array<number>(pictures).fill(1)), 'ones');
  return build.add('Reshape', [build.add('MatMul', [counted, ones]), build.shape([-1])]);
}
