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

/** What the names of all layers of a stage begin with, up to its last slash: `inception_3a/`. */
export function sharedStart(names: readonly string[]): string {
  const [first = ''] = names;
  const parts = first.split('/').slice(0, -1);
  const starts = parts.map((_, place) => `${parts.slice(0, place + 1).join('/')}/`);
  const fits = (start: string): boolean =>
    names.every((name) => name.startsWith(start) && name.length > start.length);
  return starts.findLast(fits) ?? '';
}

export interface Drawn {
  /** Of the widest map of the network, 0..1: its channels. What has no map is drawn no wider than that. */
  readonly width: number;
  /** Of the picture's own side, 0..1: its map. */
  readonly height: number;
}

const hasMap = ({ output }: LayerSummary): boolean => output.length === 3;

/** Channels of the widest map; units of the widest layer where none has a map. */
export function widestOf(layers: readonly LayerSummary[]): number {
  const maps = layers.filter(hasMap);
  return Math.max(...(maps.length > 0 ? maps : layers).map(({ units }) => units));
}

/** How large a layer is, both sides to scale with the other layers of its network. */
export function drawn(layer: LayerSummary, layers: readonly LayerSummary[]): Drawn {
  const [, height = 1] = layer.output;
  return {
    width: Math.min(1, layer.units / widestOf(layers)),
    height: hasMap(layer) ? Math.min(1, height / layer.picture.heightPx) : 0,
  };
}
