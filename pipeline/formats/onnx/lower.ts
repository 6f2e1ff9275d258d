/**
 * Operator sets 18 to 22 to the one that networks are written in, 17 (older ones are raised when a file is decoded):
 * what a newer set writes otherwise is rewritten, names of values stay. What has no form in set 17 becomes an operation
 * of the domain `unsupported`.
 */

import { GraphBuilder } from '../../network/build.ts';
import {
  type Attribute,
  float32,
  type Graph,
  int,
  int64,
  intOf,
  ints,
  intsOf,
  type Node,
  textOf,
} from '../../network/graph.ts';
import { gelu, geluTanh, mish } from '../keras/activations.ts';
import { numbersOf } from './constants.ts';

const target = 17;

interface Context {
  readonly node: Node;
  /** The operator set that the node is written in. */
  readonly opset: number;
  readonly build: GraphBuilder;
  /** The values of an input that is constant. */
  numbers(index: number): readonly number[] | undefined;
}

/** The node as set 17 writes it; other nodes that it needs are appended to the builder. */
type Rewrite = (context: Context) => Node;

/** The graph in operator set 17. */
export function toSet17(graph: Graph): Graph {
  const { opset } = graph;
  // All names of the graph are known to the builder, so that none is given twice.
  const build = new GraphBuilder({ ...graph, opset: target });
  const nodes = graph.nodes.flatMap((node) => {
    const rewrite = Object.hasOwn(table, node.op) ? table[node.op] : undefined;
    if (rewrite === undefined) return [node];
    const before = build.nodes.length;
    const written = rewrite({
      node,
      opset,
      build,
      numbers: (index) => {
        const tensor = build.initializers.get(node.inputs[index] ?? '');
        return tensor === undefined ? undefined : numbersOf(tensor);
      },
    });
    return [...build.nodes.slice(before), written];
  });
  return { ...build.graph(graph.outputs), nodes };
}

/** The node as one that cannot be run, so that what comes before it still can. */
const unsupported = (node: Node): Node => ({ ...node, op: `unsupported.${node.op}` });

const without = (node: Node, ...names: readonly string[]): Node => ({
  ...node,
  attributes: Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !names.includes(name))),
});

const withInputs = (node: Node, inputs: readonly string[]): Node => ({ ...node, inputs });

const withAttributes = (node: Node, attributes: Record<string, Attribute>): Node => ({
  ...node,
  attributes: { ...node.attributes, ...attributes },
});

/** Reductions of one value that give the value itself. */
const keeping = new Set(['ReduceMax', 'ReduceMean', 'ReduceMin', 'ReduceProd']);

/** Since set 18, input 1 is what set 17 has as attribute `axes`. */
const axesToAttribute: Rewrite = ({ node, opset, numbers }) => {
  const [data = '', axesName = ''] = node.inputs;
  if (opset < 18) return node;
  const plain = withInputs(without(node, 'noop_with_empty_axes'), [data]);
  const axes = axesName === '' ? [] : numbers(1);
  if (axes === undefined) return unsupported(node);
  if (axes.length > 0) return withAttributes(plain, { axes: ints(axes) });
  if (intOf(node, 'noop_with_empty_axes', 0) === 0) return plain;
  return keeping.has(node.op) ? { ...plain, op: 'Identity', attributes: {} } : unsupported(node);
};

const resize: Rewrite = ({ node, build, numbers }) => {
  const scales = numbers(2);
  const shrinks = scales === undefined || scales.some((scale) => scale < 1);
  if (intOf(node, 'antialias', 0) === 1 && shrinks) return unsupported(node);
  if (textOf(node, 'keep_aspect_ratio_policy', 'stretch') !== 'stretch') return unsupported(node);
  const plain = without(node, 'antialias', 'keep_aspect_ratio_policy', 'axes');
  const axes = intsOf(node, 'axes');
  const [data = '', region = ''] = node.inputs;
  if (axes !== undefined && !isPictureAxes(axes)) return unsupported(node);
  if (axes !== undefined && scales !== undefined && scales.length === 2) {
    const whole = build.constant(float32([4], [1, 1, ...scales]));
    return withInputs(plain, [data, region, whole]);
  }
  const sizes = numbers(3);
  if (sizes !== undefined && (sizes.length === 4 || axes !== undefined)) {
    // Batch and channels from the value itself, so that the size of a batch is not frozen.
    const shape = build.add('Shape', [data], {}, `${node.outputs[0]}/shape`);
    const kept = build.add(
      'Slice',
      [shape, build.shape([0]), build.shape([2])],
      {},
      `${node.outputs[0]}/kept`,
    );
    const target = build.constant(int64(sizes.slice(-2)));
    const joined = build.add('Concat', [kept, target], { axis: int(0) }, `${node.outputs[0]}/sizes`);
    return withInputs(plain, [data, region, '', joined]);
  }
  return axes === undefined ? plain : unsupported(node);
};

const isPictureAxes = (axes: readonly number[]): boolean =>
  axes.length === 2 && (axes[0] === 2 || axes[0] === -2) && (axes[1] === 3 || axes[1] === -1);

