import { describe, expect, it } from 'vitest';
import { renderLayer, type UnitRendering } from '../../pipeline/ascent/layer.ts';
import type { Engine, Value } from '../../pipeline/engine/engine.ts';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { PhospheneError } from '../../pipeline/error.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import { float32, ints, size } from '../../pipeline/network/graph.ts';
import type { Layer } from '../../pipeline/network/network.ts';
import { randomOf } from '../../pipeline/recipe/random.ts';
import { resolveRecipe } from '../../pipeline/recipe/resolve.ts';
import { resolveScaling } from '../../pipeline/recipe/scaling.ts';
import { tinyNetwork } from '../ascent/tiny.ts';

const engine = cpuEngine();
const random = randomOf(8);
const normal = (dims: readonly number[]) =>
  float32(
    dims,
    Float32Array.from({ length: size(dims) }, () => random.normal()),
  );

/** Two inputs of `rows` rows, and what a convolution makes of their sum. */
function graphOf(rows: number) {
  const build = new GraphBuilder();
  const [x, y] = [build.input('x', [rows, 3, 8, 8]), build.input('y', [rows, 1, 1, 1])];
  const sum = build.add('Add', [x, y]);
  const kernel = build.constant(kernels);
  return build.graph([build.add('Conv', [sum, kernel], { pads: ints([1, 1, 1, 1]) }, 'map'), sum]);
}
const kernels = normal([16, 3, 3, 3]);

describe('copies of a graph', () => {
  it('give what one graph of all rows gives, also of their own values', async () => {
    const [whole, copies] = [await engine.compile(graphOf(6)), await engine.compile(graphOf(2), {}, 3)];
    const [x, y] = [normal([6, 3, 8, 8]), normal([6, 1, 1, 1])].map((tensor) => engine.upload(tensor));
    const twice = async ({ run }: typeof whole): Promise<unknown[]> => {
      const first = await run(
        new Map([
          ['x', x as Value],
          ['y', y as Value],
        ]),
      );
      const second = await run(
        new Map([
          ['x', first.get('add') as Value],
          ['y', y as Value],
        ]),
      );
      return Promise.all([...second.values()].map((value) => engine.download(value)));
    };
    expect(await twice(copies)).toEqual(await twice(whole));
    await Promise.all([whole.release(), copies.release()]);
  });

  it('take values that other copies made, and hand theirs to a graph in one piece', async () => {
    const programs = [
      await engine.compile(graphOf(2), {}, 2),
      await engine.compile(graphOf(1), {}, 4),
      await engine.compile(graphOf(4)),
    ];
    const [x, y] = [normal([4, 3, 8, 8]), normal([4, 1, 1, 1])].map((tensor) => engine.upload(tensor));
    const y3 = await engine.download(y as Value);
    let value = x as Value;
    for (const program of programs) {
      const made = await program.run(
        new Map([
          ['x', value],
          ['y', y as Value],
        ]),
      );
      engine.free([value]);
      value = made.get('add') as Value;
    }
    const { data } = await engine.download(value);
    const start = await engine.download(x as Value);
    const expected = Array.from(start.data as Float32Array, (number, at) => {
      const more = (y3.data as Float32Array)[Math.floor(at / 192)] as number;
      return Math.fround(Math.fround(Math.fround(number + more) + more) + more);
    });
    expect(Array.from(data as Float32Array)).toEqual(expected);
    await Promise.all(programs.map((program) => program.release()));
  });

  it('say in a sentence what went wrong, and go on', async () => {
    const program = await engine.compile(graphOf(2), {}, 2);
    const [x, y] = [normal([4, 3, 8, 8]), normal([4, 1, 1, 1])].map((tensor) => engine.upload(tensor));
    const wrong = engine.upload(normal([4, 2, 8, 8]));
    const feeds = (value: Value) =>
      new Map([
        ['x', value],
        ['y', y as Value],
      ]);
    await expect(program.run(feeds(wrong))).rejects.toThrow(PhospheneError);
    await expect(program.run(feeds(wrong))).rejects.toThrow(/onnxruntime to run the graph on the CPU/);
    expect((await program.run(feeds(x as Value))).size).toBe(2);
    await program.release();
  });

  it.each(['phosphene', 'multi-scale'])(
    'make the same bytes as one graph of the recipe %s',
    async (preset) => {
      const network = tinyNetwork(3);
      const render = async (of: Engine): Promise<Map<number, unknown>> => {
        const job = {
          network,
          layer: network.layers[0] as Layer,
          recipe: resolveRecipe({ preset, steps: 6, name: 'test' }, 'test'),
          scaling: resolveScaling('0..1', 3),
          size: { channels: 3, height: 12, width: 12 },
          batch: 8,
          seed: 2,
          units: [0, 1, 2, 3, 4, 5],
        };
        const found = new Map<number, Omit<UnitRendering, 'seconds'>>();
        for await (const { seconds, ...rendering } of renderLayer(job, of, new AbortController().signal))
          found.set(rendering.unit, rendering);
        return found;
      };
      let copies = 0;
      const two: Engine = {
        ...engine,
        copies: 2,
        compile(graph, liberties, count = 1) {
          copies = Math.max(copies, count);
          return engine.compile(graph, liberties, count);
        },
      };
      expect(await render(two)).toEqual(await render({ ...engine, copies: 1 }));
      expect(copies).toBe(2);
    },
  );
});
