/** ONNX models: rewritten to one operator set, freed of a frozen batch, and searched for layers. */

import { PhospheneError } from '../../error.ts';
import { rules } from '../../network/adjoint/rules.ts';
import { type Dim, type Graph, type GraphInput, intOf, intsOf, type Node } from '../../network/graph.ts';
import { findLayers, type UnitValue } from '../../network/layers.ts';
import type { Network, NetworkInput } from '../../network/network.ts';
import { decodeModel } from '../../network/onnx.ts';
import type { ModelFile } from '../file.ts';
import { freeBatch } from './batch.ts';
import { foldConstants, numbersOf } from './constants.ts';
import { toSet17 } from './lower.ts';
import { layerName } from './names.ts';

/** The newest operator set that is known. */
const newestOpset = 22;

/** Weights are kept in one file, or in one a tensor. */
const mostFiles = 10_000;

/** No picture is larger on either side. */
const mostSide = 8192;

/** Operations without a gradient that networks use for shapes and masks, and that an engine can run. */
const supporting = new Set(
  'Shape Size Constant ConstantOfShape Range ArgMax ArgMin Not And Or Xor Floor Ceil Round Sign NonZero TopK Mod IsNaN CumSum OneHot EyeLike ReduceProd'.split(
    ' ',
  ),
);

/** True where the bytes can be the start of an ONNX model: a protobuf field that such a file starts with. */
export function isOnnx(bytes: Uint8Array): boolean {
  const first = bytes[0] ?? 0;
  // Field ir_version as a number (0x08), or producer, domain, graph, opset and metadata as bytes.
  return first === 0x08 ? (bytes[1] ?? 255) < 64 : [0x12, 0x1a, 0x22, 0x3a, 0x42, 0x72].includes(first);
}

/**
 * Reads an ONNX model. Layers behind an operation that cannot be run are listed as gaps.
 * @throws PhospheneError if the bytes are no such model, or it does not take one picture.
 */
export async function readOnnx(source: ModelFile): Promise<Network> {
  const file = source.name;
  const decoded = await decode(source);
  if (decoded.opset > newestOpset) {
    throw new PhospheneError(
      `Expected '${file}' to use an ONNX operator set up to ${newestOpset}, found ${decoded.opset}: convert it with onnx.version_converter.`,
    );
  }
  const graph = foldConstants(toSet17(decoded));
  const input = pictureInput(file, graph);
  const { graph: runnable, obstacles } = withoutObstacles(freeBatch(graph, input.name));
  const units = unitValues(graph, input.name);
  const found = units.filter(({ value }) => !obstacles.has(value));
  if (runnable.outputs.length === 0) {
    const [why = 'it has no operations'] = obstacles.values();
    throw new PhospheneError(`Expected a network in '${file}', but nothing of it can be computed: ${why}.`);
  }
  return {
    format: 'onnx',
    graph: runnable,
    input,
    layers: findLayers(runnable, found, { complete: obstacles.size === 0 }),
    gaps: units.flatMap(({ name, value }) => {
      const why = obstacles.get(value);
      return why === undefined
        ? []
        : [{ layer: name, reason: `Layer '${name}' cannot be computed: ${why}.` }];
    }),
  };
}

/** The file's graph; weights that lie in files beside it are fetched when the graph asks for them. */
async function decode({ name, bytes, sibling }: ModelFile): Promise<Graph> {
  try {
    const wanted = new Set<string>();
    const graph = decodeModel(bytes, (location) => {
      wanted.add(location);
      return undefined;
    });
    if (wanted.size === 0) return graph;
    if (wanted.size > mostFiles) {
      throw new PhospheneError(`Expected weights in at most ${mostFiles} files, found ${wanted.size}.`);
    }
    const files = new Map<string, Uint8Array>();
    for (const location of wanted) files.set(location, await sibling(location));
    return decodeModel(bytes, (location) => files.get(location));
  } catch (cause) {
    if (!(cause instanceof PhospheneError)) throw cause;
    throw new PhospheneError(`'${name}': ${cause.message}`, { cause });
  }
}

