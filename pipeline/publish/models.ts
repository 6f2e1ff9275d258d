/** What the gallery says of a model beside its renderings: from the plan, without rendering anything. */

import type { Engine } from '../engine/engine.ts';
import { size as countOf, type Graph } from '../network/graph.ts';
import { inspect } from '../network/inspect.ts';
import type { ModelPlan } from '../plan.ts';
import type { PublishModel } from './publish.ts';

/**
 * The model as `publish` takes it. Sizes of maps are those at the rendered size, found by one run on the engine.
 * @throws PhospheneError if the engine cannot run the network.
 */
export async function publishModel(plan: ModelPlan, engine: Engine): Promise<PublishModel> {
  const { slug, content, sha256, network, size } = plan;
  const input = { ...network.input, height: size.height, width: size.width };
  const described = await inspect(slug, { ...network, input }, engine);
  return {
    slug,
    content,
    sha256,
    format: network.format,
    parameters: parametersOf(network.graph),
    input: { channels: size.channels, heightPx: size.height, widthPx: size.width },
    layers: plan.layers.map(({ layer, slug: layerSlug, index, units }) => {
      const { output, receptiveField } = described.layers[index] ?? {};
      return {
        slug: layerSlug,
        name: layer.name,
        kind: layer.kind,
        index,
        units: layer.units,
        output: (output ?? []).filter((side) => side !== null),
        receptiveFieldPx: receptiveField ?? null,
        wanted: units,
      };
    }),
  };
}

/** Trained numbers: those of every float constant that has a shape; a lone number is a setting of its operation. */
function parametersOf({ initializers }: Graph): number {
  let parameters = 0;
  for (const { type, dims } of initializers.values()) {
    if (type === 'float32' && dims.length > 0) parameters += countOf(dims);
  }
  return parameters;
}
