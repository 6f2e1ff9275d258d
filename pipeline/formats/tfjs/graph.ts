/**
 * TensorFlow.js graph models: TensorFlow operations as JSON, constants in shards. Each operation is described as the
 * Keras layer that does the same, so that one table writes both.
 */

import { PhospheneError } from '../../error.ts';
import { type Float32Tensor, float32 } from '../../network/graph.ts';
import type { ModelFile } from '../file.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import {
  callWith,
  type LayerDescription,
  type ModelDescription,
  type TensorReference,
} from '../keras/description.ts';
import type { KerasModel } from '../keras/network.ts';
import { readManifest } from './manifest.ts';

const mostNodes = 50_000;

interface TfNode {
  readonly name: string;
  readonly op: string;
  /** Names of the nodes whose values it takes, without the number of the output. */
  readonly inputs: readonly string[];
  readonly attributes: JsonObject;
}

/** A layer that stands for a node or a part of it; `inputs` are names of nodes or of layers of the same list. */
interface Stand {
  readonly name: string;
  readonly className: string;
  readonly config?: JsonObject;
  readonly inputs: readonly string[];
  readonly operands?: readonly (number | null)[];
  readonly weights?: readonly Float32Tensor[];
}

/** The nodes of a graph model's JSON, or undefined if it is none. */
export function graphNodes(model: JsonObject): readonly Json[] | undefined {
  const topology = model['modelTopology'];
  const nodes = isObject(topology) ? topology['node'] : undefined;
  return Array.isArray(nodes) ? (nodes as Json[]) : undefined;
}

/**
 * Reads a graph model and its weights.
 * @throws PhospheneError if it has no picture as its input, or a weight file is missing or too short.
 */
export async function readTfjsGraph(file: ModelFile, json: JsonObject): Promise<KerasModel> {
  const listed = graphNodes(json) ?? [];
  if (listed.length > mostNodes) {
    throw new PhospheneError(
      `Expected '${file.name}' to have at most ${mostNodes} operations, found ${listed.length}.`,
    );
  }
  const nodes = listed.flatMap((node) => nodeOf(node) ?? []);
  const constants = await readManifest(file, json);
  const reader = new Reader(nodes, constants);
  const stands = nodes.flatMap((node) => (node.op === 'Const' ? [] : reader.stand(node)));
  const outputs = outputsOf(json, nodes);
  const weights = new Map(stands.map(({ name, weights }) => [name, weights ?? []]));
  return {
    file: file.name,
    format: 'tfjs-graph',
    version: 3,
    model: chained(needed(stands, outputs), outputs),
    weights: ({ name }) => weights.get(name),
  };
}

function nodeOf(json: Json): TfNode | undefined {
  if (!isObject(json) || typeof json['name'] !== 'string' || typeof json['op'] !== 'string') return undefined;
  const inputs = Array.isArray(json['input']) ? (json['input'] as Json[]) : [];
  return {
    name: json['name'],
    op: json['op'],
    inputs: inputs.flatMap((input) =>
      typeof input === 'string' && !input.startsWith('^') ? [input.replace(/:\d+$/, '')] : [],
    ),
    attributes: isObject(json['attr']) ? json['attr'] : {},
  };
}

function outputsOf(json: JsonObject, nodes: readonly TfNode[]): string[] {
  const signature = isObject(json['signature']) ? json['signature'] : json['userDefinedMetadata'];
  const outputs = isObject(signature) ? signature['outputs'] : undefined;
  const named = isObject(outputs)
    ? Object.values(outputs).flatMap((output) =>
        isObject(output) && typeof output['name'] === 'string' ? [output['name'].replace(/:\d+$/, '')] : [],
      )
    : [];
  const known = named.filter((name) => nodes.some((node) => node.name === name));
  if (known.length > 0) return known;
  const taken = new Set(nodes.flatMap(({ inputs }) => inputs));
  return nodes.filter(({ name, op }) => op !== 'Const' && !taken.has(name)).map(({ name }) => name);
}

