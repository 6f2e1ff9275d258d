/** All that can be said of a network before anything is rendered: what `phosphene inspect` shows. */

import type { Engine } from '../engine/engine.ts';
import { slugs } from '../slug.ts';
import { rules } from './adjoint/rules.ts';
import { float32, type Graph, size } from './graph.ts';
import type { Format, Layer, LayerKind, Network, NetworkInput } from './network.ts';
import { layerSizes } from './picture-size.ts';
import { receptiveFields } from './receptive.ts';

export interface InspectedLayer {
  readonly name: string;
  readonly slug: string;
  readonly kind: LayerKind;
  /** Null where the layer cannot be computed. */
  readonly units: number | null;
  /** [channels, height, width], or [units]; height and width are null where the network takes any size. */
  readonly output: readonly (number | null)[] | null;
  /** Side of the area of the picture, in pixels, that one value sees; null: all of it. */
  readonly receptiveField: number | null;
  /** [height, width] in pixels of the pictures that are rendered of it. */
  readonly picture: readonly [height: number, width: number] | null;
  readonly renderable: boolean;
  /** Why it cannot be rendered, in one sentence. */
  readonly reason?: string;
}

export interface Inspection {
  readonly file: string;
  readonly format: Format;
  readonly input: NetworkInput;
  readonly layers: readonly InspectedLayer[];
}

/**
 * Describes a network and each of its layers; what could not be read from the file comes last. Sizes of maps come
 * from one run of the network on the engine, if the network states the size of its input.
 * @param sidePx The side of pictures, where the network leaves it free; by default each layer has its own.
 * @throws PhospheneError if the engine cannot run the network.
 */
export async function inspect(
  file: string,
  network: Network,
  engine: Engine,
  sidePx?: number,
): Promise<Inspection> {
  const { format, input, layers, gaps } = network;
  const fields = receptiveFields(network.graph, input);
  const { height, width } = input;
  const dims =
    height === null || width === null
      ? undefined
      : await outputDims(network, layers, { height, width }, engine);
  const sizes = layerSizes(network, sidePx);
  const obstacles = withoutGradient(network);
  const layerSlugs = slugs(layers.map(({ name }) => name));
  const gapSlugs = slugs(gaps.map(({ layer }) => layer));
  return {
    file,
    format,
    input,
    layers: [
      ...layers.map((layer, index): InspectedLayer => {
        const { name, kind, units, output, linear } = layer;
        const obstacle = obstacles.get(linear);
        const free = isMap(layer) ? [units, null, null] : [units];
        const size = sizes(layer);
        return {
          name,
          slug: layerSlugs[index] as string,
          kind,
          units,
          output: dims?.get(layer) ?? free,
          receptiveField: fields.get(output) ?? null,
          ...(obstacle === undefined
            ? { picture: [size.height, size.width], renderable: true }
            : { picture: null, renderable: false, reason: obstacle }),
        };
      }),
      ...gaps.map(
        ({ layer, reason }, index): InspectedLayer => ({
          name: layer,
          slug: gapSlugs[index] as string,
          kind: 'other',
          units: null,
          output: null,
          receptiveField: null,
          picture: null,
          renderable: false,
          reason,
        }),
      ),
    ],
  };
}

/** The layers that can be rendered, in the order of the network: those that are shown where nobody chooses. */
export function renderableLayers(network: Network): Layer[] {
  const obstacles = withoutGradient(network);
  return network.layers.filter(({ linear }) => !obstacles.has(linear));
}

/** Per value that no gradient leads back from to the picture: the first operation in the way, in one sentence. */
function withoutGradient({ graph, input }: Network): Map<string, string> {
  const moving = new Set([input.name]);
  const obstacles = new Map<string, string>();
  for (const { op, name, inputs, outputs } of graph.nodes) {
    if (op === 'Shape' || !inputs.some((value) => moving.has(value))) continue;
    const before = inputs.flatMap((value) => obstacles.get(value) ?? []);
    const own = Object.hasOwn(rules, op)
      ? []
      : [`Behind the operation ${op} (node '${name}') no gradient can be followed, for it has no rule.`];
    const [obstacle] = [...before, ...own];
    for (const output of outputs) {
      moving.add(output);
      if (obstacle !== undefined) obstacles.set(output, obstacle);
    }
  }
  return obstacles;
}

/** Dims without the batch, the axis that counts units put first. */
function channelsFirst(dims: readonly number[], unitAxis: number): number[] {
  return [dims[unitAxis] ?? 1, ...dims.filter((_, axis) => axis !== 0 && axis !== unitAxis)];
}

/** Whether a layer gives more than one number a unit: all but a dense layer on a flat vector. */
const isMap = ({ kind, unitAxis }: Pick<Layer, 'kind' | 'unitAxis'>): boolean =>
  kind === 'conv' || kind === 'other' || unitAxis !== 1;

/**
 * What each of these layers gives for a picture of this size: [channels, height, width], or [units]. Found by one run of
 * what they are computed from.
 * @throws PhospheneError if the engine cannot run it, as on a picture that is too small.
 */
export async function outputDims(
  { graph, input }: Pick<Network, 'graph' | 'input'>,
  layers: readonly Layer[],
  { height, width }: { readonly height: number; readonly width: number },
  engine: Engine,
): Promise<ReadonlyMap<Layer, readonly number[]>> {
  const found = new Map<Layer, readonly number[]>(layers.map((layer) => [layer, [layer.units]]));
  const maps = layers.filter(isMap);
  if (maps.length === 0) return found;
  const { name, layout, channels } = input;
  const dims = layout === 'NCHW' ? [1, channels, height, width] : [1, height, width, channels];
  const part = upTo(graph, [...new Set(maps.map(({ output }) => output))]);
  const inputs = part.inputs.map((each) => (each.name === name ? { ...each, dims } : each));
  const program = await engine.compile({ ...part, inputs });
  try {
    const picture = engine.upload(float32(dims, new Float32Array(size(dims))));
    const values = await program.run(new Map([[name, picture]]));
    for (const layer of maps) {
      const value = values.get(layer.output);
      if (value === undefined) continue;
      found.set(layer, channelsFirst((await engine.download(value)).dims, layer.unitAxis));
    }
    return found;
  } finally {
    await program.release();
  }
}

/** The part of a graph that these values are computed from: without, say, the large weights of the dense layers. */
function upTo(graph: Graph, outputs: readonly string[]): Graph {
  const wanted = new Set(outputs);
  const nodes = graph.nodes
    .toReversed()
    .filter((node) => {
      const isWanted = node.outputs.some((output) => wanted.has(output));
      if (isWanted) for (const input of node.inputs) wanted.add(input);
      return isWanted;
    })
    .reverse();
  const initializers = new Map([...graph.initializers].filter(([name]) => wanted.has(name)));
  return { ...graph, nodes, initializers, outputs };
}
