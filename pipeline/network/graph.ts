/**
 * The intermediate form: an ONNX graph as plain data. Every loader ends in it, every engine starts from it.
 * Values are known by name; a value is a graph input, an initializer, or an output of exactly one node.
 */

/** Row-major (last axis fastest) tensors of the data types that occur in image networks and their adjoints. */
export type Tensor = Float32Tensor | Int64Tensor | Int32Tensor | BoolTensor;

export interface Float32Tensor {
  readonly type: 'float32';
  readonly dims: readonly number[];
  readonly data: Float32Array;
}
export interface Int64Tensor {
  readonly type: 'int64';
  readonly dims: readonly number[];
  readonly data: BigInt64Array;
}
export interface Int32Tensor {
  readonly type: 'int32';
  readonly dims: readonly number[];
  readonly data: Int32Array;
}
/** One byte a value, 0 or 1. */
export interface BoolTensor {
  readonly type: 'bool';
  readonly dims: readonly number[];
  readonly data: Uint8Array;
}
export type DataType = Tensor['type'];

/** A node's attribute, tagged with its ONNX attribute type (`1` as INT and `1` as FLOAT are different things). */
export type Attribute =
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'ints'; readonly value: readonly number[] }
  | { readonly kind: 'floats'; readonly value: readonly number[] }
  | { readonly kind: 'strings'; readonly value: readonly string[] }
  | { readonly kind: 'tensor'; readonly value: Tensor }
  /** What a file holds but this form cannot; `value` says what. Only encoding the node is an error. */
  | { readonly kind: 'unreadable'; readonly value: string };

export interface Node {
  /** The ONNX operator, e.g. `Conv`; with its domain in front where that is not ONNX's own: `com.microsoft.FusedConv`. */
  readonly op: string;
  readonly name: string;
  /** Value names; `''` stands for an optional input that is left out. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A size: a number, a name for one that is free (`'N'`), or null where nothing is known. */
export type Dim = number | string | null;

export interface GraphInput {
  readonly name: string;
  readonly type: DataType;
  readonly dims: readonly Dim[];
}

export interface Graph {
  /** Version of the default ONNX operator set that the nodes are written in. */
  readonly opset: number;
  readonly inputs: readonly GraphInput[];
  /** Names of the values that a run returns. */
  readonly outputs: readonly string[];
  readonly initializers: ReadonlyMap<string, Tensor>;
  /** In an order in which each value is made before it is used. */
  readonly nodes: readonly Node[];
}

/** Number of values in a tensor of these dims; 1 for a scalar (`[]`). */
export function size(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** A float32 tensor. @throws RangeError if `data` does not hold exactly `size(dims)` values. */
export function float32(dims: readonly number[], data: Float32Array | readonly number[]): Float32Tensor {
  const array = data instanceof Float32Array ? data : Float32Array.from(data);
  if (array.length !== size(dims)) {
    throw new RangeError(
      `Expected ${size(dims)} values for a tensor [${dims.join(', ')}], got ${array.length}`,
    );
  }
  return { type: 'float32', dims, data: array };
}

/** An int64 tensor of rank 1, the form in which ONNX takes shapes, axes and pads. */
export function int64(values: readonly number[]): Int64Tensor {
  return { type: 'int64', dims: [values.length], data: BigInt64Array.from(values, BigInt) };
}

/** A float32 tensor of rank 0. */
export function scalar(value: number): Float32Tensor {
  return float32([], [value]);
}

/** Attribute makers, so that graphs read well: `{ strides: ints([2, 2]), alpha: float(0.2) }`. */
export const int = (value: number): Attribute => ({ kind: 'int', value });
/** Rounded as ONNX keeps it, so that a graph is the same before it is written to a file and after. */
export const float = (value: number): Attribute => ({ kind: 'float', value: Math.fround(value) });
export const ints = (value: readonly number[]): Attribute => ({ kind: 'ints', value });
export const text = (value: string): Attribute => ({ kind: 'string', value });
export const tensor = (value: Tensor): Attribute => ({ kind: 'tensor', value });

/** An INT attribute, or `fallback` where the node has none of this name. */
export function intOf(node: Node, name: string, fallback: number): number {
  const attribute = node.attributes[name];
  return attribute?.kind === 'int' ? attribute.value : fallback;
}
/** A FLOAT attribute, or `fallback`. */
export function floatOf(node: Node, name: string, fallback: number): number {
  const attribute = node.attributes[name];
  return attribute?.kind === 'float' ? attribute.value : fallback;
}
/** An INTS attribute, or undefined. */
export function intsOf(node: Node, name: string): readonly number[] | undefined {
  const attribute = node.attributes[name];
  return attribute?.kind === 'ints' ? attribute.value : undefined;
}
/** A STRING attribute, or `fallback`. */
export function textOf(node: Node, name: string, fallback: string): string {
  const attribute = node.attributes[name];
  return attribute?.kind === 'string' ? attribute.value : fallback;
}

/** The bytes of all initializers. */
export const weightBytes = ({ initializers }: Pick<Graph, 'initializers'>): number =>
  [...initializers.values()].reduce((sum, { data }) => sum + data.byteLength, 0);

/** The graph with these initializers as inputs. */
export function withInputs(graph: Graph, tensors: readonly (readonly [string, Tensor])[]): Graph {
  if (tensors.length === 0) return graph;
  const initializers = new Map(graph.initializers);
  for (const [name] of tensors) initializers.delete(name);
  return {
    ...graph,
    inputs: [...graph.inputs, ...tensors.map(([name, { type, dims }]) => ({ name, type, dims }))],
    initializers,
  };
}
