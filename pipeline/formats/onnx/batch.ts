/** Exports often freeze the number of pictures, mostly at 1: here it is set free again, for many are run at once. */

import { GraphBuilder } from '../../network/build.ts';
import { type Graph, intOf } from '../../network/graph.ts';
import { numbersOf } from './constants.ts';

/** The graph with the first axis of `input` free, and reshapes that spell out the frozen number taking what comes. */
export function freeBatch(graph: Graph, input: string): Graph {
  const declared = graph.inputs.find(({ name }) => name === input);
  const frozen = declared?.dims[0];
  const inputs = graph.inputs.map((one) =>
    one.name === input ? { ...one, dims: ['N', ...one.dims.slice(1)] } : one,
  );
  if (typeof frozen !== 'number') return { ...graph, inputs };
  const build = new GraphBuilder({ ...graph, inputs });
  const moving = new Set([input]);
  const nodes = graph.nodes.map((node) => {
    const moves = node.inputs.some((name) => moving.has(name));
    if (moves && node.op !== 'Shape') for (const output of node.outputs) moving.add(output);
    const shape = graph.initializers.get(node.inputs[1] ?? '');
    if (node.op !== 'Reshape' || !moves || shape === undefined || intOf(node, 'allowzero', 0) === 1)
      return node;
    const dims = numbersOf(shape);
    if (dims[0] !== frozen) return node;
    const free = [dims.includes(-1) ? 0 : -1, ...dims.slice(1)];
    return { ...node, inputs: [node.inputs[0] ?? '', build.shape(free)] };
  });
  return { ...build.graph(graph.outputs), nodes };
}
