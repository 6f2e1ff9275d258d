/**
 * How much a network does to a picture on the way to a layer, told from the graph without running it: how large a map is
 * follows from the strides before it, so that borders are not counted to the pixel.
 */

import { type Graph, intOf, type Node, size } from './graph.ts';
import type { Layer, Network } from './network.ts';
import { strides } from './receptive.ts';

export interface Extent {
  /** Products of a weight and a value, forwards. */
  readonly products: number;
  /** Values of all maps, one picture's. */
  readonly values: number;
  /** Of the largest of them. */
  readonly largest: number;
  /** Weights of convolutions, each once. */
  readonly kernels: number;
}

/** Of all that `layer` is computed from, the layer itself with one unit alone. */
export function extentUpTo(
  { graph, input }: Network,
  layer: Layer,
  picture: { readonly height: number; readonly width: number },
): Extent {
  const stridesOf = strides(graph, input);
  const pixels = picture.height * picture.width;
  const sizes = new Map([[input.name, input.channels * pixels]]);
  const kernels = new Set<string>();
  let [products, values, largest] = [0, 0, 0];
  for (const node of needed(graph, layer)) {
    const [output = ''] = node.outputs;
    const inputs = node.inputs.filter((name) => sizes.has(name));
    if (inputs.length === 0) continue;
    const stride = stridesOf.get(output);
    const places = stride === undefined ? 1 : pixels / (stride[0] * stride[1]);
    const kernel = multiplied(graph, node);
    const before = inputs.reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0);
    // What is not multiplied keeps its channels; channels are what is left of the values by their places.
    const previous = stridesOf.get(inputs[0] ?? '');
    const ratio = previous && stride ? (previous[0] * previous[1]) / (stride[0] * stride[1]) : 1;
    const joined = node.op === 'Concat' ? before : (sizes.get(inputs[0] ?? '') ?? 0);
    let own = kernel === undefined ? joined * ratio : kernel.units * places;
    if (kernel !== undefined) {
      const share = output === layer.linear ? kernel.units : 1;
      products += (kernel.size / share) * places;
      own /= share;
      if (node.op === 'Conv') kernels.add(kernel.name);
    }
    sizes.set(output, own);
    values += own;
    largest = Math.max(largest, own);
  }
  const count = [...kernels].reduce((sum, name) => sum + size(graph.initializers.get(name)?.dims ?? []), 0);
  return { products, values, largest, kernels: count };
}

/** The nodes that a layer's value depends on, in the graph's order. */
function needed({ nodes }: Graph, { linear }: Layer): Node[] {
  const wanted = new Set([linear]);
  return nodes
    .toReversed()
    .filter(({ inputs, outputs }) => {
      if (!outputs.some((output) => wanted.has(output))) return false;
      for (const input of inputs) wanted.add(input);
      return true;
    })
    .reverse();
}

/** The weights that a node multiplies its values with, and how many units that gives at each place. */
function multiplied(
  graph: Graph,
  node: Node,
): { readonly name: string; readonly size: number; readonly units: number } | undefined {
  const name = node.inputs[1] ?? '';
  const dims = graph.initializers.get(name)?.dims;
  if (dims === undefined) return undefined;
  switch (node.op) {
    case 'Conv':
      return { name, size: size(dims), units: dims[0] ?? 1 };
    case 'ConvTranspose':
      return { name, size: size(dims), units: (dims[1] ?? 1) * intOf(node, 'group', 1) };
    case 'Gemm':
      return { name, size: size(dims), units: dims[1 - intOf(node, 'transB', 0)] ?? 1 };
    case 'MatMul':
      return { name, size: size(dims), units: dims.at(-1) ?? 1 };
    default:
      return undefined;
  }
}
