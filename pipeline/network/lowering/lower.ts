/**
 * A graph in which some convolutions are computed in another way. What a chosen way works on is laid out channels last,
 * [N, height, width, C], and stays so through the operations on single values that lie between two of them.
 */

import { GraphBuilder } from '../build.ts';
import { type Graph, intOf, intsOf, type Node, size, textOf } from '../graph.ts';
import { withoutUnread } from '../unread.ts';
import {
  arranged,
  type Bands,
  picturesOf,
  reshaped,
  sharedArrangement,
  toChannelsFirst,
  toChannelsLast,
} from './bands.ts';
import { fromFew, kernelFromFew, kernelToFew, ownKernels, toFew } from './narrow.ts';
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
    convolve: (_, { dims: [batch = 1] }, { vertical, horizontal, kernel }) => ({
      dims: [batch, kernel.dims[0] as number, vertical.written, horizontal.written],
      edges: [0, batch * vertical.written],
      inQuarters: false,
      parts: [''],
    }),
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

/** How a value comes to be channels last. */
interface Way {
  /** [N, C, height, width] */
  readonly dims: readonly number[];
  write(): Bands;
}

function rewritten(graph: Graph, dims: LoweringOptions['dims'], { choose, convolve, changed }: Means): Graph {
  const build = new GraphBuilder(graph);
  const nodes: Node[] = [];
  const makers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)),
  );
  /** Values that are there channels last. */
  const last = new Map<string, Bands>();
  /** Values that are not there as they were, and what writes them so. */
  const away = new Map<string, () => void>();

  /** Writes with the builder, and takes what it wrote in the place that the nodes have reached. */
  const written = <T>(write: () => T): T => {
    const before = build.nodes.length;
    const result = write();
    nodes.push(...build.nodes.slice(before));
    return result;
  };
  /** Writes a value of the graph under its own name. */
  const writeAs = (value: string, write: () => string): void => {
    const name = written(write);
    nodes.push({ op: 'Identity', name: value, inputs: [name], outputs: [value], attributes: {} });
  };
  const takeBack = (value: string): void => {
    const write = away.get(value);
    away.delete(value);
    write?.();
  };
  /** Keeps a value channels last alone. */
  const keep = (value: string, bands: Bands): void => {
    last.set(value, bands);
    away.set(value, () => {
      changed(bands.dims);
      writeAs(value, () => toChannelsFirst(build, bands));
    });
  };

  const toLast = (value: string, way: Way | undefined): Bands => {
    const bands = last.get(value) ?? way?.write() ?? changedToLast(value);
    last.set(value, bands);
    return bands;
  };
  const changedToLast = (value: string): Bands => {
    const shape = dims(value) as readonly number[];
    takeBack(value);
    changed(shape);
    return written(() => toChannelsLast(build, value, shape));
  };

  /** How a value can be channels last without a change of its layout. */
  const unchanged = (value: string): Way | undefined => {
    const there = last.get(value);
    if (there !== undefined) return { dims: there.dims, write: () => there };
    const way = known.get(value) ?? wayOfNode(makers.get(value));
    if (way !== undefined) known.set(value, way);
    return way;
  };
  const known = new Map<string, Way>();
  const wayOfNode = (node: Node | undefined): Way | undefined => {
    if (node === undefined) return undefined;
    if (elementwise.has(node.op)) return singly(node, unchanged);
    if (node.op === 'Conv') return fromFewChannels(node);
    return node.op === 'Reshape' ? fromOwnMap(node) : undefined;
  };
  /** The same, or with one. */
  const anyhow = (value: string): Way | undefined => {
    const shape = dims(value);
    return (
      unchanged(value) ??
      (shape?.length === 4 ? { dims: shape, write: () => changedToLast(value) } : undefined)
    );
  };
  /** An operation on single values, where all that it reads can be channels last. */
  const singly = (
    { op, inputs, outputs, attributes }: Node,
    wayOf: (value: string) => Way | undefined,
  ): Way | undefined => {
    /** A number, without axes; undefined where an input is none. */
    const numberOf = (input: string): string | undefined => {
      const constant = build.initializers.get(input);
      if (input === '' || constant?.dims.length === 0) return input;
      if (constant === undefined || size(constant.dims) !== 1) return undefined;
      return build.shared(`number ${input}`, () => ({ ...constant, dims: [] }), input);
    };
    const read = new Map<string, Way>();
    let shape: readonly number[] | undefined;
    for (const input of new Set(inputs)) {
      if (numberOf(input) !== undefined) continue;
      const way = wayOf(input);
      shape ??= way?.dims;
      if (way === undefined || String(way.dims) !== String(shape)) return undefined;
      read.set(input, way);
    }
    if (shape === undefined || outputs.length !== 1) return undefined;
    const own = shape;
    return {
      dims: own,
      write() {
        const all = [...read].map(([input, way]) => [input, toLast(input, way)] as const);
        const together = sharedArrangement(all.map(([, bands]) => bands));
        return written(() => {
          const partsOf = new Map(
            all.map(([input, bands]) => [input, arranged(build, bands, together).parts]),
          );
          const [some = []] = partsOf.values();
          const parts = some.map((_, part) => {
            const values = inputs.map((input) => numberOf(input) ?? (partsOf.get(input)?.[part] as string));
            return build.add(op, values, attributes, `${outputs[0]}_last`);
          });
          return { ...together, dims: own, parts };
        });
      },
    };
  };

  const fromFewChannels = (node: Node): Way | undefined => {
    const [x = '', kernelName = '', biasName = ''] = node.inputs;
    const found = constantsOf(node, last.get(x)?.dims ?? dims(x));
    if (found === undefined || found.channels >= fewChannels || found.filters < fewChannels) return undefined;
    const { axes, kernel, bias, channels, filters, batch } = found;
    const shape = [batch, filters, axes.vertical.written, axes.horizontal.written];
    return {
      dims: shape,
      write() {
        takeBack(x);
        return written(() => {
          const matrix = build.shared(
            `from few ${kernelName} ${biasName}`,
            () => kernelFromFew(kernel, bias),
            kernelName,
          );
          const settings = { ...axes, few: channels, hasBias: bias !== undefined };
          return fromFew(build, x, settings, new Array<string>(batch).fill(matrix), shape);
        });
      },
    };
  };
  /** Of each picture's own map many channels: a convolution of one group a picture, in which a picture's maps are the group's. */
  const fromOwnMap = ({ inputs: [grouped = ''], outputs: [value = ''] }: Node): Way | undefined => {
    const shape = dims(value);
    const node = makers.get(grouped);
    const [batch = 1, many = 1] = shape ?? [];
    const [x = '', kernel = '', ...others] = node?.inputs ?? [];
    const axes = node?.op === 'Conv' ? axesOf(node, dims(x), kernelDims(kernel)) : undefined;
    const isOwn = String(kernelDims(kernel)) === `${batch * many},1,3,3` && dims(x)?.[1] === batch;
    const isShaped =
      axes && String(shape?.slice(2)) === `${axes.vertical.written},${axes.horizontal.written}`;
    if (shape === undefined || !axes || !isOwn || !isShaped || many < fewChannels || others.length > 0)
      return undefined;
    return {
      dims: shape,
      write() {
        takeBack(x);
        const { vertical, horizontal } = axes;
        return written(() => {
          const maps = reshaped(build, x, [batch, 1, vertical.size, horizontal.size]);
          const kernels = ownKernels(build, kernel, batch, many);
          return fromFew(build, maps, { ...axes, few: 1, hasBias: false }, kernels, shape);
        });
      },
    };
  };
  /** The dims of a kernel, as far as the graph says them. */
  const kernelDims = (name: string): readonly number[] | undefined => {
    const input = graph.inputs.find((one) => one.name === name);
    const node = makers.get(name);
    const shape = node?.op === 'Reshape' ? build.initializers.get(node.inputs[1] ?? '') : undefined;
    return (
      build.initializers.get(name)?.dims ??
      input?.dims.map(Number) ??
      (shape && Array.from(shape.data, Number))
    );
  };
  /** A convolution of steps of 1 with a constant kernel 3×3 and bias, in one group. */
  const constantsOf = (node: Node, shape: readonly number[] | undefined) => {
    const [, kernelName = '', biasName = ''] = node.inputs;
    const kernel = build.float32Constant(kernelName);
    const bias = build.float32Constant(biasName);
    const axes = kernel && axesOf(node, shape, kernel.dims);
    if (kernel === undefined || axes === undefined || (biasName !== '' && bias === undefined))
      return undefined;
    const [batch = 1, channels = 1, height = 1, width = 1] = shape ?? [];
    const [filters = 1, own] = kernel.dims;
    return own === channels && intOf(node, 'group', 1) === 1
      ? { axes, kernel, bias, batch, channels, filters, height, width }
      : undefined;
  };

  const convolution = (node: Node): boolean => {
    const [x = '', kernelName = '', biasName = ''] = node.inputs;
    const [y = ''] = node.outputs;
    const ofOwn = grouped.get(x);
    if (ofOwn !== undefined) return toOwnMap(node, ofOwn);
    const found = constantsOf(node, last.get(x)?.dims ?? dims(x));
    if (found === undefined) return false;
    const { axes, kernel, channels, filters, height, width } = found;
    const bias = biasName || undefined;
    if (choose({ channels, filters, height, width })) {
      const own = toLast(x, anyhow(x));
      const dimsOfY = [found.batch, filters, axes.vertical.written, axes.horizontal.written];
      const inQuarters = isPooledAlone(y, dimsOfY);
      if (inQuarters && bias !== undefined) biases.set(y, bias);
      const settings = { ...axes, kernel, bias: inQuarters ? undefined : bias, inQuarters };
      keep(
        y,
        written(() => convolve(build, own, settings)),
      );
      return true;
    }
    const there = last.get(x);
    if (
      !away.has(x) ||
      there === undefined ||
      filters >= fewChannels ||
      channels < fewChannels ||
      isWide(axes)
    )
      return false;
    writeAs(y, () => {
      const matrix = build.shared(`to few ${kernelName}`, () => kernelToFew(kernel), kernelName);
      const kernels = picturesOf(there.dims)
        .slice(1)
        .map(() => matrix);
      return toFew(build, there, { ...axes, few: filters }, kernels, bias);
    });
    return true;
  };
  /** Values [1, N · C, height, width] in which every picture is a group, and what they are a view of. */
  const grouped = new Map<string, Bands>();
  const grouping = (node: Node): boolean => {
    const [x = '', shape = ''] = node.inputs;
    const [y = ''] = node.outputs;
    const there = last.get(x);
    const [batch = 1, channels = 1, height, width] = there?.dims ?? [];
    const to = Array.from(build.initializers.get(shape)?.data ?? [], Number);
    const views = [
      [0, 0],
      [height, width],
    ].map((image) => String([1, batch * channels, ...image]));
    if (there === undefined || !away.has(x) || !views.includes(String(to))) return false;
    grouped.set(y, there);
    away.set(y, () => {
      takeBack(x);
      nodes.push(node);
    });
    return true;
  };
  /** Of each picture's many channels its own map, by its own kernel. */
  const toOwnMap = (node: Node, x: Bands): boolean => {
    const [, kernel = '', ...others] = node.inputs;
    const [batch = 1, channels = 1] = x.dims;
    const axes = axesOf(node, x.dims, kernelDims(kernel));
    const isOwn = String(kernelDims(kernel)) === String([batch, channels, 3, 3]);
    if (!axes || isWide(axes) || !isOwn || intOf(node, 'group', 1) !== batch || others.length > 0)
      return false;
    takeBack(kernel);
    writeAs(node.outputs[0] as string, () => {
      const kernels = ownKernels(build, kernel, batch, channels);
      const maps = toFew(build, x, { ...axes, few: 1 }, kernels);
      return reshaped(build, maps, [1, batch, axes.vertical.written, axes.horizontal.written]);
    });
    return true;
  };

  const pools = new Map<string, Pool>();
  /** Of values that only poolings read: what is to be added to what was pooled, as that is the same and takes a quarter. */
  const biases = new Map<string, string>();
  const isPooled = (node: Node, shape: readonly number[]): boolean => {
    const [, indices = ''] = node.outputs;
    return node.op === 'MaxPool' && isHalving(node, shape) && (indices === '' || onlyUnpools(graph, indices));
  };
  const isPooledAlone = (value: string, shape: readonly number[]): boolean => {
    const readers = graph.nodes.filter(({ inputs }) => inputs.includes(value));
    return (
      readers.length > 0 && readers.every((node) => isPooled(node, shape)) && !graph.outputs.includes(value)
    );
  };
  const pooling = (node: Node): boolean => {
    const [x = ''] = node.inputs;
    const [y = '', indices = ''] = node.outputs;
    const there = last.get(x);
    if (there === undefined || !away.has(x) || !isPooled(node, there.dims)) return false;
    const own = written(() => pool(build, there));
    const bias = biases.get(x);
    const parts = written(() =>
      own.value.parts.map((part) => (bias === undefined ? part : build.add('Add', [part, bias]))),
    );
    keep(y, { ...own.value, parts });
    if (indices !== '') pools.set(indices, own);
    return true;
  };
  const unpooling = (node: Node): boolean => {
    const [g = '', indices = ''] = node.inputs;
    const found = pools.get(indices);
    if (found === undefined) return false;
    const own = toLast(g, anyhow(g));
    const bands = written(() => found.unpool(own));
    keep(node.outputs[0] as string, bands);
    return true;
  };
  /** Follows values that are away through an operation on single values. */
  const following = (node: Node): boolean => {
    if (!elementwise.has(node.op) || !node.inputs.some((input) => away.has(input))) return false;
    const way = singly(node, anyhow);
    if (way === undefined) return false;
    keep(node.outputs[0] as string, way.write());
    return true;
  };
  const ways: Readonly<Record<string, (node: Node) => boolean>> = {
    Conv: convolution,
    Reshape: grouping,
    MaxPool: pooling,
    MaxUnpool: unpooling,
  };

  for (const node of graph.nodes) {
    if ((ways[node.op] ?? following)(node)) continue;
    for (const input of node.inputs) takeBack(input);
    nodes.push(node);
  }
  for (const output of graph.outputs) takeBack(output);
  return withoutUnread({ ...build.graph(graph.outputs), nodes });
}

