/** Batch normalisation behind a convolution or a dense product is a factor and an offset of each of its units. */

import { type Float32Tensor, float32, floatOf, type Graph, intOf, type Node, size } from './graph.ts';
import type { Network } from './network.ts';

/**
 * The network with each BatchNormalization written into the weights of the operation before it, where nothing else
 * takes that operation's value and it is no layer's own. All other values, and all layers, stay what they were.
 */
export function foldBatchNormalization(network: Network): Network {
  const { graph, layers } = network;
  const kept = new Set([...graph.outputs, ...layers.flatMap(({ linear, output }) => [linear, output])]);
  const makers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)),
  );
  const uses = new Map<string, number>();
  for (const { inputs } of graph.nodes) {
    for (const input of inputs) uses.set(input, (uses.get(input) ?? 0) + 1);
  }

  const initializers = new Map(graph.initializers);
  const replaced = new Map<Node, Node | undefined>();
  for (const node of graph.nodes) {
    const [value = '', ...names] = node.inputs;
    const before = node.op === 'BatchNormalization' ? makers.get(value) : undefined;
    if (before === undefined || replaced.has(before) || kept.has(value) || uses.get(value) !== 1) continue;
    const scaling = scalingOf(node, names, graph);
    const folded = scaling && scaled(before, scaling, graph);
    if (folded === undefined) continue;
    // Weights that other nodes use too stay as they are; these get names of their own.
    const [weights, bias] = ['weights', 'bias'].map((role) => free(initializers, `${node.name}/${role}`));
    if (weights === undefined || bias === undefined) continue;
    initializers.set(weights, folded.weights);
    initializers.set(bias, folded.bias);
    const inputs = [before.inputs[0] ?? '', weights, bias];
    replaced.set(before, { ...before, inputs, outputs: node.outputs });
    replaced.set(node, undefined);
  }
  if (replaced.size === 0) return network;

  const nodes = graph.nodes.flatMap((node) => (replaced.has(node) ? (replaced.get(node) ?? []) : [node]));
  const used = new Set([...graph.outputs, ...nodes.flatMap(({ inputs }) => inputs)]);
  for (const name of initializers.keys()) if (!used.has(name)) initializers.delete(name);
  return { ...network, graph: { ...graph, nodes, initializers } };
}

/** y = factor · x + offset, one of each a channel. */
interface Scaling {
  readonly factor: Float32Array;
  readonly offset: Float32Array;
}

const constantOf = (graph: Graph, name: string | undefined): Float32Tensor | undefined => {
  const tensor = graph.initializers.get(name ?? '');
  return tensor?.type === 'float32' ? tensor : undefined;
};

function scalingOf(node: Node, names: readonly string[], graph: Graph): Scaling | undefined {
  const [scale, shift, mean, variance] = names.map((name) => constantOf(graph, name)?.data);
  if (scale === undefined || shift === undefined || mean === undefined || variance === undefined) {
    return undefined;
  }
  const epsilon = floatOf(node, 'epsilon', 1e-5);
  const factor = scale.map((value, unit) => value / Math.sqrt((variance[unit] as number) + epsilon));
  const offset = shift.map((value, unit) => value - (mean[unit] as number) * (factor[unit] as number));
  return { factor, offset };
}

function scaled(
  node: Node,
  { factor, offset }: Scaling,
  graph: Graph,
): { weights: Float32Tensor; bias: Float32Tensor } | undefined {
  const { inputs } = node;
  const stored = constantOf(graph, inputs[1]);
  const bias = constantOf(graph, inputs[2]);
  const hasBias = (inputs[2] ?? '') !== '';
  const axis = unitAxis(node);
  if (stored === undefined || axis === undefined || (hasBias && bias?.data.length !== factor.length)) {
    return undefined;
  }
  const { dims, data } = stored;
  if (dims[axis] !== factor.length) return undefined;
  const below = size(dims.slice(axis + 1));
  const weights = data.map((value, at) => value * (factor[Math.floor(at / below) % factor.length] as number));
  const biases = offset.map((value, unit) => value + (bias?.data[unit] ?? 0) * (factor[unit] as number));
  return { weights: float32(dims, weights), bias: float32([factor.length], biases) };
}

/** The axis of the weights that counts units, of an operation that takes a bias. */
function unitAxis(node: Node): number | undefined {
  switch (node.op) {
    case 'Conv':
      return 0;
    case 'ConvTranspose':
      return intOf(node, 'group', 1) === 1 ? 1 : undefined;
    case 'Gemm': {
      const isPlain = floatOf(node, 'alpha', 1) === 1 && floatOf(node, 'beta', 1) === 1;
      return isPlain ? 1 - intOf(node, 'transB', 0) : undefined;
    }
    default:
      return undefined;
  }
}

function free(taken: ReadonlyMap<string, unknown>, hint: string): string {
  let name = hint;
  for (let count = 2; taken.has(name); count++) name = `${hint}_${count}`;
  return name;
}