const pad: Rewrite = ({ node, build, numbers }) => {
  if (textOf(node, 'mode', 'constant') === 'wrap') return unsupported(node);
  if ((node.inputs[3] ?? '') === '') return node;
  const pads = numbers(1);
  const axes = numbers(3);
  if (pads === undefined || axes === undefined) return unsupported(node);
  const rank = 4;
  const whole = Array.from({ length: 2 * rank }, (_, at) => {
    const place = axes.findIndex((axis) => (axis < 0 ? axis + rank : axis) === at % rank);
    return place < 0 ? 0 : (pads[place + (at < rank ? 0 : axes.length)] ?? 0);
  });
  return withInputs(node, [node.inputs[0] ?? '', build.shape(whole), node.inputs[2] ?? '']);
};

const batchNormalization: Rewrite = ({ node }) => {
  if (intOf(node, 'spatial', 1) === 0 || intOf(node, 'training_mode', 0) === 1) return unsupported(node);
  return { ...without(node, 'spatial'), outputs: node.outputs.slice(0, 1) };
};

const dropout: Rewrite = ({ node }) => ({
  ...node,
  op: 'Identity',
  inputs: node.inputs.slice(0, 1),
  outputs: node.outputs.slice(0, 1),
  attributes: {},
});

/** An activation that set 17 has no operation for, written out. */
const spelled =
  (write: (build: GraphBuilder, node: Node, x: string, name: string) => string): Rewrite =>
  ({ node, build }) => {
    const value = write(build, node, node.inputs[0] ?? '', `${node.outputs[0]}/value`);
    return { ...node, op: 'Identity', inputs: [value], attributes: {} };
  };

/** Groups of channels; scale and bias count groups in set 18 and channels from 21 on. */
const groupNormalization: Rewrite = ({ node, opset, build, numbers }) => {
  const [data = ''] = node.inputs;
  const groups = intOf(node, 'num_groups', 0);
  const scale = numbers(1);
  const bias = numbers(2);
  if (groups < 1 || scale === undefined || bias === undefined) return unsupported(node);
  const named = `${node.outputs[0]}/group`;
  const { epsilon } = node.attributes;
  const attributes = epsilon === undefined ? {} : { epsilon };
  const grouped = build.add('Reshape', [data, build.shape([0, groups, -1])], {}, named);
  const perGroup = opset < 21 && scale.length === groups;
  const vector = (values: readonly number[]): string =>
    build.constant(float32([values.length], values), named);
  const ones = vector(perGroup ? scale : Array.from({ length: groups }, () => 1));
  const zeros = vector(perGroup ? bias : Array.from({ length: groups }, () => 0));
  const normal = build.add('InstanceNormalization', [grouped, ones, zeros], attributes, named);
  const shape = build.add('Shape', [data], {}, named);
  const restored: Node = { ...node, op: 'Reshape', inputs: [normal, shape], attributes: {} };
  if (perGroup) return restored;
  const back = build.add('Reshape', [normal, shape], {}, named);
  const column = (values: readonly number[]): string =>
    build.constant(float32([values.length, 1, 1], values), named);
  const times = build.add('Mul', [back, column(scale)], {}, named);
  return { ...node, op: 'Add', inputs: [times, column(bias)], attributes: {} };
};

/** Core ML's converter: scale · x + bias of each channel. */
const imageScaler: Rewrite = ({ node, build }) => {
  const { scale, bias } = node.attributes;
  if (bias?.kind !== 'floats') return unsupported(node);
  const factor = build.scalar(scale?.kind === 'float' ? scale.value : 1);
  const times = build.add('Mul', [node.inputs[0] ?? '', factor], {}, `${node.outputs[0]}/scaled`);
  const column = build.constant(float32([bias.value.length, 1, 1], bias.value));
  return { ...node, op: 'Add', inputs: [times, column], attributes: {} };
};

const averagePool: Rewrite = ({ node }) =>
  (intsOf(node, 'dilations') ?? []).every((dilation) => dilation === 1)
    ? without(node, 'dilations')
    : unsupported(node);

const table: Readonly<Record<string, Rewrite>> = {
  AveragePool: averagePool,
  BatchNormalization: batchNormalization,
  Dropout: dropout,
  Gelu: spelled((build, node, x, name) =>
    (textOf(node, 'approximate', 'none') === 'tanh' ? geluTanh : gelu)(build, x, name),
  ),
  GroupNormalization: groupNormalization,
  ImageScaler: imageScaler,
  Mish: spelled((build, _, x, name) => mish(build, x, name)),
  Pad: pad,
  ReduceL1: axesToAttribute,
  ReduceL2: axesToAttribute,
  ReduceLogSum: axesToAttribute,
  ReduceLogSumExp: axesToAttribute,
  ReduceMax: axesToAttribute,
  ReduceMean: axesToAttribute,
  ReduceMin: axesToAttribute,
  ReduceProd: axesToAttribute,
  ReduceSumSquare: axesToAttribute,
  Resize: resize,
  Split: ({ node }) => without(node, 'num_outputs'),
};
