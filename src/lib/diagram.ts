/**
 * A network as stages from the picture to the scores. Layers that take their input from the same place stand beside
 * each other as branches, and a branch goes on as long as each layer has one layer before it and one after it.
 */

import type { LayerSummary } from '../../content/schema.ts';

export interface Stage {
  /** One in a plain chain; side by side where the network forks. */
  readonly branches: readonly (readonly LayerSummary[])[];
}

/** What lies before each layer; where a gallery does not say, the layer listed before it. */
function inputsOf(layers: readonly LayerSummary[]): ReadonlyMap<string, readonly string[]> {
  return new Map(
    layers.map(({ slug, inputs }, place) => [
      slug,
      inputs ?? layers.slice(Math.max(place - 1, 0), place).map((before) => before.slug),
    ]),
  );
}

/** The stages in the order of `layers`, every layer in one of them. */
export function stagesOf(layers: readonly LayerSummary[]): Stage[] {
  const inputs = inputsOf(layers);
  const followers = new Map<string, number>();
  for (const names of inputs.values()) {
    for (const name of names) followers.set(name, (followers.get(name) ?? 0) + 1);
  }
  const branchOf = new Map<string, LayerSummary[]>();
  const stages = new Map<string, LayerSummary[][]>();
  for (const layer of layers) {
    const before = inputs.get(layer.slug) ?? [];
    const [only] = before;
    const goesOn = before.length === 1 && only !== undefined && followers.get(only) === 1;
    const branch = goesOn ? branchOf.get(only) : undefined;
    if (branch !== undefined) {
      branch.push(layer);
      branchOf.set(layer.slug, branch);
      continue;
    }
    const started = [layer];
    branchOf.set(layer.slug, started);
    const key = [...before].sort().join('\n');
    const stage = stages.get(key);
    if (stage === undefined) stages.set(key, [started]);
    else stage.push(started);
  }
  return [...stages.values()].map((branches) => ({ branches }));
}

export interface Drawn {
  /** Of the widest layer of the network, 0..1: its channels. */
  readonly width: number;
  /** Of the picture's own side, 0..1: its map. */
  readonly height: number;
}

/** How large a layer is, both sides to scale with the other layers of its network. */
export function drawn(layer: LayerSummary, layers: readonly LayerSummary[]): Drawn {
  const [, height = 1] = layer.output;
  return {
    width: layer.units / Math.max(...layers.map(({ units }) => units)),
    height: Math.min(1, layer.output.length < 3 ? 0 : height / layer.picture.heightPx),
  };
}
