/** Exact sizes of all values of a graph, whatever its operations: from one forward run that returns every one of them. */

import type { Engine } from '../engine/engine.ts';
import type { DataType, Graph, Tensor } from './graph.ts';

export interface Shape {
  readonly type: DataType;
  readonly dims: readonly number[];
}

/**
 * Data type and dims of every value of the graph (inputs, initializers, outputs of nodes) when it is run on `feeds`,
 * one tensor a graph input. Needs memory for all values at once, and frees it.
 * @throws PhospheneError if the engine cannot run the graph.
 */
export async function shapesOf(
  graph: Graph,
  engine: Engine,
  feeds: ReadonlyMap<string, Tensor>,
): Promise<ReadonlyMap<string, Shape>> {
  const shapes = new Map<string, Shape>();
  const note = (name: string, { type, dims }: Tensor): Map<string, Shape> =>
    shapes.set(name, { type, dims: [...dims] });
  for (const [name, tensor] of graph.initializers) note(name, tensor);
  for (const [name, tensor] of feeds) note(name, tensor);

  const outputs = graph.nodes.flatMap((node) => node.outputs).filter((output) => output !== '');
  const program = await engine.compile({ ...graph, outputs });
  try {
    const values = await program.run(new Map([...feeds].map(([name, feed]) => [name, engine.upload(feed)])));
    for (const [name, value] of values) note(name, await engine.download(value));
  } finally {
    await program.release();
  }
  return shapes;
}
