/**
 * Graphs of older operator sets, rewritten to set 17: what was an attribute is an input where it is one by then. So
 * whatever reads or extends a graph has one form of each operation to know.
 */

import { PhospheneError } from '../error.ts';
import { GraphBuilder } from './build.ts';
import { type Attribute, float32, type Graph, int, intOf, type Node, scalar, text } from './graph.ts';

const target = 17;
/** The set from which on operations broadcast as they do now. */
const oldest = 7;

type Rewrite = (node: Node, build: GraphBuilder) => readonly Node[];

/** The attributes of these names become inputs, after the first. */
const asInputs =
  (...names: readonly string[]): Rewrite =>
  (node, build) => {
    const attributes = { ...node.attributes };
    const inputs = names.map((name) => {
      const attribute = attributes[name];
      delete attributes[name];
      return attribute === undefined ? '' : constant(build, attribute);
    });
    while (inputs.at(-1) === '') inputs.pop();
    return [{ ...node, inputs: [...node.inputs.slice(0, 1), ...inputs], attributes }];
  };

function constant(build: GraphBuilder, attribute: Attribute): string {
  if (attribute.kind === 'ints') return build.shape(attribute.value);
  if (attribute.kind === 'float') return build.constant(scalar(attribute.value));
  if (attribute.kind === 'floats') {
    return build.constant(float32([attribute.value.length], attribute.value));
  }
  throw new PhospheneError(
    `Expected numbers in an attribute of an ONNX operation, found the kind '${attribute.kind}'.`,
  );
}

const without =
  (name: string): Rewrite =>
  (node) => {
    const { [name]: _, ...attributes } = node.attributes;
    return [{ ...node, attributes }];
  };

/** Worked on a matrix: all axes from `axis` on were one. */
const onMatrix: Rewrite = (node, build) => {
  const [x = ''] = node.inputs;
  const part = (op: string, inputs: string[], output: string, attributes: Node['attributes'] = {}): Node => ({
    op,
    name: output,
    inputs,
    outputs: [output],
    attributes,
  });
  const [dims, matrix, result] = ['dims', 'matrix', 'result'].map((hint) =>
    build.fresh(`${node.name}_${hint}`),
  );
  if (dims === undefined || matrix === undefined || result === undefined) return [node];
  return [
    part('Shape', [x], dims),
    part('Flatten', [x], matrix, { axis: int(intOf(node, 'axis', 1)) }),
    { ...node, inputs: [matrix], outputs: [result], attributes: { axis: int(-1) } },
    part('Reshape', [result, dims], node.outputs[0] ?? ''),
  ];
};

/** Upsample, and Resize as it was: a place is divided by the scale, and rounded down. */
const resize: Rewrite = (node, build) => {
  const { scales: attribute, mode = text('nearest') } = node.attributes;
  const [x = '', input = ''] = node.inputs;
  const scales = attribute === undefined ? input : constant(build, attribute);
  const attributes = {
    mode: mode.kind === 'string' && mode.value === 'bilinear' ? text('linear') : mode,
    coordinate_transformation_mode: text('asymmetric'),
    nearest_mode: text('floor'),
  };
  return [{ ...node, op: 'Resize', inputs: [x, '', scales], attributes }];
};

/** Operation ⇒ the set that changed it, and how its older form becomes the newer. */
const changes: Readonly<Record<string, readonly [since: number, rewrite: Rewrite]>> = {
  BatchNormalization: [9, without('spatial')],
  Upsample: [10, resize],
  Slice: [10, asInputs('starts', 'ends', 'axes')],
  Resize: [11, resize],
  Clip: [11, asInputs('min', 'max')],
  Pad: [11, asInputs('pads', 'value')],
  Dropout: [12, without('ratio')],
  Squeeze: [13, asInputs('axes')],
  Unsqueeze: [13, asInputs('axes')],
  ReduceSum: [13, asInputs('axes')],
  Split: [13, asInputs('split')],
  Softmax: [13, onMatrix],
  LogSoftmax: [13, onMatrix],
};

/**
 * The same graph in operator set 17 or later; it stays as it is where it is so already.
 * @throws PhospheneError if its set is older than 7.
 */
export function upgrade(graph: Graph): Graph {
  if (graph.opset >= target) return graph;
  if (graph.opset < oldest) {
    throw new PhospheneError(
      `Expected an ONNX model of operator set ${oldest} or later, found ${graph.opset}; convert it with onnx.version_converter.`,
    );
  }
  const build = new GraphBuilder(graph);
  const nodes = graph.nodes.flatMap((node) => {
    const [since, rewrite] = (Object.hasOwn(changes, node.op) ? changes[node.op] : undefined) ?? [0];
    return rewrite !== undefined && graph.opset < since ? rewrite(node, build) : [node];
  });
  return { ...build.graph(graph.outputs), opset: target, nodes };
}
