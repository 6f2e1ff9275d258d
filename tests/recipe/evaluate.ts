/** What a piece of a graph makes of a tensor. */

import { expect } from 'vitest';
import type { Value } from '../../pipeline/engine/engine.ts';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { adjoint } from '../../pipeline/network/adjoint/adjoint.ts';
import type { Rules } from '../../pipeline/network/adjoint/rule.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import { type Float32Tensor, float32, size } from '../../pipeline/network/graph.ts';
import { shapesOf } from '../../pipeline/network/shapes.ts';
import { randomOf } from '../../pipeline/recipe/random.ts';

export type Feed = readonly [dims: readonly number[], data: readonly number[]];

/** Feeds tensors to what `write` builds of them, and returns the values it gives. */
export async function evaluate(
  feeds: readonly Feed[],
  write: (build: GraphBuilder, inputs: readonly string[]) => string,
): Promise<number[]> {
  return (await evaluator(feeds, write))(feeds);
}

/** The same, again and again for tensors of the same dims. */
async function evaluator(
  feeds: readonly Feed[],
  write: (build: GraphBuilder, inputs: readonly string[]) => string,
): Promise<(feeds: readonly Feed[]) => Promise<number[]>> {
  const engine = cpuEngine();
  const build = new GraphBuilder();
  const inputs = feeds.map(([dims], index) => build.input(`input${index}`, dims));
  const output = build.add('Identity', [write(build, inputs)]);
  const program = await engine.compile(build.graph([output]));
  return async (own) => {
    const tensors = own.map(([dims, data], index): [string, Value] => [
      inputs[index] as string,
      engine.upload(float32(dims, data)),
    ]);
    const value = (await program.run(new Map(tensors))).get(output);
    if (value === undefined) throw new Error('The graph gave nothing');
    const { data, dims } = (await engine.download(value)) as Float32Tensor;
    if (data.length !== size(dims)) throw new Error('The value is not whole');
    return Array.from(data);
  };
}

/**
 * The gradient of the sum of what `write` builds, with respect to the first of the tensors it is fed.
 * @param instead Rules in place of the true ones.
 */
export async function gradient(
  feeds: readonly Feed[],
  write: (build: GraphBuilder, inputs: readonly string[]) => string,
  instead: (inputs: readonly string[]) => Rules = () => ({}),
): Promise<number[]> {
  const engine = cpuEngine();
  const forward = new GraphBuilder();
  const inputs = feeds.map(([dims], index) => forward.input(`input${index}`, dims));
  const objective = write(forward, inputs);
  const graph = forward.graph([objective]);
  const tensors = new Map(
    feeds.map(([dims, data], index) => [inputs[index] as string, float32(dims, data)] as const),
  );
  const shapes = await shapesOf(graph, engine, tensors);
  const { build, gradients } = adjoint(graph, {
    objective,
    wrt: inputs.slice(0, 1),
    dims: (value) => shapes.get(value)?.dims ?? [],
    lowering: engine.lowering,
    instead: instead(inputs),
  });
  const output = gradients.get(inputs[0] as string);
  if (output === undefined) throw new Error('The value does not depend on the first tensor');
  const program = await engine.compile(build.graph([output]));
  const values = await program.run(new Map([...tensors].map(([name, each]) => [name, engine.upload(each)])));
  return Array.from((await engine.download(values.get(output) as Value)).data, Number);
}

/**
 * Holds the gradient against central differences (f(x + h) - f(x - h)) / 2h of every value of the first tensor.
 * @param tolerance Of the largest component; float32 with h = 0.05 leaves about 1e-3 of smooth functions of about 1.
 */
export async function expectGradient(
  feeds: readonly [Feed, ...Feed[]],
  write: (build: GraphBuilder, inputs: readonly string[]) => string,
  { h = 0.05, tolerance = 3e-3 } = {},
): Promise<void> {
  const [[dims, data], ...others] = feeds;
  const run = await evaluator(feeds, write);
  const total = async (place: number, by: number): Promise<number> => {
    const moved = data.map((value, index) => (index === place ? value + by : value));
    const values = await run([[dims, moved], ...others]);
    return values.reduce((sum, value) => sum + value, 0);
  };
  const got = await gradient(feeds, write);
  const expected: number[] = [];
  for (const place of data.keys())
    expected.push(((await total(place, h)) - (await total(place, -h))) / 2 / h);
  const largest = Math.max(...expected.map(Math.abs));
  expect(largest).toBeGreaterThan(0);
  got.forEach((value, place) => {
    const miss = Math.abs(value - (expected[place] as number)) / largest;
    expect(miss, `component ${place}: ${value}, by differences ${expected[place]}`).toBeLessThan(tolerance);
  });
}

/** Numbers between -1 and 1, the same for the same seed. */
export function numbers(length: number, seed = 1): number[] {
  const random = randomOf(seed);
  return Array.from({ length }, () => 2 * random.uniform() - 1);
}

/** The list with each number rounded to 6 digits after the point, and no negative zero. */
export const rounded = (values: readonly number[]): number[] =>
  values.map((value) => Math.round(value * 1e6) / 1e6 + 0);
