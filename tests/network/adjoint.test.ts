import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { adjoint } from '../../pipeline/network/adjoint/adjoint.ts';
import type { Lowering } from '../../pipeline/network/adjoint/rule.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import type { Float32Tensor, Graph, Tensor } from '../../pipeline/network/graph.ts';
import { shapesOf } from '../../pipeline/network/shapes.ts';
import { caseNames, fixturesMissing, ifMissing, readCase } from '../fixtures.ts';

const engine = cpuEngine();
const lowerings: readonly Lowering[] = [{ maxPool: 'indices' }, { maxPool: 'compare' }];

async function run(graph: Graph, feeds: ReadonlyMap<string, Tensor>): Promise<Map<string, Tensor>> {
  const program = await engine.compile(graph);
  const values = await program.run(new Map([...feeds].map(([name, feed]) => [name, engine.upload(feed)])));
  const tensors = new Map<string, Tensor>();
  for (const [name, value] of values) tensors.set(name, await engine.download(value));
  await program.release();
  return tensors;
}

/** The outputs of the graph, and per value of `wrt` the gradient of Σ output · cotangent. */
async function differentiate(
  graph: Graph,
  feeds: ReadonlyMap<string, Tensor>,
  cotangents: ReadonlyMap<string, Tensor>,
  wrt: readonly string[],
  lowering: Lowering,
) {
  const shapes = await shapesOf(graph, engine, feeds);
  const dims = (value: string): readonly number[] => shapes.get(value)?.dims ?? [];
  const forward = new GraphBuilder(graph);
  const objective = new Map(
    [...cotangents].map(([value]) => [value, forward.input(`cotangent of ${value}`, dims(value))]),
  );
  const { build, gradients } = adjoint(forward.graph(graph.outputs), { objective, wrt, dims, lowering });
  const names = [...gradients.values()].filter((name) => name !== undefined);
  const whole = build.graph([...new Set([...graph.outputs, ...names])]);
  const fed = [...cotangents].map(([value, tensor]) => [`cotangent of ${value}`, tensor] as const);
  const values = await run(whole, new Map([...feeds, ...fed]));
  return {
    ops: whole.nodes.map(({ op }) => op),
    outputs: values,
    gradients: new Map([...gradients].map(([value, name]) => [value, values.get(name ?? '')])),
  };
}

function largest(values: Iterable<number>): number {
  let result = 0;
  for (const value of values) result = Math.max(result, Math.abs(value));
  return result;
}

/** The largest absolute difference; dims must be equal. */
function distance(got: Tensor | undefined, truth: Float32Tensor): number {
  expect(got?.dims).toEqual(truth.dims);
  const data = Array.from(got?.data ?? [], Number);
  expect(data.every(Number.isFinite)).toBe(true);
  return largest(truth.data.map((value, i) => value - (data[i] ?? Number.NaN)));
}

const rows = (['ops', 'nets'] as const).flatMap((group) =>
  caseNames(group).flatMap((name) => lowerings.map((lowering) => ({ group, name, lowering }))),
);

describe.skipIf(fixturesMissing)(`values and gradients are those of the fixtures${ifMissing}`, () => {
  const hasMaxPool = ({ group, name }: (typeof rows)[number]): boolean =>
    readCase(group, name).graph.nodes.some(({ op }) => op === 'MaxPool');

  it.each(rows.filter((row) => row.lowering.maxPool === 'indices' || hasMaxPool(row)))(
    '$group/$name, $lowering.maxPool',
    async ({ group, name, lowering }) => {
      const { graph, inputs, outputs, sets } = readCase(group, name);
      expect(sets.length).toBeGreaterThan(0);
      for (const { cotangents, gradients, outputMaxAbs, gradientMaxAbs } of sets) {
        expect(gradients.size).toBeGreaterThan(0);
        const got = await differentiate(graph, inputs, cotangents, [...gradients.keys()], lowering);
        for (const [value, truth] of outputs) {
          const bound = group === 'nets' ? Math.min(outputMaxAbs, 1e-5 * largest(truth.data)) : outputMaxAbs;
          expect(distance(got.outputs.get(value), truth)).toBeLessThanOrEqual(bound);
        }
        for (const [value, truth] of gradients) {
          expect(distance(got.gradients.get(value), truth)).toBeLessThanOrEqual(gradientMaxAbs);
        }
        if (lowering.maxPool === 'compare') {
          expect(got.ops).not.toContain('MaxUnpool');
          expect(got.ops).not.toContain('ScatterElements');
        }
      }
    },
  );
});
