/** Exact sizes of all values of a graph, whatever its operations: from one forward run that tells the shape of each. */

import type { Engine } from '../engine/engine.ts';
import { GraphBuilder } from './build.ts';
import { type Graph, type Tensor, withInputs } from './graph.ts';

export interface Shape {
  readonly dims: readonly number[];
}

/** Weights of more bytes are fed: written into a graph that is run once they would be copied several times. */
const largestBytes = 2 ** 18;

/**
 * The dims of every value of the graph (inputs, initializers, outputs of nodes) when it is run on `feeds`, one tensor a
 * graph input. The values themselves are not handed out, so that it needs no more memory than any forward run.
 * @throws PhospheneError if the engine cannot run the graph.
 */
export async function shapesOf(
  graph: Graph,
  engine: Engine,
  feeds: ReadonlyMap<string, Tensor>,
): Promise<ReadonlyMap<string, Shape>> {
  const shapes = new Map<string, Shape>();
  for (const [name, { dims }] of [...graph.initializers, ...feeds]) shapes.set(name, { dims: [...dims] });

  const heavy = [...graph.initializers].filter(([, { data }]) => data.byteLength > largestBytes);
  const build = new GraphBuilder(withInputs(graph, heavy));
  const values = graph.nodes.flatMap(({ outputs }) => outputs).filter((output) => output !== '');
  const told = new Map(values.map((value) => [build.add('Shape', [value]), value]));
  if (told.size === 0) return shapes;
  const program = await engine.compile(build.graph([...told.keys()]));
  try {
    const fed = new Map([...feeds, ...heavy].map(([name, feed]) => [name, engine.upload(feed)]));
    for (const [name, value] of await program.run(fed)) {
      const { data } = await engine.download(value);
      shapes.set(told.get(name) as string, { dims: Array.from(data, Number) });
    }
  } finally {
    await program.release();
  }
  return shapes;
}
