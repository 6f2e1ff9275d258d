/** What nobody reads. */

import type { Graph, Node } from './graph.ts';

/** The graph without what its outputs do not depend on; its inputs all stay. */
export function withoutUnread(graph: Graph): Graph {
  const needed = new Set(graph.outputs);
  const nodes = graph.nodes
    .toReversed()
    .filter(({ inputs, outputs }) => {
      const isNeeded = outputs.some((output) => needed.has(output));
      if (isNeeded) for (const input of inputs) needed.add(input);
      return isNeeded;
    })
    .map((node) => (node.op === 'MaxPool' ? withoutIndices(node, needed) : node))
    .toReversed();
  return {
    ...graph,
    nodes,
    initializers: new Map([...graph.initializers].filter(([name]) => needed.has(name))),
  };
}

/** A pooling without its indices, where nobody reads them: engines have quicker ways then. */
function withoutIndices(node: Node, needed: ReadonlySet<string>): Node {
  const [pooled = '', indices = ''] = node.outputs;
  return needed.has(indices) ? node : { ...node, outputs: [pooled] };
}
