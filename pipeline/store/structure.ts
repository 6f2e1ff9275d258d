/**
 * What a graph computes, as steps that know no names: in the order in which the outputs ask for them, and in one form
 * where files have several for the same. Two files of one network give the same steps and the same weights.
 */

import {
  type Attribute,
  type Graph,
  intOf,
  intsOf,
  type Node,
  type Tensor,
  textOf,
} from '../network/graph.ts';

/** A step's input: an earlier step and which of its outputs, an input of the graph, or a constant. */
type Operand =
  | null
  | readonly ['step', number, number]
  | readonly ['input', number]
  | readonly ['weights', readonly number[]]
  | readonly ['constant', string, readonly number[], readonly string[]];

type Attributes = readonly (readonly [name: string, value: unknown])[];

export interface Structure {
  /** Operations, their attributes and what feeds what; canonical JSON makes a key of it. */
  readonly steps: readonly (readonly [op: string, inputs: readonly Operand[], attributes: Attributes])[];
  readonly outputs: readonly Operand[];
  /** The float32 constants, in the order in which the steps take them. */
  readonly weights: readonly Tensor[];
}

const same = new Set(['Identity', 'Dropout']);

/** What an attribute is where it is left out; a list of such numbers, where it is a list. */
const defaults: Readonly<Record<string, Readonly<Record<string, number | string>>>> = {
  Conv: { auto_pad: 'NOTSET', dilations: 1, group: 1, pads: 0, strides: 1 },
  ConvTranspose: { auto_pad: 'NOTSET', dilations: 1, group: 1, output_padding: 0, pads: 0, strides: 1 },
  MaxPool: { auto_pad: 'NOTSET', ceil_mode: 0, dilations: 1, pads: 0, storage_order: 0, strides: 1 },
  AveragePool: { auto_pad: 'NOTSET', ceil_mode: 0, count_include_pad: 0, dilations: 1, pads: 0, strides: 1 },
  BatchNormalization: { epsilon: Math.fround(1e-5), training_mode: 0 },
  Elu: { alpha: 1 },
  LeakyRelu: { alpha: Math.fround(0.01) },
  Softmax: { axis: -1 },
  Reshape: { allowzero: 0 },
};

/** Attributes that change nothing: the size of a kernel is that of the weights, momentum is for training. */
const idle: Readonly<Record<string, readonly string[]>> = {
  Conv: ['kernel_shape'],
  ConvTranspose: ['kernel_shape'],
  BatchNormalization: ['momentum'],
};

