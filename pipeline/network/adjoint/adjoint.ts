/**
 * Reverse-mode differentiation of a graph, as more graph: from the objective back, each node's rule turns the
 * cotangents of its outputs into those of its inputs, and where a value was used more than once they are added.
 */

import { PhospheneError } from '../../error.ts';
import { GraphBuilder } from '../build.ts';
import type { Graph, Node } from '../graph.ts';
import type { Layer } from '../network.ts';
import type { Lowering, Rules } from './rule.ts';
import { rules } from './rules.ts';

export interface AdjointOptions {
  /**
   * What is differentiated: the sum of all values of this value; or, as value ⇒ cotangent (names of values of the
   * graph, with the same dims), the sum of all products of the two.
   */
  readonly objective: string | ReadonlyMap<string, string>;
  /** The values whose gradient is wanted: graph inputs, initializers or inner values. */
  readonly wrt: readonly string[];
  /** The exact dims of every value of the graph, see `shapesOf`. */
  readonly dims: (value: string) => readonly number[];
  readonly lowering: Lowering;
  /** Rules in place of the true ones, for gradients that are not the derivative. */
  readonly instead?: Rules;
  /** The network's layers in graph order, so that an error can say in which one it is. */
  readonly layers?: readonly Pick<Layer, 'name' | 'output'>[];
}

export interface Adjoint {
  /** The graph and its adjoint, to build on. */
  readonly build: GraphBuilder;
  /** Per value of `wrt` its gradient, with the same dims; undefined where the objective does not depend on it. */
  readonly gradients: ReadonlyMap<string, string | undefined>;
  /** The value that a value of the adjoint is the cotangent of, and whose dims it has. */
  readonly cotangentOf: ReadonlyMap<string, string>;
}

/**
 * Appends to a copy of the graph what computes the gradients. Only nodes between `wrt` and the objective are visited.
 * @throws PhospheneError naming operation, node and layer where one of these has no rule.
 */
export function adjoint(graph: Graph, options: AdjointOptions): Adjoint {
  const { objective, wrt, dims, lowering, instead = {}, layers = [] } = options;
  const build = new GraphBuilder(graph);
  const moving = dependents(graph.nodes, wrt);

  const cotangents = new Map<string, string>();
  const cotangentOf = new Map<string, string>();
  const add = (value: string, cotangent: string): void => {
    const before = cotangents.get(value);
    const sum = before === undefined ? cotangent : build.add('Add', [before, cotangent]);
    cotangents.set(value, sum);
    cotangentOf.set(cotangent, value).set(sum, value);
  };
  if (typeof objective === 'string') {
    add(objective, build.add('Expand', [build.scalar(1), build.shape(dims(objective))]));
  } else {
    for (const [value, cotangent] of objective) add(value, cotangent);
  }

  for (const node of graph.nodes.toReversed()) {
    if (!node.inputs.some((input) => moving.has(input))) continue;
    const ofOutputs = node.outputs.map((output) => cotangents.get(output));
    if (ofOutputs.every((cotangent) => cotangent === undefined)) continue;
    const refuse = (reason: string): never => {
      throw new PhospheneError(sentence(graph, node, layers, reason));
    };
    const known = [instead, rules].find((table) => Object.hasOwn(table, node.op));
    const rule = known?.[node.op];
    const ofInputs = (rule ?? refuse('there is no rule for this operation'))({
      node,
      build,
      cotangents: ofOutputs,
      dims,
      needs: (index) => moving.has(node.inputs[index] ?? ''),
      lowering,
      refuse,
    });
    ofInputs.forEach((cotangent, index) => {
      const input = node.inputs[index] ?? '';
      if (cotangent !== undefined && moving.has(input)) add(input, cotangent);
    });
  }
  const gradients = new Map(wrt.map((value) => [value, cotangents.get(value)]));
  return { build, gradients, cotangentOf };
}

/** `values` and all that is computed from them. */
function dependents(nodes: readonly Node[], values: readonly string[]): Set<string> {
  const found = new Set(values);
  for (const { inputs, outputs } of nodes) {
    if (!inputs.some((input) => found.has(input))) continue;
    for (const output of outputs) if (output !== '') found.add(output);
  }
  return found;
}

function sentence(
  graph: Graph,
  node: Node,
  layers: readonly Pick<Layer, 'name' | 'output'>[],
  reason: string,
): string {
  const place = graph.nodes.indexOf(node);
  const later = new Set(graph.nodes.slice(place).flatMap(({ outputs }) => outputs));
  const layer = layers.find(({ output }) => later.has(output));
  const where = layer === undefined ? '' : ` of layer '${layer.name}'`;
  return `Cannot follow the gradient through the operation ${node.op} (node '${node.name}'${where}): ${reason}; layers before it can still be rendered.`;
}