/** What the outputs are computed from: computed shapes, for one, are not, for they have been read as constants. */
function needed(stands: readonly Stand[], outputs: readonly string[]): readonly Stand[] {
  const byName = new Map(stands.map((stand) => [stand.name, stand]));
  const reached = new Set(outputs);
  for (const name of reached) for (const input of byName.get(name)?.inputs ?? []) reached.add(input);
  return stands.filter(({ name }) => reached.has(name));
}

function chained(stands: readonly Stand[], outputs: readonly string[]): ModelDescription {
  const reference = (layer: string): TensorReference => ({ layer, node: 0, tensor: 0 });
  return {
    name: 'graph',
    layers: stands.map(({ name, className, config = {}, inputs, operands }): LayerDescription => {
      const call = callWith(inputs.map(reference));
      return { name, className, config, calls: [operands === undefined ? call : { ...call, operands }] };
    }),
    inputs: stands.filter(({ className }) => className === 'InputLayer').map(({ name }) => reference(name)),
    outputs: outputs.map(reference),
  };
}

type Translate = (node: TfNode, reader: Reader) => Stand | readonly Stand[];

class Reader {
  readonly #nodes: ReadonlyMap<string, TfNode>;
  readonly #constants: ReadonlyMap<string, Float32Tensor>;

  constructor(nodes: readonly TfNode[], constants: ReadonlyMap<string, Float32Tensor>) {
    this.#nodes = new Map(nodes.map((node) => [node.name, node]));
    this.#constants = constants;
  }

  stand(node: TfNode): readonly Stand[] {
    const translate = Object.hasOwn(table, node.op) ? table[node.op] : undefined;
    const plain: Stand = { name: node.name, className: node.op, inputs: node.inputs };
    const stands = translate?.(node, this) ?? plain;
    return Array.isArray(stands) ? (stands as Stand[]) : [stands as Stand];
  }

  /** The constant that a node is, directly or behind an Identity. */
  constant(name: string | undefined): Float32Tensor | undefined {
    let at = name;
    for (let step = 0; step < 8 && at !== undefined; step++) {
      const node = this.#nodes.get(at);
      if (node?.op === 'Const') return this.#constants.get(at);
      if (node?.op !== 'Identity') return undefined;
      [at] = node.inputs;
    }
    return undefined;
  }

  /** The numbers of a small constant; of a packed shape, with null where a number is computed. */
  numbers(name: string | undefined): (number | null)[] | undefined {
    const constant = this.constant(name);
    if (constant !== undefined) return constant.data.length > 64 ? undefined : Array.from(constant.data);
    const node = this.#nodes.get(name ?? '');
    if (node?.op !== 'Pack') return undefined;
    return node.inputs.map((input) => this.constant(input)?.data[0] ?? null);
  }
}

// -------------------------------------------------------------------------------------------------- attributes

/** TensorFlow writes text as base64. */
const decoded = (value: Json | undefined): string =>
  typeof value === 'string' ? Buffer.from(value, 'base64').toString('latin1') : '';

function attribute(node: TfNode, name: string): JsonObject {
  const value = Object.hasOwn(node.attributes, name) ? node.attributes[name] : undefined;
  return isObject(value) ? value : {};
}

const textOf = (node: TfNode, name: string): string => decoded(attribute(node, name)['s']);

function listOf(node: TfNode, name: string): readonly Json[] {
  const { list } = attribute(node, name);
  return isObject(list) ? ((list['i'] ?? list['s'] ?? []) as readonly Json[]) : [];
}

const wholeListOf = (node: TfNode, name: string): number[] => listOf(node, name).map(Number);

const numberOf = (node: TfNode, name: string, fallback: number): number => {
  const value = attribute(node, name)['f'];
  return typeof value === 'number' ? value : fallback;
};

const isSet = (node: TfNode, name: string): boolean => attribute(node, name)['b'] === true;

const channelsFirst = (node: TfNode): boolean => textOf(node, 'data_format') === 'NCHW';

const format = (node: TfNode): JsonObject => ({
  data_format: channelsFirst(node) ? 'channels_first' : 'channels_last',
});

/** The two picture axes of a list with one number an axis. */
const onPicture = (node: TfNode, values: readonly number[]): number[] =>
  values.length < 4 ? [1, 1] : channelsFirst(node) ? values.slice(2, 4) : values.slice(1, 3);

