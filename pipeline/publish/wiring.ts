/** Which layers a layer takes its input from: the nearest ones upstream, straight or through what is no layer. */

import type { Graph } from '../network/graph.ts';
import type { Layer } from '../network/network.ts';

/** By layer, in the order of `layers`; none where only the picture lies before it. */
export function wiring(graph: Graph, layers: readonly Layer[]): ReadonlyMap<Layer, readonly Layer[]> {
  const producers = new Map(graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node])));
  const byValue = new Map(
    layers.flatMap((layer) => [layer.output, layer.linear].map((name) => [name, layer])),
  );
  const before = (layer: Layer): readonly Layer[] => {
    const found = new Set<Layer>();
    const seen = new Set<string>();
    const open = [layer.output];
    for (let value = open.pop(); value !== undefined; value = open.pop()) {
      if (seen.has(value)) continue;
      seen.add(value);
      const here = byValue.get(value);
      if (here !== undefined && here !== layer) found.add(here);
      else open.push(...(producers.get(value)?.inputs ?? []));
    }
    return layers.filter((other) => found.has(other));
  };
  return new Map(layers.map((layer) => [layer, before(layer)]));
}
