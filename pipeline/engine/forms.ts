/** Operations that not every engine has, written in others that all have: (builder, node) ⇒ value. */

import { GraphBuilder } from '../network/build.ts';
import { float, floatOf, type Graph, int, intOf, type Node } from '../network/graph.ts';
import { withoutUnread } from '../network/unread.ts';
import { shiftByProducts } from './shift.ts';

/** Writes what the node's first output is; undefined leaves the node as it is. */
export type Form = (build: GraphBuilder, node: Node) => string | undefined;

export type Forms = Readonly<Record<string, Form>>;

const of =
  (write: (build: GraphBuilder, x: string, node: Node) => string): Form =>
  (build, node) =>
    write(build, node.inputs[0] ?? '', node);

/** Of operations that graphs are written in and no engine has. */
export const ownForms: Forms = { Shift: shiftByProducts };

export const commonForms: Forms = {
  ...ownForms,
  Sum: (build, { inputs }) => total(build, inputs),
  Mean: (build, { inputs }) => build.add('Mul', [total(build, inputs), build.scalar(1 / inputs.length)]),
  Dropout: of((build, x) => build.add('Identity', [x])),
  Selu: of((build, x, node) => {
    const alpha = floatOf(node, 'alpha', 1.6732632423543772);
    const elu = build.add('Elu', [x], { alpha: float(alpha) });
    return build.add('Mul', [elu, build.scalar(floatOf(node, 'gamma', 1.0507009873554805))]);
  }),
  Celu: of((build, x, node) => {
    const alpha = build.scalar(floatOf(node, 'alpha', 1));
    return build.add('Mul', [build.add('Elu', [build.add('Div', [x, alpha])]), alpha]);
  }),
  /** A view for each place of a block, one above the other. Rows first: of views of both axes onnxruntime makes one node. */
  SpaceToDepth: of((build, x, node) => {
    const side = intOf(node, 'blocksize', 1);
    const views = (value: string, axis: number): string[] =>
      Array.from({ length: side }, (_, start) =>
        build.add('Slice', [
          value,
          ...[start, Number.MAX_SAFE_INTEGER, axis, side].map((number) => build.shape([number])),
        ]),
      );
    const rows = views(x, 2);
    return build.add(
      'Concat',
      rows.flatMap((row) => views(row, 3)),
      { axis: int(1) },
    );
  }),
  Sign: of((build, x) => {
    const side = (than: 'Greater' | 'Less'): string =>
      build.add('Where', [build.add(than, [x, build.scalar(0)]), build.scalar(1), build.scalar(0)]);
    return build.add('Sub', [side('Greater'), side('Less')]);
  }),
  Softsign: of((build, x) =>
    build.add('Div', [x, build.add('Add', [build.add('Abs', [x]), build.scalar(1)])]),
  ),
  LogSoftmax: of((build, x, { attributes }) => build.add('Log', [build.add('Softmax', [x], attributes)])),
  /** x · (bias + α / size · Σ over `size` neighbouring channels of x²)^-β */
  LRN: of((build, x, node) => {
    const width = intOf(node, 'size', 1);
    const before = Math.floor((width - 1) / 2);
    const pads = build.shape([0, before, 0, 0, 0, width - 1 - before, 0, 0]);
    const squares = build.add('Pad', [build.add('Mul', [x, x]), pads, build.scalar(0)]);
    const shifted = Array.from({ length: width }, (_, start) => {
      // Counted from the end, as nobody says how many channels there are.
      const end = start === width - 1 ? Number.MAX_SAFE_INTEGER : start - width + 1;
      return build.add('Slice', [squares, build.shape([start]), build.shape([end]), build.shape([1])]);
    });
    const share = build.scalar(floatOf(node, 'alpha', 1e-4) / width);
    const sum = build.add('Mul', [total(build, shifted), share]);
    const base = build.add('Add', [sum, build.scalar(floatOf(node, 'bias', 1))]);
    const power = build.add('Mul', [build.add('Log', [base]), build.scalar(-floatOf(node, 'beta', 0.75))]);
    return build.add('Mul', [x, build.add('Exp', [power])]);
  }),
};

const total = (build: GraphBuilder, values: readonly string[]): string =>
  values.slice(1).reduce((sum, value) => build.add('Add', [sum, value]), values[0] as string);

/**
 * The graph with every node of which there is a form, and of which nobody reads another output, in that form. Nodes that
 * nobody reads any more are left out.
 */
export function inOperationsOf(graph: Graph, forms: Forms): Graph {
  const build = new GraphBuilder(graph);
  const nodes = graph.nodes.flatMap((node): readonly Node[] => {
    const form = forms[node.op];
    const [output = '', ...others] = node.outputs;
    if (form === undefined || others.some((other) => other !== '')) return [node];
    const before = build.nodes.length;
    const value = form(build, node);
    if (value === undefined) return [node];
    return build.nodes
      .slice(before)
      .map((made) => (made.outputs[0] === value ? { ...made, outputs: [output] } : made));
  });
  return withoutUnread({ ...build.graph(graph.outputs), nodes });
}