// ------------------------------------------------------------------------------------------------ translations

/** How a window slides; explicit padding becomes a layer of its own before it. */
function sliding(node: TfNode): { config: JsonObject; before: Stand[]; input: string } {
  const padding = textOf(node, 'padding');
  const [input = ''] = node.inputs;
  const config: JsonObject = {
    strides: onPicture(node, wholeListOf(node, 'strides')),
    dilation_rate: onPicture(node, wholeListOf(node, 'dilations')),
    padding: padding === 'SAME' ? 'same' : 'valid',
    ...format(node),
  };
  if (padding !== 'EXPLICIT') return { config, before: [], input };
  const pairs = wholeListOf(node, 'explicit_paddings');
  const border = onPicture(node, [0, 2, 4, 6]).map((at) => [pairs[at] ?? 0, pairs[at + 1] ?? 0]);
  const name = `${node.name}/padding`;
  const pad = {
    name,
    className: 'ZeroPadding2D',
    config: { padding: border, ...format(node) },
    inputs: [input],
  };
  return { config, before: [pad], input: name };
}

const kerasActivations: Readonly<Record<string, string>> = {
  Relu: 'relu',
  Relu6: 'relu6',
  Elu: 'elu',
  Selu: 'selu',
  Sigmoid: 'sigmoid',
  Tanh: 'tanh',
};

/** What fused operations add behind the bias: an activation by name, or a layer of its own. */
function fused(node: TfNode, reader: Reader, product: Omit<Stand, 'name'>): Stand[] {
  const ops = listOf(node, 'fused_ops').map(decoded);
  const hasBias = ops[0] === 'BiasAdd';
  const bias = hasBias ? reader.constant(node.inputs[2]) : undefined;
  const rest = hasBias ? ops.slice(1) : ops;
  const [last] = rest;
  const activation = last === undefined ? 'linear' : kerasActivations[last];
  const config: JsonObject = { ...product.config, use_bias: hasBias };
  const weights = [...(product.weights ?? []), ...(bias === undefined ? [] : [bias])];
  const whole = { ...product, config: { ...config, activation: activation ?? 'linear' }, weights };
  if (activation !== undefined && rest.length < 2) return [{ name: node.name, ...whole }];
  const linear = `${node.name}/linear`;
  const [, , , alpha] = node.inputs;
  const slope = reader.constant(alpha);
  const behind: Omit<Stand, 'name' | 'inputs'> =
    last === 'LeakyRelu'
      ? { className: 'LeakyReLU', config: { negative_slope: numberOf(node, 'leakyrelu_alpha', 0.2) } }
      : last === 'Prelu' && slope !== undefined
        ? { className: 'PReLU', weights: [slope] }
        : { className: `fused ${rest.join(' and ')}` };
  return [
    { name: linear, ...whole },
    { name: node.name, inputs: [linear], ...behind },
  ];
}

const convolution: Translate = (node, reader) => {
  const kernel = reader.constant(node.inputs[1]);
  if (kernel?.dims.length !== 4)
    return { name: node.name, className: `${node.op} with computed weights`, inputs: node.inputs };
  const { config, before, input } = sliding(node);
  const [height = 0, width = 0, , last = 0] = kernel.dims;
  const depthwise = /depthwise/i.test(node.op);
  const product = {
    className: depthwise ? 'DepthwiseConv2D' : 'Conv2D',
    config: {
      ...config,
      kernel_size: [height, width],
      ...(depthwise ? { depth_multiplier: last } : { filters: last }),
    },
    inputs: [input],
    weights: [kernel],
  };
  return [...before, ...fused(node, reader, product)];
};

const transposedConvolution: Translate = (node, reader) => {
  const kernel = reader.constant(node.inputs[1]);
  const [height = 0, width = 0, filters = 0] = kernel?.dims ?? [];
  const { config } = sliding(node);
  return {
    name: node.name,
    className: 'Conv2DTranspose',
    config: { ...config, kernel_size: [height, width], filters, use_bias: false },
    inputs: node.inputs.slice(2),
    weights: kernel === undefined ? [] : [kernel],
  };
};

