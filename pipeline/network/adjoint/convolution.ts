/**
 * Convolutions are linear in the picture and in the kernel. The picture's cotangent is a convolution of ȳ with the
 * kernel turned around and its channel axes swapped, or a transposed convolution with the kernel as it is.
 */

import type { GraphBuilder } from '../build.ts';
import { float32, int, intOf, ints, size } from '../graph.ts';
import { once } from '../once.ts';
import { reduce } from './linear-map.ts';
import { type RuleContext, type Rules, range, rule } from './rule.ts';
import { overhang, putBack, sliding, span, type Window, windowsOf } from './window.ts';

/** Kernel [m, c / group, …] ⇒ [c, m / group, …] with each image axis reversed; a constant stays one. */
function turned(build: GraphBuilder, kernel: string, dims: readonly number[], group: number): string {
  const [m = 1, c = 1, ...image] = dims;
  const to = [c * group, m / group, ...image];
  const constant = build.float32Constant(kernel);
  if (constant !== undefined) return build.constant(turnedConstant(constant, group, to), `${kernel}_turned`);
  const taps = size(image);
  const grouped = build.add('Reshape', [kernel, build.shape([group, m / group, c, taps])]);
  const swapped = build.add('Transpose', [grouped], { perm: ints([0, 2, 1, 3]) });
  const reversed = build.add('Slice', [
    swapped,
    build.shape([-1]),
    build.shape([-taps - 1]),
    build.shape([3]),
    build.shape([-1]),
  ]);
  return build.add('Reshape', [reversed, build.shape(to)]);
}

/** The same of a constant; `to` are the dims of the result. */
export const turnedConstant = once(({ data, dims }, group: number, to: readonly number[]) => {
  const [m = 1, c = 1, ...image] = dims;
  const taps = size(image);
  const perGroup = m / group;
  const result = new Float32Array(data.length);
  for (let out = 0; out < m; out++) {
    const first = Math.floor(out / perGroup) * c;
    for (let channel = 0; channel < c; channel++) {
      const from = (out * c + channel) * taps;
      const place = ((first + channel) * perGroup + (out % perGroup)) * taps;
      for (let tap = 0; tap < taps; tap++) result[place + taps - 1 - tap] = data[from + tap] ?? 0;
    }
  }
  return float32(to, result);
});

/** x̄ of y = Conv(x, kernel). */
function pictureCotangent(
  context: RuleContext,
  g: string,
  kernel: string,
  windows: readonly Window[],
  group: number,
): string {
  const { build, dims } = context;
  // ȳ padded by this much is read by the turned kernel at every place of x.
  const before = windows.map((window) => span(window) - 1 - window.before);
  const after = windows.map((window) => span(window) - 1 - overhang(window));
  const plain = windows.every(({ stride }) => stride === 1) && [...before, ...after].every((pad) => pad >= 0);
  if (!plain) return putBack(context, g, kernel, windows, group);
  return build.add('Conv', [g, turned(build, kernel, dims(kernel), group)], {
    ...sliding(windows),
    group: int(group),
    pads: ints([...before, ...after]),
  });
}

/**
 * The kernel's cotangent, [channels of short, channels of long / group, …taps]: `long` read by `short` as a kernel,
 * with images and channels in each other's place, and so stride and dilation.
 */
function kernelCotangent(
  { build, dims }: RuleContext,
  long: { readonly value: string; readonly dims: readonly number[] },
  short: string,
  windows: readonly Window[],
  group: number,
  kernel: string,
): string {
  const [images = 1, channels = 1, ...image] = long.dims;
  const perGroup = channels / group;
  const axes = range(image.length);
  const grouped = build.add('Reshape', [long.value, build.shape([images, group, perGroup, ...image])]);
  const swapped = build.add('Transpose', [grouped], {
    perm: ints([2, 1, 0, ...axes.map((axis) => axis + 3)]),
  });
  const swap = { perm: ints([1, 0, ...axes.map((axis) => axis + 2)]) };
  const product = build.add(
    'Conv',
    [
      build.add('Reshape', [swapped, build.shape([perGroup, group * images, ...image])]),
      build.add('Transpose', [short], swap),
    ],
    {
      strides: ints(windows.map(({ dilation }) => dilation)),
      dilations: ints(windows.map(({ stride }) => stride)),
      pads: ints([
        ...windows.map((window) => window.before),
        ...windows.map((window) => Math.max(overhang(window), 0)),
      ]),
      group: int(group),
    },
  );
  const taps = build.add('Slice', [
    product,
    build.shape(axes.map(() => 0)),
    build.shape(dims(kernel).slice(2)),
    build.shape(axes.map((axis) => axis + 2)),
  ]);
  return build.add('Transpose', [taps], swap);
}

/** Σ ȳ over images and places. */
function biasCotangent({ build, dims }: RuleContext, g: string, y: string, bias: string): string {
  const axes = range(dims(y).length).filter((axis) => axis !== 1);
  return build.add('Reshape', [reduce(build, 'ReduceSum', g, axes), build.shape(dims(bias))]);
}

export const convolution: Rules = {
  Conv: rule((context) => {
    const { g, x, y, node, dims, needs } = context;
    const [, kernel = '', bias = ''] = node.inputs;
    const group = intOf(node, 'group', 1);
    const windows = windowsOf(node, dims(x), dims(y), dims(kernel).slice(2));
    const long = { value: x, dims: dims(x) };
    return [
      needs(0) ? pictureCotangent(context, g, kernel, windows, group) : undefined,
      needs(1) ? kernelCotangent(context, long, g, windows, group, kernel) : undefined,
      needs(2) ? biasCotangent(context, g, y, bias) : undefined,
    ];
  }),

  /** Its own x̄ is a plain convolution with the same kernel. */
  ConvTranspose: rule((context) => {
    const { build, g, x, y, node, dims, needs, refuse } = context;
    const [, kernel = '', bias = ''] = node.inputs;
    if ('output_shape' in node.attributes) refuse('its size is given by output_shape');
    const group = intOf(node, 'group', 1);
    const windows = windowsOf(node, dims(y), dims(x), dims(kernel).slice(2));
    const long = { value: g, dims: dims(y) };
    const picture = (): string =>
      build.add('Conv', [g, kernel], {
        ...sliding(windows),
        group: int(group),
        pads: ints([
          ...windows.map((window) => window.before),
          ...windows.map((window) => Math.max(overhang(window), 0)),
        ]),
      });
    return [
      needs(0) ? picture() : undefined,
      needs(1) ? kernelCotangent(context, long, x, windows, group, kernel) : undefined,
      needs(2) ? biasCotangent(context, g, y, bias) : undefined,
    ];
  }),
};
