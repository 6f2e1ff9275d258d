import { describe, expect, it } from 'vitest';
import type { Value } from '../../../pipeline/engine/engine.ts';
import { cpuEngine } from '../../../pipeline/engine/onnxruntime.ts';
import { GraphBuilder } from '../../../pipeline/network/build.ts';
import { type Float32Tensor, float32, ints, size } from '../../../pipeline/network/graph.ts';
import { toChannelsFirst, toChannelsLast } from '../../../pipeline/network/lowering/bands.ts';
import { winograd } from '../../../pipeline/network/lowering/winograd.ts';
import { randomOf } from '../../../pipeline/recipe/random.ts';

const random = randomOf(1);
const normal = (dims: readonly number[]) =>
  float32(
    dims,
    Float32Array.from({ length: size(dims) }, () => random.normal()),
  );

/** The largest difference from a plain convolution, of its largest value. */
async function differenceOf(
  [batch, channels, height, width]: readonly [number, number, number, number],
  filters: number,
  pads: readonly [number, number, number, number],
  inQuarters = false,
): Promise<number> {
  const build = new GraphBuilder();
  const x = build.input('x', [batch, channels, height, width]);
  const kernel = normal([filters, channels, 3, 3]);
  const bias = build.constant(normal([filters]));
  const plain = build.add('Conv', [x, build.constant(kernel), bias], { pads: ints(pads) });
  const [top, left, bottom, right] = pads;
  const written = winograd(build, toChannelsLast(build, x, [batch, channels, height, width]), {
    vertical: { size: height, before: top, written: height + top + bottom - 2 },
    horizontal: { size: width, before: left, written: width + left + right - 2 },
    kernel,
    bias,
    inQuarters,
  });
  const other = toChannelsFirst(build, written);
  const engine = cpuEngine();
  const program = await engine.compile(build.graph([plain, other]));
  const values = await program.run(new Map([[x, engine.upload(normal([batch, channels, height, width]))]]));
  const tensors = await Promise.all([plain, other].map((name) => engine.download(values.get(name) as Value)));
  await program.release();
  const [expected, found] = tensors.map(({ data }) => data as Float32Array) as [Float32Array, Float32Array];
  expect(found).toHaveLength(expected.length);
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const apart = expected.map((value, at) => Math.abs(value - (found[at] as number)));
  return apart.reduce((most, value) => Math.max(most, value), 0) / largest;
}

/** What the convolution makes of pictures of equal sides, which it keeps. */
async function convolved(pictures: Float32Tensor, kernel: Float32Tensor): Promise<Float32Array> {
  const build = new GraphBuilder();
  const x = build.input('x', pictures.dims);
  const [height = 1, width = 1] = pictures.dims.slice(2);
  const written = winograd(build, toChannelsLast(build, x, pictures.dims), {
    vertical: { size: height, before: 1, written: height },
    horizontal: { size: width, before: 1, written: width },
    kernel,
  });
  const y = toChannelsFirst(build, written);
  const engine = cpuEngine();
  const program = await engine.compile(build.graph([y]));
  const values = await program.run(new Map([[x, engine.upload(pictures)]]));
  const { data } = await engine.download(values.get(y) as Value);
  await program.release();
  return data as Float32Array;
}

describe('Winograd F(2×2, 3×3), F(4×4, 3×3) and F(6×6, 3×3)', () => {
  it.each([
    ['some tiles', [2, 3, 8, 8], 5, [1, 1, 1, 1]],
    [
      'so many tiles that they are worked on in bands, of which some hold rows of two pictures',
      [3, 64, 60, 60],
      6,
      [1, 1, 1, 1],
    ],
    ['32×32', [3, 4, 32, 32], 6, [1, 1, 1, 1]],
    ['64×64', [1, 2, 64, 64], 3, [1, 1, 1, 1]],
    ['sides that are no multiples of four', [2, 3, 7, 14], 4, [1, 1, 1, 1]],
    ['no padding', [2, 3, 12, 9], 4, [0, 0, 0, 0]],
    ['the wide padding of its adjoint', [2, 3, 10, 7], 4, [2, 2, 2, 2]],
    ['unequal padding', [1, 3, 9, 11], 4, [0, 1, 2, 1]],
    ['a large kernel at few places', [3, 96, 8, 8], 100, [1, 1, 1, 1]],
    ['a large kernel, some pictures a band', [5, 96, 16, 16], 90, [1, 1, 1, 1]],
    ['a large kernel, some bands a picture', [2, 192, 31, 29], 64, [1, 1, 1, 1]],
  ] as const)('gives what a convolution gives to 1e-5: %s', async (_, dims, filters, pads) => {
    expect(await differenceOf(dims, filters, pads)).toBeLessThan(1e-5);
  });

  it.each([
    ['few places', 8],
    ['some pictures a band', 16],
    ['some bands a picture', 32],
  ] as const)('gives a picture the same bytes whatever is beside it: %s', async (_, side) => {
    const [channels, batch] = [256, 3];
    const kernel = normal([96, channels, 3, 3]);
    const pictures = normal([batch, channels, side, side]);
    const one = size([channels, side, side]);
    const all = await convolved(pictures, kernel);
    const alone = await convolved(
      float32([1, channels, side, side], pictures.data.slice(one, 2 * one)),
      kernel,
    );
    expect(all.subarray(alone.length, 2 * alone.length)).toEqual(alone);
  });

  it.each([
    ['one band', [2, 3, 8, 12]],
    ['several', [2, 64, 60, 60]],
    ['a large kernel', [2, 128, 32, 32]],
  ] as const)('gives the same in quarters: %s', async (_, dims) => {
    expect(await differenceOf(dims, 65, [1, 1, 1, 1], true)).toBeLessThan(1e-5);
  });
});