const product: Translate = (node, reader) => {
  const stored = reader.constant(node.inputs[1]);
  if (stored?.dims.length !== 2 || isSet(node, 'transpose_a')) {
    return { name: node.name, className: `${node.op} with computed weights`, inputs: node.inputs };
  }
  const kernel = isSet(node, 'transpose_b') ? transposed(stored) : stored;
  return fused(node, reader, {
    className: 'Dense',
    config: { units: kernel.dims[1] ?? 0 },
    inputs: node.inputs.slice(0, 1),
    weights: [kernel],
  });
};

function transposed({ dims, data }: Float32Tensor): Float32Tensor {
  const [rows = 0, columns = 0] = dims;
  return float32(
    [columns, rows],
    Float32Array.from(data, (_, at) => data[(at % rows) * columns + Math.floor(at / rows)] as number),
  );
}

/** Two operands: tensors, numbers, or a constant with one number a channel. */
const arithmetic =
  (name: string): Translate =>
  (node, reader) => {
    const constants = node.inputs.map((input) => reader.constant(input));
    const constant = constants.find((one) => one !== undefined);
    const inputs = node.inputs.filter((_, at) => constants[at] === undefined);
    const operands = constants.map((one) =>
      one === undefined ? null : one.data.length === 1 ? (one.data[0] ?? 0) : 0,
    );
    if (constant === undefined || constant.data.length === 1) {
      return { name: node.name, className: `ops.${name}`, inputs, operands };
    }
    return { name: node.name, className: `tf.${name}`, inputs, operands, weights: [constant] };
  };

const batchNormalization: Translate = (node, reader) => {
  const [input = '', ...rest] = node.inputs;
  return {
    name: node.name,
    className: 'BatchNormalization',
    config: { axis: channelsFirst(node) ? 1 : -1, epsilon: numberOf(node, 'epsilon', 1e-4) },
    inputs: [input],
    weights: rest.flatMap((name) => reader.constant(name) ?? []),
  };
};

const pool =
  (className: string): Translate =>
  (node) => {
    const { config, before, input } = sliding(node);
    const stand = {
      name: node.name,
      className: before.length === 0 ? className : `${className} with explicit padding`,
      config: { ...config, pool_size: onPicture(node, wholeListOf(node, 'ksize')) },
      inputs: [input],
    };
    return [...before, stand];
  };

const reduction =
  (className: string): Translate =>
  (node, reader) => ({
    name: node.name,
    className,
    config: { axis: reader.numbers(node.inputs[1]) ?? [], keepdims: isSet(node, 'keep_dims') },
    inputs: node.inputs.slice(0, 1),
  });

const pad: Translate = (node, reader) => {
  const [input = '', paddings, fill] = node.inputs;
  const pairs = reader.numbers(paddings) ?? [];
  const value = fill === undefined ? 0 : reader.numbers(fill)?.[0];
  const [top = 0, bottom = 0, left = 0, right = 0] = pairs.slice(2, 6).map((side) => side ?? -1);
  const around = pairs.length === 8 && [0, 1, 6, 7].every((at) => pairs[at] === 0) && value === 0;
  return {
    name: node.name,
    className: around ? 'ZeroPadding2D' : `${node.op} of other axes or by other values`,
    config: {
      padding: [
        [top, bottom],
        [left, right],
      ],
    },
    inputs: [input],
  };
};

const reshape: Translate = (node, reader) => {
  const target = reader.numbers(node.inputs[1])?.slice(1);
  const inputs = node.inputs.slice(0, 1);
  if (target === undefined) return { name: node.name, className: 'Reshape to a computed shape', inputs };
  if (target.length === 1) return { name: node.name, className: 'Flatten', inputs };
  return { name: node.name, className: 'Reshape', config: { target_shape: target }, inputs };
};

const concatenation: Translate = (node, reader) => ({
  name: node.name,
  className: 'Concatenate',
  config: { axis: reader.numbers(node.inputs.at(-1))?.[0] ?? -1 },
  inputs: node.inputs.slice(0, -1),
});

