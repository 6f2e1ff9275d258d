/**
 * A graph in which some convolutions are computed in another way. What a chosen way works on is laid out channels last,
 * [N, height, width, C], and stays so through the operations on single values that lie between two of them.
 */

import { GraphBuilder } from '../build.ts';
import { type Float32Tensor, type Graph, intOf, ints, intsOf, type Node, size, textOf } from '../graph.ts';
import { isHalving, onlyUnpools, type Pool, pool } from './pool.ts';
import { type Axis, winograd } from './winograd.ts';

/** What decides how fast a convolution is. */
export interface ConvolutionShape {
  readonly channels: number;
  readonly filters: number;
  readonly height: number;
  readonly width: number;
}

export interface LoweringOptions {
  /** The exact dims of values, as far as they are known; only convolutions of known values can be chosen. */
  readonly dims: (value: string) => readonly number[] | undefined;
  /** Whether a convolution 3×3 of steps of 1 is to be computed by `winograd`. */
  readonly choose: (shape: ConvolutionShape) => boolean;
}

/** [N, C, height, width] to [N, height, width, C]. */
export const toChannelsLast = (build: GraphBuilder, value: string, hint = `${value}_last`): string =>
  build.add('Transpose', [value], { perm: ints([0, 2, 3, 1]) }, hint);

/** [N, height, width, C] to [N, C, height, width]. */
export const toChannelsFirst = (build: GraphBuilder, value: string, hint = `${value}_first`): string =>
  build.add('Transpose', [value], { perm: ints([0, 3, 1, 2]) }, hint);

/** Operations that act on every value alone, or on two values at one place. */
const elementwise = new Set(
  (
    'Relu LeakyRelu Elu Selu Celu ThresholdedRelu Clip Sigmoid HardSigmoid HardSwish Tanh Softplus Softsign Mish Gelu ' +
    'Abs Neg Exp Log Erf Sqrt Reciprocal Sin Cos Sign Cast Identity Add Sub Mul Div Pow Min Max Greater Less Equal Not ' +
    'And Or Where'
  ).split(' '),
);

/** What a graph is made of, lowered in some way. */
export interface Outline {
  /** The convolutions computed by `winograd`. */
  readonly convolutions: readonly ConvolutionShape[];
  /** [N, C, height, width] of each value that changes its layout. */
  readonly changes: readonly (readonly number[])[];
}

/** What `lowered` would make of the graph. */
export function outline(graph: Graph, { dims, choose }: LoweringOptions): Outline {
  const convolutions: ConvolutionShape[] = [];
  const changes: (readonly number[])[] = [];
  rewritten(graph, dims, {
    choose(shape) {
      const chosen = choose(shape);
      if (chosen) convolutions.push(shape);
      return chosen;
    },
    convolve: (build, x) => build.add('Identity', [x]),
    changed: (shape) => void changes.push(shape),
  });
  return { convolutions, changes };
}

/** The same graph with the chosen convolutions computed by other operations. Names of its inputs and outputs stay. */
export function lowered(graph: Graph, { dims, choose }: LoweringOptions): Graph {
  return rewritten(graph, dims, { choose, convolve: winograd, changed: () => {} });
}

/** What a graph is rewritten with. */
interface Means extends Pick<LoweringOptions, 'choose'> {
  readonly convolve: typeof winograd;
  /** Called for each value [N, C, height, width] that changes its layout. */
  changed(dims: readonly number[]): void;
}