/** The values `outputs` of a graph, and all that they depend on. */
export function structureOf(graph: Graph, outputs: readonly string[]): Structure {
  const steps: (readonly [string, readonly Operand[], Attributes])[] = [];
  const weights: Tensor[] = [];
  const inputs = new Map(graph.inputs.map(({ name }, index) => [name, index]));
  const makers = new Map<string, Node>();
  for (const node of graph.nodes) for (const output of node.outputs) makers.set(output, node);
  const done = new Map<Node, number>();

  const step = (op: string, operands: readonly Operand[], attributes: Attributes = []): number =>
    steps.push([op, operands, attributes]) - 1;

  /** The value that `value` is only another name of. */
  const origin = (value: string): string => {
    const node = makers.get(value);
    return node !== undefined && same.has(node.op) && node.outputs[0] === value
      ? origin(node.inputs[0] ?? '')
      : value;
  };

  const constant = (tensor: Tensor, dims = tensor.dims): Operand => {
    if (tensor.type !== 'float32') return ['constant', tensor.type, dims, Array.from(tensor.data, String)];
    weights.push(tensor);
    return ['weights', dims];
  };

  const operand = (name: string): Operand => {
    const value = origin(name);
    if (value === '') return null;
    const input = inputs.get(value);
    if (input !== undefined) return ['input', input];
    const tensor = graph.initializers.get(value);
    if (tensor !== undefined) return constant(tensor);
    const node = makers.get(value);
    if (node === undefined) throw new Error(`The graph has no value '${value}'`);
    const turned = transposed(node);
    if (turned?.perm.every((axis, place) => axis === place)) return operand(turned.value);
    let index = done.get(node);
    if (index === undefined) {
      index =
        turned === undefined
          ? written(node)
          : step('Transpose', [operand(turned.value)], [['perm', turned.perm]]);
      done.set(node, index);
    }
    return ['step', index, node.outputs.indexOf(value)];
  };

  /** A transpose as one, with those before it. */
  const transposed = (node: Node): { value: string; perm: readonly number[] } | undefined => {
    const perm = node.op === 'Transpose' ? intsOf(node, 'perm') : undefined;
    if (perm === undefined) return undefined;
    const value = origin(node.inputs[0] ?? '');
    const before = makers.get(value);
    const inner = before && transposed(before);
    if (inner === undefined) return { value, perm };
    return { value: inner.value, perm: perm.map((axis) => inner.perm[axis] ?? axis) };
  };

  const written = (node: Node): number => {
    const { op } = node;
    const [first = '', second = '', third = ''] = node.inputs;
    const tensor = (name: string): Tensor | undefined => graph.initializers.get(origin(name));
    if (op === 'Conv' || op === 'ConvTranspose') {
      const product = step(op, [operand(first), operand(second)], attributesOf(node));
      const bias = tensor(third);
      if (third === '') return product;
      const added = bias === undefined ? operand(third) : constant(bias, stripped([...bias.dims, 1, 1]));
      return step('Add', [['step', product, 0], added]);
    }
    if (op === 'Gemm' && isPlain(node)) {
      const product = step('MatMul', [operand(first), operand(second)]);
      const bias = tensor(third);
      if (third === '') return product;
      const added = bias === undefined ? operand(third) : constant(bias, stripped(bias.dims));
      return step('Add', [['step', product, 0], added]);
    }
    if (op === 'Add' || op === 'Mul') {
      // The order of two values means nothing: the one that takes a step to make comes first.
      const isMade = (name: string): boolean => makers.has(origin(name));
      const operands = isMade(second) && !isMade(first) ? [second, first] : [first, second];
      return step(
        op,
        operands.map((name) => {
          const number = tensor(name);
          return number === undefined ? operand(name) : constant(number, stripped(number.dims));
        }),
      );
    }
    if (op === 'Flatten' && intOf(node, 'axis', 1) === 1) return step('Flatten', [operand(first)]);
    if (op === 'Reshape' && isFlattening(tensor(second))) return step('Flatten', [operand(first)]);
    return step(op, node.inputs.map(operand), attributesOf(node));
  };

  return { steps, weights, outputs: outputs.map(operand) };
}

/** Axes of size 1 in front change nothing where values are broadcast. */
function stripped(dims: readonly number[]): readonly number[] {
  const start = dims.findIndex((dim) => dim !== 1);
  return start < 0 ? [] : dims.slice(start);
}

const isPlain = (node: Node): boolean =>
  ['transA', 'transB'].every((name) => intOf(node, name, 0) === 0) &&
  ['alpha', 'beta'].every((name) => [undefined, 1].includes(numberOf(node.attributes[name])));

const numberOf = (attribute: Attribute | undefined): number | undefined =>
  attribute?.kind === 'float' ? attribute.value : undefined;

/** [0, -1] and [-1, n]: a picture's own values in one row. */
function isFlattening(shape: Tensor | undefined): boolean {
  if (shape?.type !== 'int64' || shape.data.length !== 2) return false;
  const [rows, columns] = Array.from(shape.data, Number) as [number, number];
  return (rows === 0 && columns === -1) || (rows === -1 && columns > 0);
}

function attributesOf(node: Node): Attributes {
  const known = defaults[node.op] ?? {};
  const dropped = idle[node.op] ?? [];
  const unpadded = textOf(node, 'auto_pad', 'NOTSET') === 'VALID';
  return Object.entries(node.attributes)
    .flatMap(([name, attribute]): Attributes => {
      if (dropped.includes(name)) return [];
      if (unpadded && (name === 'auto_pad' || name === 'pads')) return [];
      const value = plain(attribute);
      const ordinary = known[name];
      const isOrdinary = Array.isArray(value)
        ? ordinary !== undefined && value.every((each) => each === ordinary)
        : value === ordinary;
      return isOrdinary && ordinary !== undefined ? [] : [[name, value]];
    })
    .sort(([a], [b]) => (a < b ? -1 : 1));
}

function plain(attribute: Attribute): unknown {
  switch (attribute.kind) {
    case 'float':
      return Math.fround(attribute.value);
    case 'floats':
      return attribute.value.map(Math.fround);
    case 'tensor': {
      const { type, dims, data } = attribute.value;
      return [type, dims, Array.from(data, String)];
    }
    default:
      return attribute.value;
  }
}
