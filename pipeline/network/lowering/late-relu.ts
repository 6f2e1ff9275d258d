/**
 * The largest of rectified values is the rectified largest value: where a Relu goes into a max pooling and nowhere else,
 * it is written after it, where there are a quarter of the values to rectify, and of cotangents to mask.
 */

import type { Graph, Node } from '../graph.ts';

export function withLateRelus(graph: Graph): Graph {
  const readers = new Map<string, number>(graph.outputs.map((output) => [output, 2]));
  for (const { inputs } of graph.nodes) {
    for (const input of inputs) readers.set(input, (readers.get(input) ?? 0) + 1);
  }
  const makers = new Map(
    graph.nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)),
  );
  const late = new Set<Node>();
  const nodes = graph.nodes.flatMap((pool) => {
    const [rectified = ''] = pool.inputs;
    const relu = makers.get(rectified);
    if (pool.op !== 'MaxPool' || relu?.op !== 'Relu' || readers.get(rectified) !== 1) return [pool];
    late.add(relu);
    const [pooled = '', ...indices] = pool.outputs;
    // The name in the middle is free now.
    return [
      { ...pool, inputs: relu.inputs, outputs: [rectified, ...indices] },
      { ...relu, inputs: [rectified], outputs: [pooled] },
    ];
  });
  return { ...graph, nodes: nodes.filter((node) => !late.has(node)) };
}
