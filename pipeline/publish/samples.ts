/** Which units of a layer stand for it on the pages above. */

import type { LayerSummary, UnitRecord } from '../../content/schema.ts';

/**
 * At most `limit` living units in the order of the layer: the layer is divided into that many stretches, and the unit
 * with the highest activation of each is taken. Neighbours often look alike; stretches keep them apart. What shows next
 * to nothing stands for its layer only where much of the layer is so.
 * @param bytesOf Size of a unit's encoded picture: a measure of how much there is to see.
 */
export function samplesOf(
  units: readonly UnitRecord[],
  bytesOf: (unit: number) => number,
  limit = 12,
): LayerSummary['samples'] {
  const living = units.filter(({ measures }) => !measures.dead).sort((a, b) => a.unit - b.unit);
  const sizes = living.map(({ unit }) => bytesOf(unit)).sort((a, b) => a - b);
  // A third of what a quarter of the layer falls short of.
  const least = (sizes[Math.floor(sizes.length / 4)] ?? 0) / 3;
  const shown = living.filter(({ unit }) => bytesOf(unit) >= least);
  const count = Math.min(limit, shown.length);
  return Array.from({ length: count }, (_, place) => {
    const stretch = shown.slice(
      Math.floor((place * shown.length) / count),
      Math.floor(((place + 1) * shown.length) / count),
    );
    const best = stretch.reduce((a, b) => (b.measures.activation > a.measures.activation ? b : a));
    return { unit: best.unit, ...best.image };
  });
}
