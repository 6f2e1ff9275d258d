import { describe, expect, it } from 'vitest';
import type { Value } from '../../../pipeline/engine/engine.ts';
import { cpuEngine } from '../../../pipeline/engine/onnxruntime.ts';
import { GraphBuilder } from '../../../pipeline/network/build.ts';
import { float32, ints, size } from '../../../pipeline/network/graph.ts';
import { toChannelsFirst, toChannelsLast } from '../../../pipeline/network/lowering/bands.ts';
import { pool } from '../../../pipeline/network/lowering/pool.ts';
import { randomOf } from '../../../pipeline/recipe/random.ts';

describe('pooling channels last', () => {
  it('is max pooling and its adjoint, also where values are equal: the first in row-major order takes all', async () => {
    const [dims, halves] = [
      [2, 3, 6, 8],
      [2, 3, 3, 4],
    ];
    const build = new GraphBuilder();
    const [x, g] = [build.input('x', dims as number[]), build.input('g', halves as number[])];
    const halving = { kernel_shape: ints([2, 2]), strides: ints([2, 2]) };
    const [y = '', indices = ''] = build.addMany('MaxPool', [x], 2, halving);
    const unpooled = build.add('MaxUnpool', [g, indices, build.shape(dims as number[])], halving);
    const own = pool(build, toChannelsLast(build, x, dims as number[]));
    const back = own.unpool(toChannelsLast(build, g, halves as number[]));
    const outputs = [y, toChannelsFirst(build, own.value), unpooled, toChannelsFirst(build, back)];
    const random = randomOf(2);
    const whole = (shape: readonly number[]) =>
      float32(
        shape,
        Float32Array.from({ length: size(shape) }, () => random.integer(0, 2)),
      );
    const engine = cpuEngine();
    const program = await engine.compile(build.graph(outputs));
    const feeds = new Map([
      [x, engine.upload(whole(dims as number[]))],
      [g, engine.upload(whole(halves as number[]))],
    ]);
    const values = await program.run(feeds);
    const read = async (name: string) => (await engine.download(values.get(name) as Value)).data;
    const [pooled, ownPooled, cotangents, ownCotangents] = await Promise.all(outputs.map(read));
    expect(ownPooled).toEqual(pooled);
    expect(ownCotangents).toEqual(cotangents);
    await program.release();
  });
});
