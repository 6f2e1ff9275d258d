import { describe, expect, it } from 'vitest';
import { renderLayer } from '../../../pipeline/ascent/layer.ts';
import { stepGraph } from '../../../pipeline/ascent/step.ts';
import type { Engine, Value } from '../../../pipeline/engine/engine.ts';
import { cpuEngine } from '../../../pipeline/engine/onnxruntime.ts';
import { GraphBuilder } from '../../../pipeline/network/build.ts';
import { float32, ints, size } from '../../../pipeline/network/graph.ts';
import { lowered } from '../../../pipeline/network/lowering/lower.ts';
import type { Network } from '../../../pipeline/network/network.ts';
import { randomOf } from '../../../pipeline/recipe/random.ts';
import { resolveRecipe } from '../../../pipeline/recipe/resolve.ts';
import { resolveScaling } from '../../../pipeline/recipe/scaling.ts';

/** Two convolutions, the first of few channels, a pool, two more. */
function smallVgg(): Network {
  const build = new GraphBuilder();
  const random = randomOf(5);
  const input = build.input('x', ['N', 3, 'h', 'w']);
  const weights = (dims: readonly number[]): string =>
    build.constant(
      float32(
        dims,
        Float32Array.from({ length: size(dims) }, () => 0.15 * random.normal()),
      ),
    );
  const layers: Network['layers'][number][] = [];
  let value = input;
  for (const [index, [channels, filters]] of [
    [3, 16],
    [16, 20],
    [20, 16],
    [16, 5],
  ].entries()) {
    if (index === 2)
      value = build.add('MaxPool', [value], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });
    const kernel = weights([filters as number, channels as number, 3, 3]);
    const linear = build.add('Conv', [value, kernel, weights([filters as number])], {
      pads: ints([1, 1, 1, 1]),
    });
    value = build.add('Relu', [linear]);
    layers.push({
      name: `conv${index}`,
      kind: 'conv',
      units: filters as number,
      linear,
      output: value,
      unitAxis: 1,
    });
  }
  return {
    format: 'onnx',
    graph: build.graph([value]),
    input: { name: input, layout: 'NCHW', channels: 3, height: null, width: null },
    layers,
    gaps: [],
  };
}

const plain: Engine = { ...cpuEngine(), convolutionTimes: async () => () => undefined };
/** All convolutions between many channels gain. */
const fast: Engine = {
  ...cpuEngine(),
  convolutionTimes:
    async () =>
    ({ channels, filters }) =>
      Math.min(channels, filters) < 16 ? undefined : { plain: 1, winograd: 0, change: 0 },
};
/** So do those between few. */
const fastest: Engine = {
  ...cpuEngine(),
  convolutionTimes: async () => () => ({ plain: 1, winograd: 0, change: 0 }),
};
const network = smallVgg();
const layer = network.layers[3] as Network['layers'][number];
const specOf = (batch: number, side = 16, recipe = 'keras-blog') => ({
  network,
  layer,
  recipe: resolveRecipe({ preset: recipe, steps: 3, name: 'test' }, 'test'),
  scaling: resolveScaling('none', 3),
  size: { channels: 3, height: side, width: side },
  batch,
});

/** The pictures after one step from `start`, and the objectives. */
async function moved(engine: Engine, side: number, start: Float32Array): Promise<Float32Array[]> {
  const step = await stepGraph(specOf(2, side), engine);
  const program = await engine.compile(step.graph);
  const feeds = new Map<string, Value>();
  for (const { name, dims } of step.graph.inputs) {
    const data = name === step.state[0]?.input ? start : new Float32Array(size(dims.map(Number))).fill(1);
    feeds.set(name, engine.upload(float32(dims.map(Number), data)));
  }
  for (const { input, dims, pick } of step.slices) {
    const rows = [1, 3].flatMap((unit) => [...pick(unit)]);
    feeds.set(input, engine.upload(float32([2, ...dims], rows)));
  }
  const values = await program.run(feeds);
  const read = async (name: string) =>
    (await engine.download(values.get(name) as Value)).data as Float32Array;
  const found = [await read(step.state[0]?.output as string), await read(step.objective)];
  await program.release();
  return found;
}

/** The largest difference. */
const apart = (a: Float32Array = new Float32Array(), b: Float32Array = new Float32Array()): number =>
  a.reduce((most, value, at) => Math.max(most, Math.abs(value - (b[at] ?? Number.NaN))), 0);