/** The one input that is a picture, and the order of its axes. */
function pictureInput(file: string, graph: Graph): NetworkInput {
  const [input, ...others] = graph.inputs;
  const shown = (dims: readonly Dim[]): string => `[${dims.map((dim) => dim ?? '?').join(', ')}]`;
  if (input === undefined || others.length > 0) {
    const names = graph.inputs.map(({ name }) => `'${name}'`).slice(0, 5);
    throw new PhospheneError(
      `Expected '${file}' to take one picture, but it has ${graph.inputs.length} inputs${names.length > 0 ? ` (${names.join(', ')})` : ''}: only networks with one input can be shown.`,
    );
  }
  if (input.type !== 'float32' || input.dims.length !== 4) {
    throw new PhospheneError(
      `Expected '${file}' to take a float picture of 4 axes (batch, channels, height, width), found input '${input.name}' of ${input.type} ${shown(input.dims)}.`,
    );
  }
  const layout = layoutOf(graph, input);
  const [, a = null, b = null, c = null] = input.dims;
  const [channels, height, width] = layout === 'NCHW' ? [a, b, c] : [c, a, b];
  const counted = typeof channels === 'number' ? channels : firstKernelInputs(graph);
  if (counted === undefined || counted < 1 || counted > 4096) {
    throw new PhospheneError(
      `Expected '${file}' to state how many channels its picture has, found input '${input.name}' ${shown(input.dims)}.`,
    );
  }
  if ([height, width].some((dim) => typeof dim === 'number' && dim > mostSide)) {
    throw new PhospheneError(
      `Expected '${file}' to take a picture of at most ${mostSide} pixels a side, found input '${input.name}' ${shown(input.dims)}.`,
    );
  }
  const side = (dim: Dim): number | null => (typeof dim === 'number' && dim > 0 ? dim : null);
  return { name: input.name, layout, channels: counted, height: side(height), width: side(width) };
}

/** NHWC if the picture is transposed to NCHW before anything else, or if only the last axis can be channels. */
function layoutOf(graph: Graph, { name, dims }: GraphInput): 'NCHW' | 'NHWC' {
  const few = (dim: Dim | undefined): boolean => typeof dim === 'number' && dim >= 1 && dim <= 4;
  if (few(dims[1]) !== few(dims[3])) return few(dims[1]) ? 'NCHW' : 'NHWC';
  const pictures = new Set([name]);
  for (const node of graph.nodes) {
    if (!node.inputs.some((input) => pictures.has(input))) continue;
    if (node.op === 'Transpose') return intsOf(node, 'perm')?.join() === '0,3,1,2' ? 'NHWC' : 'NCHW';
    if (node.op === 'Conv' || node.op.includes('Pool')) return 'NCHW';
    for (const output of node.outputs) pictures.add(output);
  }
  return 'NCHW';
}

function firstKernelInputs(graph: Graph): number | undefined {
  const node = graph.nodes.find(({ op }) => op === 'Conv');
  const kernel = node === undefined ? undefined : graph.initializers.get(node.inputs[1] ?? '');
  return node === undefined || kernel?.dims[1] === undefined
    ? undefined
    : kernel.dims[1] * intOf(node, 'group', 1);
}

/** Convolutions and dense products with constant weights, in the graph's order, under names of their own. */
function unitValues(graph: Graph, input: string): UnitValue[] {
  const ranks = ranksOf(graph, input);
  const taken = new Set<string>();
  return graph.nodes.flatMap((node): UnitValue[] => {
    const [value = ''] = node.outputs;
    const weights = node.inputs[1] ?? '';
    const dims = graph.initializers.get(weights)?.dims;
    const counted = dims === undefined ? undefined : unitsOf(node, dims, ranks.get(node.inputs[0] ?? ''));
    if (counted === undefined || !ranks.has(node.inputs[0] ?? '')) return [];
    let name = layerName(node, weights, value);
    if (name === '' || taken.has(name)) name = value;
    taken.add(name);
    return [{ name, value, ...counted }];
  });
}

function unitsOf(
  node: Node,
  dims: readonly number[],
  rank: number | null | undefined,
): Pick<UnitValue, 'kind' | 'units' | 'unitAxis'> | undefined {
  const [first = 0, second = 0] = dims;
  if (node.op === 'Conv' && dims.length === 4) return { kind: 'conv', units: first, unitAxis: 1 };
  if (node.op === 'ConvTranspose' && dims.length === 4) {
    return { kind: 'conv', units: second * intOf(node, 'group', 1), unitAxis: 1 };
  }
  if (dims.length !== 2) return undefined;
  if (node.op === 'Gemm') {
    return { kind: 'dense', units: intOf(node, 'transB', 0) === 1 ? first : second, unitAxis: 1 };
  }
  if (node.op === 'MatMul') return { kind: 'dense', units: second, unitAxis: (rank ?? 2) - 1 };
  return undefined;
}

/** The number of axes of each value that depends on the picture; null where it is not known. */
function ranksOf(graph: Graph, input: string): Map<string, number | null> {
  const ranks = new Map<string, number | null>([[input, 4]]);
  const concatenated = new Map(
    graph.nodes.flatMap(({ op, inputs, outputs: [output = ''] }) =>
      op === 'Concat' ? [[output, inputs.length] as const] : [],
    ),
  );
  const lengthOf = (name: string): number | undefined =>
    graph.initializers.get(name)?.data.length ?? concatenated.get(name);
  for (const node of graph.nodes) {
    const known = node.inputs.flatMap((name) => (ranks.has(name) ? [ranks.get(name) ?? null] : []));
    if (known.length === 0 || node.op === 'Shape') continue;
    const widest = known.includes(null) ? null : Math.max(...(known as number[]));
    const rank = rankAfter(node, widest, lengthOf);
    for (const output of node.outputs) ranks.set(output, rank);
  }
  return ranks;
}

