/** Which units of a layer stand for it on the pages above. */

import type { LayerSummary, UnitRecord } from '../../content/schema.ts';

/**
 * At most `limit` living units in the order of the layer: the layer is divided into that many stretches, and the unit
 * with the highest activation of each is taken. Neighbours often look alike; stretches keep them apart.
 */
export function samplesOf(units: readonly UnitRecord[], limit = 12): LayerSummary['samples'] {
  const living = units.filter(({ measures }) => !measures.dead).sort((a, b) => a.unit - b.unit);
  const count = Math.min(limit, living.length);
  return Array.from({ length: count }, (_, place) => {
    const stretch = living.slice(
      Math.floor((place * living.length) / count),
      Math.floor(((place + 1) * living.length) / count),
    );
    const best = stretch.reduce((a, b) => (b.measures.activation > a.measures.activation ? b : a));
    return { unit: best.unit, ...best.image };
  });
}
