/**
 * The network cut at a layer: everything below it once, and of the layer itself one unit a picture.
 * The units' slices of the layer's weights are inputs of the graph, so that one compiled graph serves all units.
 */

import type { GraphBuilder } from './build.ts';
import { type Float32Tensor, floatOf, type Graph, int, intOf, ints, type Node, size } from './graph.ts';
import type { Layer, Network } from './network.ts';

/** A graph input [batch, …dims] that holds each picture's own part of the layer. */
export interface UnitSlice {
  readonly input: string;
  /** Without the batch axis. */
  readonly dims: readonly number[];
  /** The part of unit `unit`, `size(dims)` values. */
  pick(unit: number): Float32Array;
}

export interface UnitMaps {
  /** Each picture's unit before its activation function: [batch, 1, h, w], or [batch, 1] in a dense layer. */
  readonly linear: string;
  /** The same after it. */
  readonly activation: string;
  readonly slices: readonly UnitSlice[];
}

const ELEMENTWISE = new Set(
  (
    'Relu LeakyRelu Elu Selu Celu ThresholdedRelu Clip Sigmoid HardSigmoid HardSwish Tanh Softplus Softsign Mish Gelu ' +
    'Identity Dropout Abs Neg Exp Erf Pow Sqrt Add Sub Mul Div Min Max'
  ).split(' '),
);

/** Network input [N, C, H, W] in the order of axes that the network takes. */
export function toLayout(build: GraphBuilder, value: string, { input }: Network): string {
  return input.layout === 'NCHW' ? value : build.add('Transpose', [value], { perm: ints([0, 2, 3, 1]) });
}

/**
 * Copies parts of `graph` into `build`, each node at most once. The returned function takes a value's name in
 * `graph`, copies what it depends on down to the `given` values, and returns the copy's name.
 */
export function copier(
  build: GraphBuilder,
  graph: Graph,
  given: ReadonlyMap<string, string>,
): (value: string) => string {
  const names = new Map(given);
  const nameOf = (value: string): string => {
    if (value === '') return '';
    let name = names.get(value);
    if (name === undefined) {
      const initializer = graph.initializers.get(value);
      if (initializer === undefined) throw new Error(`The graph has no value '${value}'`);
      name = build.constant(initializer, value);
      names.set(value, name);
    }
    return name;
  };
  return (value) => {
    const wanted = new Set(names.has(value) ? [] : [value]);
    const nodes = graph.nodes.toReversed().filter((node) => {
      if (!node.outputs.some((output) => wanted.has(output))) return false;
      for (const input of node.inputs) if (!names.has(input)) wanted.add(input);
      return true;
    });
    for (const { op, inputs, outputs, attributes } of nodes.reverse()) {
      const copies = build.addMany(op, inputs.map(nameOf), outputs.length, attributes, outputs[0]);
      outputs.forEach((output, index) => void names.set(output, copies[index] as string));
    }
    return nameOf(value);
  };
}

/** How a value's own unit is written: deferred, so that nothing is written where the layer cannot be sliced. */
interface Slicing {
  /** Rank of the sliced value: 4 for maps, 2 in a dense layer. */
  readonly rank: 2 | 4;
  write(): string;
}

/**
 * Writes `network` up to `layer` into `build`, fed by `picture` (shaped as the network's input, batch first), and
 * declares the inputs of the units' slices.
 * @param copy What copies the network, where others write parts of it too.
 */
export function cutAtLayer(
  build: GraphBuilder,
  network: Network,
  layer: Layer,
  picture: string,
  batch: number,
  copy = copier(build, network.graph, new Map([[network.input.name, picture]])),
): UnitMaps {
  const { graph } = network;
  const slices: UnitSlice[] = [];
  const declare = (hint: string, dims: readonly number[], pick: UnitSlice['pick']): string => {
    const input = build.input(`unit.${hint}`, [batch, ...dims]);
    slices.push({ input, dims, pick });
    return input;
  };

  const slicing = sliceUnits(build, network, layer, batch, copy, declare);
  const between = elementwiseBetween(graph, layer);
  if (slicing !== undefined && between !== undefined) {
    const linear = slicing.write();
    const activate = copier(build, { ...graph, nodes: between }, new Map([[layer.linear, linear]]));
    return { linear, activation: activate(layer.output), slices };
  }

  // No rule cuts this layer's weights: all units are computed, and a mask leaves each picture its own.
  const rank = layer.kind === 'conv' || layer.unitAxis === 3 ? 4 : 2;
  const maskDims = Array.from({ length: rank - 1 }, (_, axis) =>
    axis + 1 === layer.unitAxis ? layer.units : 1,
  );
  const mask = declare('mask', maskDims, (unit) => {
    const oneHot = new Float32Array(layer.units);
    oneHot[unit] = 1;
    return oneHot;
  });
  const select = (value: string): string => {
    const masked = build.add('Mul', [copy(value), mask]);
    const own = build.sum(masked, [layer.unitAxis]);
    return layer.unitAxis === 3 ? build.add('Transpose', [own], { perm: ints([0, 3, 1, 2]) }) : own;
  };
  const linear = select(layer.linear);
  return { linear, activation: layer.output === layer.linear ? linear : select(layer.output), slices };
}