function rewritten(graph: Graph, dims: LoweringOptions['dims'], { choose, convolve, changed }: Means): Graph {
  const build = new GraphBuilder(graph);
  const nodes: Node[] = [];
  /** Values that are there channels last. */
  const last = new Map<string, { readonly name: string; readonly dims: readonly number[] }>();
  /** Values that are there channels last alone. */
  const away = new Set<string>();
  /** Writes with the builder, and takes what it wrote in the place that the nodes have reached. */
  const written = <T>(write: () => T): T => {
    const before = build.nodes.length;
    const result = write();
    nodes.push(...build.nodes.slice(before));
    return result;
  };

  const toLast = (value: string, shape: readonly number[]): string => {
    const there = last.get(value);
    if (there !== undefined) return there.name;
    changed(shape);
    const name = written(() => toChannelsLast(build, value));
    last.set(value, { name, dims: shape });
    return name;
  };
  const toFirst = (value: string): void => {
    const there = last.get(value);
    if (there === undefined || !away.delete(value)) return;
    changed(there.dims);
    const name = written(() => toChannelsFirst(build, there.name, value));
    nodes.push({ op: 'Identity', name: value, inputs: [name], outputs: [value], attributes: {} });
  };

  const convolution = (node: Node): boolean => {
    const [x = '', kernelName = '', biasName = ''] = node.inputs;
    const shape = dims(x) ?? last.get(x)?.dims;
    const kernel = build.float32Constant(kernelName);
    const bias = build.float32Constant(biasName);
    if (kernel === undefined || shape === undefined || (biasName !== '' && bias === undefined)) return false;
    const axes = axesOf(node, shape, kernel);
    if (axes === undefined) return false;
    const [batch = 1, channels = 1, height = 1, width = 1] = shape;
    const filters = kernel.dims[0] as number;
    if (!choose({ channels, filters, height, width })) return false;
    const [vertical, horizontal] = axes;
    const own = toLast(x, shape);
    const name = written(() =>
      convolve(build, own, { vertical, horizontal, batch, kernel, bias: biasName || undefined }),
    );
    keep(node.outputs[0] as string, name, [batch, filters, vertical.written, horizontal.written]);
    return true;
  };
  const keep = (value: string, name: string, shape: readonly number[]): void => {
    last.set(value, { name, dims: shape });
    away.add(value);
  };

  /** Follows values that are away through an operation on single values. */
  const follow = (node: Node): boolean => {
    const { op, inputs, outputs, attributes } = node;
    const first = inputs.find((input) => away.has(input));
    if (first === undefined || !elementwise.has(op) || outputs.length !== 1) return false;
    const shape = last.get(first)?.dims as readonly number[];
    const isSame = (input: string): boolean => String(last.get(input)?.dims ?? dims(input)) === String(shape);
    const isNumber = (input: string): boolean => {
      const constant = build.initializers.get(input);
      return input === '' || (constant !== undefined && size(constant.dims) === 1);
    };
    if (!inputs.every((input) => isSame(input) || isNumber(input))) return false;
    const own = inputs.map((input) => (isSame(input) ? toLast(input, shape) : input));
    const name = written(() => build.add(op, own, attributes, `${outputs[0]}_last`));
    keep(outputs[0] as string, name, shape);
    return true;
  };

  const pools = new Map<string, { readonly pool: Pool; readonly dims: readonly number[] }>();
  const pooling = (node: Node): boolean => {
    const [x = ''] = node.inputs;
    const [y = '', indices = ''] = node.outputs;
    const there = last.get(x);
    if (there === undefined || !away.has(x) || !isHalving(node, there.dims)) return false;
    if (indices !== '' && !onlyUnpools(graph, indices)) return false;
    const own = written(() => pool(build, there.name, there.dims));
    const [n = 1, c = 1, height = 1, width = 1] = there.dims;
    keep(y, own.value, [n, c, height / 2, width / 2]);
    if (indices !== '') pools.set(indices, { pool: own, dims: there.dims });
    return true;
  };
  const unpooling = (node: Node): boolean => {
    const [g = '', indices = ''] = node.inputs;
    const found = pools.get(indices);
    if (found === undefined) return false;
    const [n = 1, c = 1, height = 1, width = 1] = found.dims;
    const own = toLast(g, [n, c, height / 2, width / 2]);
    keep(
      node.outputs[0] as string,
      written(() => found.pool.unpool(own)),
      found.dims,
    );
    return true;
  };
  const ways: Readonly<Record<string, (node: Node) => boolean>> = {
    Conv: convolution,
    MaxPool: pooling,
    MaxUnpool: unpooling,
  };

  for (const node of graph.nodes) {
    if ((ways[node.op] ?? follow)(node)) continue;
    for (const input of node.inputs) toFirst(input);
    nodes.push(node);
  }
  for (const output of graph.outputs) toFirst(output);

  const all = build.graph(graph.outputs);
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  return { ...all, nodes, initializers: new Map([...all.initializers].filter(([name]) => used.has(name))) };
}

/** The axes of a convolution that `winograd` can compute; undefined of one that it cannot. */
function axesOf(
  node: Node,
  [, channels, ...image]: readonly number[],
  kernel: Float32Tensor,
): [Axis, Axis] | undefined {
  const [, own, ...taps] = kernel.dims;
  const every = (name: string): boolean => intsOf(node, name)?.every((value) => value === 1) ?? true;
  const fits =
    image.length === 2 && own === channels && intOf(node, 'group', 1) === 1 && String(taps) === '3,3';
  const auto = textOf(node, 'auto_pad', 'NOTSET');
  if (!fits || !every('strides') || !every('dilations') || auto !== 'NOTSET') return undefined;
  const pads = intsOf(node, 'pads') ?? [0, 0, 0, 0];
  const [vertical, horizontal] = image.map((side, axis): Axis => {
    const [before = 0, after = 0] = [pads[axis], pads[axis + 2]];
    return { size: side, before, written: side + before + after - 2 };
  });
  return vertical && horizontal && [vertical, horizontal];
}