describe('lowered convolutions', () => {
  it.each([
    ['those between many channels', 16, fast],
    ['those between many channels', 15, fast],
    ['those between many channels', 36, fast],
    ['all', 16, fastest],
    ['all', 18, fastest],
  ] as const)(
    'leave a step of a network what it was, to 1e-5: %s, at a side of %i',
    async (_, side, engine) => {
      const random = randomOf(side);
      const start = Float32Array.from({ length: 2 * 3 * side * side }, () => 128 + 10 * random.normal());
      const [picture, objective] = await moved(plain, side, start);
      const [other, otherObjective] = await moved(engine, side, start);
      expect(apart(other, picture)).toBeLessThan(2e-4);
      expect(apart(otherObjective, objective)).toBeLessThan(1e-5 * Math.abs(objective?.[0] ?? 0));
    },
  );

  it('replace every convolution between many channels, and no layout changes nor is a pooling left between them', async () => {
    const { graph } = await stepGraph(specOf(2), fast);
    const ops = graph.nodes.map(({ op }) => op);
    expect(ops.filter((op) => op === 'MaxPool' || op === 'MaxUnpool')).toEqual([]);
    const kernels = graph.nodes.flatMap(({ op, inputs }) =>
      op === 'Conv' ? [graph.initializers.get(inputs[1] ?? '')?.dims] : [],
    );
    expect(kernels.filter((dims) => dims === undefined || Math.min(...dims.slice(0, 2)) >= 16)).toEqual([]);
    const turns = graph.nodes.flatMap(({ op, attributes }) =>
      op === 'Transpose' ? [(attributes['perm'] as { value: readonly number[] }).value] : [],
    );
    expect(turns.filter((perm) => ['0,2,3,1', '0,3,1,2'].includes(String(perm)))).toEqual([]);
  });

  it('hand on truth values to what works in the plain layout, and take them from it', async () => {
    const build = new GraphBuilder();
    const [x, chosen] = [build.input('x', [2, 4, 8, 8]), build.input('chosen', [2, 4, 8, 8], 'bool')];
    const random = randomOf(3);
    const some = (dims: readonly number[]) =>
      float32(
        dims,
        Float32Array.from({ length: size(dims) }, () => random.normal()),
      );
    const y = build.add('Conv', [x, build.constant(some([4, 4, 3, 3]))], { pads: ints([1, 1, 1, 1]) });
    const isLarge = build.add('Greater', [y, build.scalar(0.5)]);
    const half = build.constant(float32([1, 1, 1, 1], [0.5]));
    const either = build.add('Where', [chosen, y, build.add('Mul', [half, y])]);
    const graph = build.graph([build.add('Identity', [isLarge]), either]);
    const dims = (name: string) => graph.initializers.get(name)?.dims ?? [2, 4, 8, 8];
    const options = { dims, choose: () => true };
    const other = lowered(graph, options);
    expect(other.nodes.map(({ op }) => op)).toContain('MatMul');
    const engine = cpuEngine();
    const answers = async (of: typeof graph): Promise<number[][]> => {
      const program = await engine.compile(of);
      const truths = {
        type: 'bool',
        dims: [2, 4, 8, 8],
        data: Uint8Array.from({ length: 512 }, (_, at) => (at % 3) & 1),
      };
      const feeds = new Map<string, Value>([
        [x, engine.upload(start)],
        [chosen, engine.upload(truths as Parameters<typeof engine.upload>[0])],
      ]);
      const values = await program.run(feeds);
      const read = of.outputs.map(async (name) => {
        const { data } = await engine.download(values.get(name) as Value);
        return Array.from<number | bigint>(data).map(Number);
      });
      const all = await Promise.all(read);
      await program.release();
      return all;
    };
    const start = some([2, 4, 8, 8]);
    const [plainly, otherwise] = [await answers(graph), await answers(other)];
    expect(otherwise[0]).toEqual(plainly[0]);
    const miss = otherwise[1]?.map((value, at) => Math.abs(value - (plainly[1]?.[at] ?? Number.NaN))) ?? [];
    expect(Math.max(...miss)).toBeLessThan(1e-4);
  });

  it('make the same bytes whatever the batch', async () => {
    const pictures = async (batch: number): Promise<Map<number, object>> => {
      const job = { ...specOf(batch, 16, 'phosphene'), seed: 3, units: [0, 1, 2, 3, 4] };
      const found = new Map<number, object>();
      for await (const { unit, frames, curve } of renderLayer(job, fast, new AbortController().signal))
        found.set(unit, { frames, curve });
      return found;
    };
    const together = await pictures(5);
    for (const batch of [1, 2, 3]) expect(await pictures(batch)).toEqual(together);
  });
});