/** Writes all units of a layer, before and after its activation function: [batch, units, h, w] or [batch, units]. */
export function wholeLayer(
  build: GraphBuilder,
  { linear, output, unitAxis }: Layer,
  copy: (value: string) => string,
): Omit<UnitMaps, 'slices'> {
  const maps = (value: string): string =>
    unitAxis === 3 ? build.add('Transpose', [copy(value)], { perm: ints([0, 3, 1, 2]) }) : copy(value);
  const before = maps(linear);
  return { linear: before, activation: output === linear ? before : maps(output) };
}

/** The slicing of `layer.linear`, or undefined where no rule fits the operations that make it. */
function sliceUnits(
  build: GraphBuilder,
  { graph }: Network,
  layer: Layer,
  batch: number,
  copy: (value: string) => string,
  declare: (hint: string, dims: readonly number[], pick: UnitSlice['pick']) => string,
): Slicing | undefined {
  if (layer.unitAxis !== 1) return undefined;
  const producers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)),
  );
  const float32Constant = (name: string): Float32Tensor | undefined => {
    const tensor = graph.initializers.get(name);
    return tensor?.type === 'float32' ? tensor : undefined;
  };

  /** The unit's own value of a constant that is one number, or counts units along the unit axis alone. */
  const perUnit = (name: string, rank: 2 | 4): (() => string) | undefined => {
    const tensor = float32Constant(name);
    if (tensor === undefined) return undefined;
    if (tensor.data.length === 1) return () => build.constant(tensor, name);
    const axisFromEnd = tensor.dims.length - 1 - tensor.dims.indexOf(layer.units);
    if (tensor.data.length !== layer.units || axisFromEnd !== rank - 2) return undefined;
    return () => declare(name, rank === 4 ? [1, 1, 1] : [1], (unit) => tensor.data.slice(unit, unit + 1));
  };

  const convolution = (node: Node): Slicing | undefined => {
    const [input = '', kernelName = '', biasName = ''] = node.inputs;
    const kernels = float32Constant(kernelName);
    const bias = float32Constant(biasName);
    if (kernels?.dims.length !== 4 || kernels.dims[0] !== layer.units || intOf(node, 'group', 1) !== 1)
      return undefined;
    if (biasName !== '' && bias === undefined) return undefined;
    const dims = kernels.dims.slice(1);
    const length = size(dims);
    return {
      rank: 4,
      write() {
        // Every picture meets its own kernel alone: one group a picture.
        const grouped = build.add('Reshape', [
          copy(input),
          build.shape([1, batch * (dims[0] as number), 0, 0]),
        ]);
        const kernel = declare(kernelName, dims, (unit) =>
          kernels.data.slice(unit * length, (unit + 1) * length),
        );
        const maps = build.add('Conv', [grouped, kernel], { ...node.attributes, group: int(batch) });
        const map = build.add('Reshape', [maps, build.shape([batch, 1, 0, 0])]);
        if (bias === undefined) return map;
        return build.add('Add', [
          map,
          declare(biasName, [1, 1, 1], (unit) => bias.data.slice(unit, unit + 1)),
        ]);
      },
    };
  };

  const dense = (node: Node): Slicing | undefined => {
    const [input = '', weightsName = '', biasName = ''] = node.inputs;
    const weights = float32Constant(weightsName);
    if (weights?.dims.length !== 2 || intOf(node, 'transA', 0) === 1) return undefined;
    if (floatOf(node, 'alpha', 1) !== 1 || floatOf(node, 'beta', 1) !== 1) return undefined;
    const transposed = intOf(node, 'transB', 0) === 1;
    const [rows = 0, columns = 0] = weights.dims;
    const [units, length] = transposed ? [rows, columns] : [columns, rows];
    const bias = biasName === '' ? undefined : perUnit(biasName, 2);
    if (units !== layer.units || (biasName !== '' && bias === undefined)) return undefined;
    const ofUnit = transposed
      ? (unit: number) => weights.data.subarray(unit * columns, (unit + 1) * columns)
      : columnsOf(weights.data, columns);
    return {
      rank: 2,
      write() {
        const column = declare(weightsName, [length, 1], ofUnit);
        const row = build.add('Reshape', [copy(input), build.shape([batch, 1, length])]);
        const product = build.add('MatMul', [row, column]);
        const sum = build.add('Reshape', [product, build.shape([batch, 1])]);
        return bias === undefined ? sum : build.add('Add', [sum, bias()]);
      },
    };
  };

  const batchNormalization = (node: Node): Slicing | undefined => {
    const below = slice(node.inputs[0] ?? '');
    const [scale, bias, mean, variance] = node.inputs.slice(1).map(float32Constant);
    if (below === undefined || !scale || !bias || !mean || !variance) return undefined;
    const epsilon = floatOf(node, 'epsilon', 1e-5);
    const dims = below.rank === 4 ? [1, 1, 1] : [1];
    const at = ({ data }: Float32Tensor, unit: number): number => data[unit] as number;
    const factor = (unit: number): number => at(scale, unit) / Math.sqrt(at(variance, unit) + epsilon);
    return {
      rank: below.rank,
      write() {
        const times = declare(`${node.name}.scale`, dims, (unit) => Float32Array.of(factor(unit)));
        const plus = declare(`${node.name}.shift`, dims, (unit) =>
          Float32Array.of(at(bias, unit) - at(mean, unit) * factor(unit)),
        );
        return build.add('Add', [build.add('Mul', [below.write(), times]), plus]);
      },
    };
  };

  const arithmetic = (node: Node): Slicing | undefined => {
    const [left = '', right = ''] = node.inputs;
    const constantFirst = graph.initializers.has(left);
    const below = slice(constantFirst ? right : left);
    const constant = below && perUnit(constantFirst ? left : right, below.rank);
    if (below === undefined || constant === undefined) return undefined;
    return {
      rank: below.rank,
      write() {
        const value = below.write();
        return build.add(node.op, constantFirst ? [constant(), value] : [value, constant()]);
      },
    };
  };

  const slice = (value: string): Slicing | undefined => {
    const node = producers.get(value);
    switch (node?.op) {
      case 'Conv':
        return convolution(node);
      case 'Gemm':
      case 'MatMul':
        return dense(node);
      case 'Add':
      case 'Sub':
      case 'Mul':
      case 'Div':
        return arithmetic(node);
      case 'BatchNormalization':
        return batchNormalization(node);
      case 'Identity':
      case 'Dropout':
        return slice(node.inputs[0] ?? '');
      default:
        return undefined;
    }
  };
  return slice(layer.linear);
}

