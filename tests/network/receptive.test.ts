import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import { float32, int, int64, ints, size, text } from '../../pipeline/network/graph.ts';
import { receptiveFields } from '../../pipeline/network/receptive.ts';

const side = 31;
const ones = (dims: readonly number[]) => float32(dims, new Float32Array(size(dims)).fill(1));

/** The side of the area that the middle of `value` sees, found by lighting one pixel of the input after another. */
async function seenByMiddle(build: GraphBuilder, value: string): Promise<number> {
  const engine = cpuEngine();
  const program = await engine.compile(build.graph([value]));
  const places = side * side;
  const pixels = new Float32Array(places * places);
  for (let place = 0; place < places; place++) pixels[place * places + place] = 1;
  const feed = engine.upload(float32([places, 1, side, side], pixels));
  const result = (await program.run(new Map([['x', feed]]))).get(value);
  if (result === undefined) throw new Error('no result');
  const { dims, data } = await engine.download(result);
  await program.release();
  const [, channels = 1, height = 1, width = 1] = dims;
  const middle = Math.floor(height / 2) * width + Math.floor(width / 2);
  const rows: number[] = [];
  const columns: number[] = [];
  for (let place = 0; place < places; place++) {
    if (Number(data[place * channels * height * width + middle]) === 0) continue;
    rows.push(Math.floor(place / side));
    columns.push(place % side);
  }
  return Math.max(Math.max(...rows) - Math.min(...rows), Math.max(...columns) - Math.min(...columns)) + 1;
}

const conv = (build: GraphBuilder, x: string, kernel: number, attributes = {}): string =>
  build.add('Conv', [x, build.constant(ones([1, 1, kernel, kernel]))], attributes);

const pads = (pad: number) => ({ pads: ints([pad, pad, pad, pad]) });
const strides = (stride: number) => ({ strides: ints([stride, stride]) });

const cases: Record<string, { write: (build: GraphBuilder) => string; field: number }> = {
  'one 3×3 convolution': { write: (b) => conv(b, 'x', 3), field: 3 },
  'two 3×3 convolutions with padding': {
    write: (b) => conv(b, conv(b, 'x', 3, pads(1)), 3, pads(1)),
    field: 5,
  },
  'a dilated convolution': { write: (b) => conv(b, 'x', 3, { dilations: ints([3, 3]) }), field: 7 },
  'stride 2 and a pool before a convolution': {
    write: (b) =>
      conv(
        b,
        b.add('MaxPool', [conv(b, 'x', 3, strides(2))], { kernel_shape: ints([2, 2]), ...strides(2) }),
        3,
      ),
    field: 13,
  },
  'auto_pad SAME_UPPER with stride 2': {
    write: (b) => conv(b, conv(b, 'x', 5, { auto_pad: text('SAME_UPPER'), ...strides(2) }), 3),
    field: 9,
  },
  'two paths, of which the wider counts': {
    write: (b) => b.add('Add', [conv(b, 'x', 7, pads(3)), conv(b, 'x', 3, pads(1))]),
    field: 7,
  },
  'two paths that look to different sides': {
    write: (b) =>
      b.add('Add', [
        conv(b, 'x', 3, { pads: ints([2, 2, 0, 0]) }),
        conv(b, 'x', 3, { pads: ints([0, 0, 2, 2]) }),
      ]),
    field: 5,
  },
  'a padded and cropped picture': {
    write: (b) => {
      const padded = b.add('Pad', ['x', b.constant(int64([0, 0, 2, 2, 0, 0, 2, 2]))]);
      const cut = [b.shape([1, 1]), b.shape([30, 30]), b.shape([2, 3])];
      return conv(b, b.add('Slice', [padded, ...cut]), 3);
    },
    field: 3,
  },
  'a transposed convolution': {
    write: (b) =>
      b.add('ConvTranspose', [conv(b, 'x', 3, strides(2)), b.constant(ones([1, 1, 4, 4]))], strides(2)),
    field: 5,
  },
};

describe('the receptive field', () => {
  it.each(Object.entries(cases))('of %s is what the pixels say', async (_, { write, field }) => {
    const build = new GraphBuilder();
    build.input('x', ['N', 1, side, side]);
    const value = write(build);
    const fields = receptiveFields(build.graph([value]), { name: 'x', layout: 'NCHW' });
    expect(fields.get(value)).toBe(field);
    expect(await seenByMiddle(build, value)).toBe(field);
  });

  it('is the same for a channels-last picture that is transposed first', () => {
    const build = new GraphBuilder();
    build.input('x', ['N', side, side, 1]);
    const value = conv(build, build.add('Transpose', ['x'], { perm: ints([0, 3, 1, 2]) }), 5);
    expect(receptiveFields(build.graph([value]), { name: 'x', layout: 'NHWC' }).get(value)).toBe(5);
  });

  it('is the whole picture behind a global pool, a dense layer, and whatever these are multiplied with', () => {
    const build = new GraphBuilder();
    build.input('x', ['N', 1, side, side]);
    const pooled = build.add('GlobalAveragePool', ['x']);
    const dense = build.add('Gemm', [build.add('Flatten', [pooled]), build.constant(ones([1, 4]))]);
    const gated = build.add('Mul', ['x', build.add('Sigmoid', [pooled])]);
    const softmax = build.add('Softmax', ['x'], { axis: int(1) });
    const fields = receptiveFields(build.graph([dense, gated, softmax]), { name: 'x', layout: 'NCHW' });
    expect([pooled, dense, gated, softmax].map((value) => fields.get(value))).toEqual([null, null, null, 1]);
  });
});
