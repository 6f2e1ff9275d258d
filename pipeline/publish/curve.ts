/** Curves for the web: few enough points to draw, close enough at the start, where most happens, and at the end. */

import { spread } from '../picture/strip.ts';

/**
 * At most `limit` points [step, value] of a curve whose k-th value belongs to step k: half of them evenly spread,
 * half evenly on a logarithmic scale, the first and the last among them. Values are rounded to 7 digits, about what
 * a 32-bit float holds.
 */
export function thinned(curve: readonly number[], limit = 256): [step: number, value: number][] {
  return kept(curve.length, limit).map((step) => [step, Number((curve[step] ?? 0).toPrecision(7))]);
}

function kept(count: number, limit: number): number[] {
  if (count <= limit) return spread(count, limit);
  const half = Math.floor(limit / 2);
  const logarithmic = Array.from({ length: half }, (_, place) => Math.floor(count ** (place / half)) - 1);
  const steps = new Set([...spread(count, limit - half), ...logarithmic]);
  return [...steps].sort((a, b) => a - b);
}
