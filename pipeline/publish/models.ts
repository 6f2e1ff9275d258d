/** What the gallery says of a model beside its renderings: from the plan, without rendering anything. */

import type { Engine } from '../engine/engine.ts';
import { size as countOf, type Graph } from '../network/graph.ts';
import { outputDims } from '../network/inspect.ts';
import type { Layer } from '../network/network.ts';
import { receptiveFields } from '../network/receptive.ts';
import type { ModelPlan } from '../plan.ts';
import type { PublishModel } from './wanted.ts';
import { wiring } from './wiring.ts';

/**
 * The model as `publish` takes it. Sizes of maps are those that a layer's own pictures give, found by one run on the
 * engine for each size of picture.
 * @throws PhospheneError if the engine cannot run the network.
 */
export async function publishModel(plan: ModelPlan, engine: Engine): Promise<PublishModel> {
  const { slug, content, sha256, network } = plan;
  const { channels, height, width } = network.input;
  const fields = receptiveFields(network.graph, network.input);
  const dims = await dimsOf(plan, engine);
  const inputs = wiring(
    network.graph,
    plan.layers.map(({ layer }) => layer),
  );
  const slugs = new Map(plan.layers.map(({ layer, slug: layerSlug }) => [layer, layerSlug]));
  return {
    slug,
    content,
    sha256,
    format: network.format,
    parameters: parametersOf(network.graph),
    input: { channels, heightPx: height, widthPx: width },
    layers: plan.layers.map(({ layer, slug: layerSlug, index, size, units }) => ({
      slug: layerSlug,
      name: layer.name,
      kind: layer.kind,
      index,
      units: layer.units,
      picture: { heightPx: size.height, widthPx: size.width },
      output: dims.get(layer) ?? [layer.units],
      receptiveFieldPx: fields.get(layer.output) ?? null,
      inputs: (inputs.get(layer) ?? []).flatMap((input) => slugs.get(input) ?? []),
      wanted: units.map(({ madeFrom, ...unit }) => ({ ...unit, weights: madeFrom.slice })),
    })),
  };
}

async function dimsOf(
  { network, layers }: ModelPlan,
  engine: Engine,
): Promise<ReadonlyMap<Layer, readonly number[]>> {
  const found = new Map<Layer, readonly number[]>();
  const bySize = Map.groupBy(layers, ({ size }) => `${size.width}×${size.height}`);
  for (const group of bySize.values()) {
    const [first] = group;
    if (first === undefined) continue;
    const ofSize = group.map(({ layer }) => layer);
    for (const [layer, dims] of await outputDims(network, ofSize, first.size, engine)) found.set(layer, dims);
  }
  return found;
}

/** Trained numbers: those of every float constant that has a shape; a lone number is a setting of its operation. */
function parametersOf({ initializers }: Graph): number {
  let parameters = 0;
  for (const { type, dims } of initializers.values()) {
    if (type === 'float32' && dims.length > 0) parameters += countOf(dims);
  }
  return parameters;
}