function rankAfter(
  node: Node,
  rank: number | null,
  lengthOf: (name: string) => number | undefined,
): number | null {
  const list = (index: number): number | undefined => lengthOf(node.inputs[index] ?? '');
  switch (node.op) {
    case 'Flatten':
    case 'Gemm':
      return 2;
    case 'Reshape':
      return list(1) ?? null;
    case 'Squeeze':
      return rank === null ? null : rank - (list(1) ?? 2);
    case 'Unsqueeze':
      return rank === null ? null : rank + (list(1) ?? 1);
    case 'ReduceMean':
    case 'ReduceMax':
    case 'ReduceSum':
      if (rank === null || intOf(node, 'keepdims', 1) === 1) return rank;
      return rank - (intsOf(node, 'axes')?.length ?? list(1) ?? rank);
    default:
      return rank;
  }
}

/** The graph without what cannot be run and what comes after it; per value that is lost, why. */
function withoutObstacles(graph: Graph): { graph: Graph; obstacles: ReadonlyMap<string, string> } {
  const obstacles = new Map<string, string>();
  const known = new Set([...graph.initializers.keys(), ...graph.inputs.map(({ name }) => name), '']);
  const nodes = graph.nodes.filter((node) => {
    const own = obstacleIn(node) ?? absurdity(node, graph);
    const lacking = node.inputs.find((input) => !known.has(input));
    const before =
      lacking === undefined
        ? undefined
        : (obstacles.get(lacking) ?? `nothing makes its value '${lacking.slice(0, 100)}'`);
    const why = before ?? own;
    for (const output of node.outputs) {
      if (why === undefined) known.add(output);
      else obstacles.set(output, why);
    }
    return why === undefined;
  });
  const outputs = graph.outputs.filter((output) => known.has(output));
  const last = nodes.at(-1)?.outputs[0];
  return {
    graph: { ...graph, nodes, outputs: outputs.length === 0 && last !== undefined ? [last] : outputs },
    obstacles,
  };
}

function obstacleIn({ op, name, attributes }: Node): string | undefined {
  const [domain, type] = op.includes('.') ? op.split(/\.(?=[^.]*$)/) : ['', op];
  if (domain !== '') return `the operation ${type} (node '${name}') is not supported in the form that it has`;
  if (!Object.hasOwn(rules, op) && !supporting.has(op)) {
    return `the operation ${op} (node '${name}') is not known`;
  }
  const unreadable = Object.values(attributes).find(({ kind }) => kind === 'unreadable');
  if (unreadable === undefined) return undefined;
  return `the operation ${op} (node '${name}') holds ${String(unreadable.value)}`;
}

/** The least and the most that attributes may be: outside of this, engines divide by zero or take all memory. */
const bounds: Readonly<Record<string, readonly [number, number]>> = {
  kernel_shape: [1, 8192],
  strides: [1, 8192],
  dilations: [1, 8192],
  pads: [-8192, 8192],
  output_padding: [0, 8192],
  group: [1, 2 ** 20],
  blocksize: [1, 64],
  size: [1, 2 ** 16],
};
/** Nothing is enlarged by more at once, or padded by more. */
const mostScale = 64;
const mostPad = 8192;

function absurdity({ op, name, inputs, attributes }: Node, graph: Graph): string | undefined {
  for (const [key, [least, most]] of Object.entries(bounds)) {
    const attribute = Object.hasOwn(attributes, key) ? attributes[key] : undefined;
    const values =
      attribute?.kind === 'ints' ? attribute.value : attribute?.kind === 'int' ? [attribute.value] : [];
    const bad = values.find((value) => value < least || value > most);
    if (bad !== undefined) return `the operation ${op} (node '${name}') has ${bad} among its ${key}`;
  }
  const constant = (index: number): readonly number[] => {
    const tensor = graph.initializers.get(inputs[index] ?? '');
    return tensor === undefined ? [] : numbersOf(tensor);
  };
  const factors = op === 'Resize' ? constant(2) : op === 'Tile' ? constant(1) : [];
  if (factors.some((factor) => !(factor > 0 && factor <= mostScale))) {
    return `the operation ${op} (node '${name}') enlarges by ${factors.join(' × ')}`;
  }
  const sizes =
    op === 'Pad' ? constant(1) : op === 'Resize' ? constant(3) : op === 'Expand' ? constant(1) : [];
  if (sizes.some((pad) => Math.abs(pad) > mostPad)) {
    return `the operation ${op} (node '${name}') makes a map of more than ${mostPad} pixels a side`;
  }
  return undefined;
}
