/** How far a unit's own weights are from what they were. */

import { GraphBuilder } from '../network/build.ts';
import { copier, cutAtLayer, toLayout } from '../network/cut.ts';
import type { Layer, Network } from '../network/network.ts';

/** The weights of a layer that are one unit's own, by unit; where they cannot be told apart, none differ. */
export function ownWeights(network: Network, layer: Layer): (unit: number) => readonly Float32Array[] {
  const build = new GraphBuilder(undefined, network.graph.opset);
  const picture = build.input('picture', [1, network.input.channels, null, null]);
  const given = new Map([[network.input.name, toLayout(build, picture, network)]]);
  const { slices } = cutAtLayer(build, network, layer, picture, 1, copier(build, network.graph, given));
  return (unit) => slices.map(({ pick }) => pick(unit));
}

/**
 * ‖after − before‖ / ‖before‖, Euclidean, over all of a unit's own weights; ‖after‖ where all were 0. Null where the
 * two have not as many weights.
 */
export function relativeDistance(
  before: readonly Float32Array[],
  after: readonly Float32Array[],
): number | null {
  const isAlike =
    before.length === after.length && before.every((own, at) => own.length === after[at]?.length);
  if (!isAlike) return null;
  let [squares, norm] = [0, 0];
  for (const [at, own] of before.entries()) {
    const other = after[at] as Float32Array;
    for (let index = 0; index < own.length; index++) {
      const value = own[index] as number;
      squares += ((other[index] as number) - value) ** 2;
      norm += value ** 2;
    }
  }
  return Math.sqrt(squares) / (norm === 0 ? 1 : Math.sqrt(norm));
}
