/** How many pictures climb together. It changes speed and memory, and no picture. */

/** Enough pictures a step to fill two cores on small ones, few enough to keep large ones in the caches. */
export function batchFor(pixels: number, units: number): number {
  return Math.max(1, Math.min(units, 16, Math.floor((16 * 64 * 64) / pixels)));
}