/** Of fewer channels no matrix product of many channels is worth its tiles. */
const fewChannels = 16;

/** The axes of a convolution 3×3 of steps of 1 on a value of these dims; undefined of another. */
function axesOf(
  node: Node,
  dims: readonly number[] | undefined,
  kernel: readonly number[] | undefined,
): { readonly vertical: Axis; readonly horizontal: Axis } | undefined {
  const every = (name: string): boolean => intsOf(node, name)?.every((value) => value === 1) ?? true;
  const auto = textOf(node, 'auto_pad', 'NOTSET');
  if (dims?.length !== 4 || String(kernel?.slice(2)) !== '3,3') return undefined;
  if (!every('strides') || !every('dilations') || auto !== 'NOTSET') return undefined;
  const pads = intsOf(node, 'pads') ?? [0, 0, 0, 0];
  const [vertical, horizontal] = [0, 1].map((axis): Axis => {
    const [side = 1, before = 0, after = 0] = [dims[axis + 2], pads[axis], pads[axis + 2]];
    return { size: side, before, written: side + before + after - 2 };
  });
  return vertical && horizontal && { vertical, horizontal };
}

/** Whether more zeros are read than a kernel reaches over. */
const isWide = (axes: Readonly<Record<'vertical' | 'horizontal', Axis>>): boolean =>
  [axes.vertical, axes.horizontal].some(
    ({ size: side, before, written }) => before > 2 || written + 2 - side - before > 2,
  );
