import { describe, expect, it } from 'vitest';
import type { Value } from '../../../pipeline/engine/engine.ts';
import { cpuEngine } from '../../../pipeline/engine/onnxruntime.ts';
import { GraphBuilder } from '../../../pipeline/network/build.ts';
import { float32, int, ints, size } from '../../../pipeline/network/graph.ts';
import { toChannelsFirst, toChannelsLast } from '../../../pipeline/network/lowering/bands.ts';
import {
  fromFew,
  kernelFromFew,
  kernelToFew,
  ownKernels,
  toFew,
} from '../../../pipeline/network/lowering/narrow.ts';
import { randomOf } from '../../../pipeline/recipe/random.ts';

const random = randomOf(6);
const normal = (dims: readonly number[]) =>
  float32(
    dims,
    Float32Array.from({ length: size(dims) }, () => random.normal()),
  );

const [batch, few, many, height, width] = [3, 2, 5, 6, 7];
const pads = [1, 0, 2, 1];
const axes = {
  vertical: { size: height, before: 1, written: height + 1 },
  horizontal: { size: width, before: 0, written: width - 1 },
};

/** The largest difference of two values of which `write` gives the names, of inputs of these dims. */
async function difference(
  inputs: Readonly<Record<string, readonly number[]>>,
  write: (build: GraphBuilder) => [string, string],
): Promise<number> {
  const build = new GraphBuilder();
  for (const [name, dims] of Object.entries(inputs)) build.input(name, dims);
  const outputs = write(build);
  const engine = cpuEngine();
  const program = await engine.compile(build.graph(outputs));
  const feeds = Object.entries(inputs).map(([name, dims]) => [name, engine.upload(normal(dims))] as const);
  const values = await program.run(new Map(feeds));
  const [expected, found] = (
    await Promise.all(outputs.map((name) => engine.download(values.get(name) as Value)))
  ).map(({ data }) => data as Float32Array) as [Float32Array, Float32Array];
  await program.release();
  expect(found).toHaveLength(expected.length);
  return expected.reduce((most, value, at) => Math.max(most, Math.abs(value - (found[at] as number))), 0);
}

describe('convolutions between few channels and many', () => {
  it('are what a convolution is, from few', async () => {
    const x = [batch, few, height, width];
    const apart = await difference({ x }, (build) => {
      const [kernel, bias] = [normal([many, few, 3, 3]), normal([many])];
      const plain = build.add('Conv', ['x', build.constant(kernel), build.constant(bias)], {
        pads: ints(pads),
      });
      const matrix = build.constant(kernelFromFew(kernel, bias));
      const bands = fromFew(
        build,
        'x',
        { ...axes, few, hasBias: true },
        [matrix, matrix, matrix],
        [batch, many, height + 1, width - 1],
      );
      return [plain, toChannelsFirst(build, bands)];
    });
    expect(apart).toBeLessThan(1e-5);
  });

  it('are what a convolution is, to few', async () => {
    const x = [batch, many, height, width];
    const apart = await difference({ x }, (build) => {
      const [kernel, bias] = [normal([few, many, 3, 3]), build.constant(normal([few]))];
      const plain = build.add('Conv', ['x', build.constant(kernel), bias], { pads: ints(pads) });
      const matrix = build.constant(kernelToFew(kernel));
      const own = toChannelsLast(build, 'x', x);
      return [plain, toFew(build, own, { ...axes, few }, [matrix, matrix, matrix], bias)];
    });
    expect(apart).toBeLessThan(1e-5);
  });

  it("are what a convolution of groups is, to each picture's own map", async () => {
    const x = [batch, many, height, width];
    const apart = await difference({ x, kernels: [batch, many, 3, 3] }, (build) => {
      const groups = build.add('Reshape', ['x', build.shape([1, batch * many, height, width])]);
      const maps = build.add('Conv', [groups, 'kernels'], { pads: ints(pads), group: int(batch) });
      const plain = build.add('Reshape', [maps, build.shape([batch, 1, height + 1, width - 1])]);
      const kernels = ownKernels(build, 'kernels', batch, many);
      return [plain, toFew(build, toChannelsLast(build, 'x', x), { ...axes, few: 1 }, kernels)];
    });
    expect(apart).toBeLessThan(1e-5);
  });
});
