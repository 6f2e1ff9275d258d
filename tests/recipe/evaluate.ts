/** What a piece of a graph makes of a tensor. */

import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import { type Float32Tensor, float32, size } from '../../pipeline/network/graph.ts';

export type Feed = readonly [dims: readonly number[], data: readonly number[]];

/** Feeds tensors to what `write` builds of them, and returns the values it gives. */
export async function evaluate(
  feeds: readonly Feed[],
  write: (build: GraphBuilder, inputs: readonly string[]) => string,
): Promise<number[]> {
  const engine = cpuEngine();
  const build = new GraphBuilder();
  const inputs = feeds.map(([dims], index) => build.input(`input${index}`, dims));
  const output = build.add('Identity', [write(build, inputs)]);
  const program = await engine.compile(build.graph([output]));
  const values = await program.run(
    new Map(
      feeds.map(([dims, data], index) => [inputs[index] as string, engine.upload(float32(dims, data))]),
    ),
  );
  const value = values.get(output);
  if (value === undefined) throw new Error('The graph gave nothing');
  const { data, dims } = (await engine.download(value)) as Float32Tensor;
  if (data.length !== size(dims)) throw new Error('The value is not whole');
  return Array.from(data);
}

/** The list with each number rounded to 6 digits after the point, and no negative zero. */
export const rounded = (values: readonly number[]): number[] =>
  values.map((value) => Math.round(value * 1e6) / 1e6 + 0);