const resize =
  (interpolation: string): Translate =>
  (node, reader) => {
    const [height = null, width = null] = reader.numbers(node.inputs[1]) ?? [];
    const isModern = isSet(node, 'half_pixel_centers') && !isSet(node, 'align_corners');
    return {
      name: node.name,
      className: isModern ? 'Resizing' : `${node.op} with corners as centres`,
      config: { height, width, interpolation },
      inputs: node.inputs.slice(0, 1),
    };
  };

const same: Translate = (node) => ({
  name: node.name,
  className: 'Identity',
  inputs: node.inputs.slice(0, 1),
});

const activation =
  (className: string): Translate =>
  (node) => ({ name: node.name, className: `ops.${className}`, inputs: node.inputs });

const placeholder: Translate = (node) => {
  const { shape } = attribute(node, 'shape');
  const dims = isObject(shape) && Array.isArray(shape['dim']) ? (shape['dim'] as Json[]) : [];
  const sizes = dims.map((dim) => Number(isObject(dim) ? dim['size'] : -1));
  return {
    name: node.name,
    className: 'InputLayer',
    config: { batch_shape: sizes.map((side) => (side > 0 ? side : null)) },
    inputs: [],
  };
};

const table: Readonly<Record<string, Translate>> = {
  Placeholder: placeholder,
  Identity: same,
  StopGradient: same,
  Conv2D: convolution,
  _FusedConv2D: convolution,
  FusedConv2D: convolution,
  DepthwiseConv2dNative: convolution,
  FusedDepthwiseConv2dNative: convolution,
  Conv2DBackpropInput: transposedConvolution,
  MatMul: product,
  _FusedMatMul: product,
  BiasAdd: arithmetic('Add'),
  Add: arithmetic('Add'),
  AddV2: arithmetic('Add'),
  AddN: (node) => ({ name: node.name, className: 'Add', inputs: node.inputs }),
  Sub: arithmetic('Subtract'),
  Mul: arithmetic('Multiply'),
  RealDiv: arithmetic('Divide'),
  Div: arithmetic('Divide'),
  Maximum: arithmetic('Maximum'),
  Minimum: arithmetic('Minimum'),
  Pow: arithmetic('Power'),
  FusedBatchNorm: batchNormalization,
  FusedBatchNormV2: batchNormalization,
  FusedBatchNormV3: batchNormalization,
  MaxPool: pool('MaxPooling2D'),
  AvgPool: pool('AveragePooling2D'),
  Mean: reduction('ops.Mean'),
  Max: reduction('ops.Max'),
  Pad: pad,
  PadV2: pad,
  Reshape: reshape,
  Squeeze: (node) => ({
    name: node.name,
    className: wholeListOf(node, 'squeeze_dims').join() === '1,2' ? 'Flatten' : 'Squeeze of other axes',
    inputs: node.inputs,
  }),
  ConcatV2: concatenation,
  ResizeBilinear: resize('bilinear'),
  ResizeNearestNeighbor: resize('nearest'),
  LRN: (node) => ({
    name: node.name,
    className: 'tf.LRN',
    config: {
      depth_radius: Number(attribute(node, 'depth_radius')['i'] ?? 5),
      bias: numberOf(node, 'bias', 1),
      alpha: numberOf(node, 'alpha', 1),
      beta: numberOf(node, 'beta', 0.5),
    },
    inputs: node.inputs,
  }),
  Relu: activation('Relu'),
  Relu6: activation('Relu6'),
  Elu: activation('Elu'),
  Selu: activation('Selu'),
  Sigmoid: activation('Sigmoid'),
  Tanh: activation('Tanh'),
  Softplus: activation('Softplus'),
  Softmax: activation('Softmax'),
  LeakyRelu: (node) => ({
    name: node.name,
    className: 'LeakyReLU',
    config: { negative_slope: numberOf(node, 'alpha', 0.2) },
    inputs: node.inputs,
  }),
  Prelu: (node, reader) => {
    const slope = reader.constant(node.inputs[1]);
    const weights = slope === undefined ? [] : [slope];
    return { name: node.name, className: 'PReLU', inputs: node.inputs.slice(0, 1), weights };
  },
};
