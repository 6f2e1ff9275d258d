/** (settings) ⇒ (objective curve so far) ⇒ whether it is worth to go on. */

import type { Stop } from './schema.ts';

/**
 * Whether the curve has become flat: the mean of its last `window` values is above that of the `window` before by no
 * more than `gain` of itself. Means, because with random transforms one value says little.
 */
export function isFlat({ window, gain }: Stop, curve: readonly number[]): boolean {
  if (curve.length < 2 * window) return false;
  const mean = (from: number): number =>
    curve.slice(from, from + window).reduce((sum, value) => sum + value, 0) / window;
  const [before, now] = [mean(curve.length - 2 * window), mean(curve.length - window)];
  return now - before <= gain * Math.abs(now);
}