/** Columns read together: so many values lie in one line of the processor's cache. */
const columnsAtOnce = 16;

/** The columns of a matrix [rows, columns], any of them, quickest in a row. */
function columnsOf(values: Float32Array, columns: number): (column: number) => Float32Array {
  const rows = values.length / columns;
  let [first, block]: [number, readonly Float32Array[]] = [-1, []];
  return (column) => {
    const from = column - (column % columnsAtOnce);
    if (from !== first) {
      const count = Math.min(columnsAtOnce, columns - from);
      block = Array.from({ length: count }, () => new Float32Array(rows));
      for (let row = 0; row < rows; row++) {
        for (const [place, own] of block.entries()) own[row] = values[row * columns + from + place] as number;
      }
      first = from;
    }
    return block[column - from] as Float32Array;
  };
}

/** The nodes between a layer's linear value and its output, if each of them acts on every value alone; else undefined. */
function elementwiseBetween(graph: Graph, layer: Layer): Node[] | undefined {
  const made = new Set([layer.linear]);
  const nodes: Node[] = [];
  for (const node of graph.nodes) {
    if (made.has(layer.output)) break;
    if (!node.inputs.some((input) => made.has(input))) continue;
    const plain = node.inputs.every(
      (input) => input === '' || made.has(input) || size(graph.initializers.get(input)?.dims ?? [0]) === 1,
    );
    if (!plain || !ELEMENTWISE.has(node.op)) continue;
    nodes.push(node);
    for (const output of node.outputs) made.add(output);
  }
  return made.has(layer.output) ? nodes : undefined;
}
