import { describe, expect, it } from 'vitest';
import type { Value } from '../../pipeline/engine/engine.ts';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { PhospheneError } from '../../pipeline/error.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import { float32, int64, type Tensor } from '../../pipeline/network/graph.ts';
import { shapesOf } from '../../pipeline/network/shapes.ts';

describe('the cpu engine', () => {
  const engine = cpuEngine();

  it('runs a graph on uploaded tensors, again and again', async () => {
    const build = new GraphBuilder();
    const x = build.input('x', ['N', 2]);
    const program = await engine.compile(build.graph([build.add('Mul', [x, build.scalar(3)], {}, 'y')]));
    for (const rows of [1, 2]) {
      const feed = float32(
        [rows, 2],
        Array.from({ length: rows * 2 }, (_, i) => i),
      );
      const outputs = await program.run(new Map([['x', engine.upload(feed)]]));
      const y = outputs.get('y');
      expect(y && (await engine.download(y))).toEqual(
        float32(
          [rows, 2],
          feed.data.map((v) => 3 * v),
        ),
      );
    }
    await program.release();
  });

  it('names the operation that it cannot run', async () => {
    const build = new GraphBuilder();
    const graph = build.graph([build.add('Conjure', [build.input('x', [1])])]);
    await expect(engine.compile(graph)).rejects.toThrow(PhospheneError);
    await expect(engine.compile(graph)).rejects.toThrow(/Conjure/);
  });

  it('says what is wrong with the feeds', async () => {
    const build = new GraphBuilder();
    const x = build.input('x', [2]);
    const program = await engine.compile(build.graph([build.add('Neg', [x])]));
    await expect(program.run(new Map([[x, engine.upload(float32([3], [1, 2, 3]))]]))).rejects.toThrow(
      PhospheneError,
    );
    await expect(program.run(new Map())).rejects.toThrow(PhospheneError);
    await program.release();
  });

  it('gives the memory of what is freed back at once, but not of what somebody reads', async () => {
    const build = new GraphBuilder();
    const x = build.input('x', [2]);
    const y = build.add('Neg', [x]);
    const program = await engine.compile(build.graph([y]));
    const run = async (value: Value): Promise<Value> =>
      (await program.run(new Map([[x, value]]))).get(y) as Value;
    const numbers = float32([2], [1, 2]);
    const given = engine.upload(numbers);
    const [freed, read] = [await run(given), await run(given)];
    const { data } = await engine.download(read);
    engine.free([given, freed, read]);
    await expect(run(freed)).rejects.toThrow(PhospheneError);
    expect([...data]).toEqual([-1, -2]);
    expect([...numbers.data]).toEqual([1, 2]);
    await program.release();
  });
});

describe('shapesOf', () => {
  it('gives the size of every value, also those only the run can know', async () => {
    const build = new GraphBuilder();
    const x = build.input('x', ['N', 1, 'h', 'w']);
    const target = build.input('target', [2], 'int64');
    const [pooled, where] = build.addMany('MaxPool', [x], 2, {
      kernel_shape: { kind: 'ints', value: [2, 2] },
      ceil_mode: { kind: 'int', value: 1 },
      strides: { kind: 'ints', value: [2, 2] },
    });
    const flat = build.add('Reshape', [pooled as string, target]);
    const feeds = new Map<string, Tensor>([
      [x, float32([1, 1, 5, 3], new Float32Array(15))],
      [target, int64([3, -1])],
    ]);
    const shapes = await shapesOf(build.graph([flat]), cpuEngine(), feeds);
    expect(Object.fromEntries(shapes)).toEqual({
      [x]: { dims: [1, 1, 5, 3] },
      [target]: { dims: [2] },
      [pooled as string]: { dims: [1, 1, 3, 2] },
      [where as string]: { dims: [1, 1, 3, 2] },
      [flat]: { dims: [3, 2] },
    });
  });
});
