/** Values that do not depend on the picture: moved from nodes to initializers, where the readers look for weights. */

import { type Graph, intsOf, type Node, size, type Tensor } from '../../network/graph.ts';

/** A tensor's values as plain numbers. */
export function numbersOf({ data }: Tensor): number[] {
  return Array.from<number | bigint, number>(data as ArrayLike<number | bigint>, Number);
}

type Fold = (node: Node, inputs: readonly Tensor[]) => Tensor | undefined;

/** The graph with nodes that only rearrange constants made constants themselves. */
export function foldConstants(graph: Graph): Graph {
  const initializers = new Map(graph.initializers);
  const nodes = graph.nodes.filter((node) => {
    const fold = Object.hasOwn(table, node.op) ? table[node.op] : undefined;
    const inputs = node.inputs.flatMap((name) => initializers.get(name) ?? []);
    const [output] = node.outputs;
    if (fold === undefined || output === undefined || inputs.length !== node.inputs.length) return true;
    const made = fold(node, inputs);
    if (made === undefined) return true;
    initializers.set(output, made);
    return false;
  });
  return { ...graph, initializers, nodes };
}

const same: Fold = (_, [tensor]) => tensor;

const reshaped = (tensor: Tensor, dims: readonly number[]): Tensor | undefined =>
  size(dims) === tensor.data.length && dims.every((dim) => dim >= 0) ? { ...tensor, dims } : undefined;

const reshape: Fold = (_, [tensor, shape]) => {
  if (tensor === undefined || shape === undefined) return undefined;
  const stated = numbersOf(shape).map((dim, axis) => (dim === 0 ? (tensor.dims[axis] ?? 0) : dim));
  const known = stated.reduce((product, dim) => (dim < 0 ? product : product * dim), 1);
  return reshaped(
    tensor,
    stated.map((dim) => (dim < 0 ? tensor.data.length / known : dim)),
  );
};

const squeeze: Fold = (_, [tensor, axes]) => {
  if (tensor === undefined) return undefined;
  const rank = tensor.dims.length;
  const gone = axes === undefined ? undefined : numbersOf(axes).map((axis) => (axis + rank) % rank);
  return reshaped(
    tensor,
    tensor.dims.filter((dim, axis) => (gone === undefined ? dim !== 1 : !gone.includes(axis))),
  );
};

const unsqueeze: Fold = (_, [tensor, axes]) => {
  if (tensor === undefined || axes === undefined) return undefined;
  const rank = tensor.dims.length + axes.data.length;
  const added = numbersOf(axes).map((axis) => (axis + rank) % rank);
  const rest = [...tensor.dims];
  return reshaped(
    tensor,
    Array.from({ length: rank }, (_, axis) => (added.includes(axis) ? 1 : (rest.shift() ?? 1))),
  );
};

/** Weights only: copies of other types are not needed as constants. */
const transpose: Fold = (node, [tensor]) => {
  if (tensor?.type !== 'float32') return undefined;
  const { dims, data } = tensor;
  const order = intsOf(node, 'perm') ?? dims.map((_, axis) => dims.length - 1 - axis);
  if (order.length !== dims.length || new Set(order).size !== dims.length) return undefined;
  const strides = dims.map((_, axis) => size(dims.slice(axis + 1)));
  const target = order.map((axis) => dims[axis] ?? 0);
  const steps = order.map((axis) => strides[axis] ?? 0);
  const moved = new Float32Array(data.length);
  const place = target.map(() => 0);
  let from = 0;
  for (let at = 0; at < moved.length; at++) {
    moved[at] = data[from] as number;
    for (let axis = target.length - 1; axis >= 0; axis--) {
      place[axis] = (place[axis] ?? 0) + 1;
      from += steps[axis] ?? 0;
      if ((place[axis] ?? 0) < (target[axis] ?? 0)) break;
      from -= (steps[axis] ?? 0) * (target[axis] ?? 0);
      place[axis] = 0;
    }
  }
  return { type: 'float32', dims: target, data: moved };
};

/** A cast between floats is none here, where all floats are float32; ONNX calls these FLOAT, 1. */
const cast: Fold = (node, [tensor]) => {
  const to = node.attributes['to'];
  return tensor?.type === 'float32' && to?.kind === 'int' && to.value === 1 ? tensor : undefined;
};

const table: Readonly<Record<string, Fold>> = {
  Identity: same,
  Cast: cast,
  Reshape: reshape,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Transpose: transpose,
};
