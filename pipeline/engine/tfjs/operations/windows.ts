/** Operations that slide a window over pictures with their channels last: convolutions and poolings. */

import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import { overhang, span, type Window, windowsOf } from '../../../network/adjoint/window.ts';
import { intOf, intsOf, textOf } from '../../../network/graph.ts';
import { Held } from '../held.ts';
import { type Call, input, type Operation, type Operations } from '../operation.ts';

/** [below or left of the first value, above or right of the last] of an axis. */
type Pads = readonly [before: number, after: number];

/** How the node's kernel slides along the two axes of a picture: windows, and the padding that it states. */
function sliding(call: Call, kernel: readonly number[]): { windows: Window[]; stated: Pads[] } {
  const { node, refuse } = call;
  const { dims } = input(call);
  if (kernel.length !== 2 || dims.length !== 4) return refuse('it is not of pictures');
  const autoPad = textOf(node, 'auto_pad', 'NOTSET');
  const pads = autoPad === 'NOTSET' ? (intsOf(node, 'pads') ?? [0, 0, 0, 0]) : undefined;
  const counts = kernel.map((extent, axis) => {
    const stride = intsOf(node, 'strides')?.[axis] ?? 1;
    const reach = (extent - 1) * (intsOf(node, 'dilations')?.[axis] ?? 1) + 1;
    const side = dims[axis + 2] as number;
    if (autoPad.startsWith('SAME')) return Math.ceil(side / stride);
    const padded = side + (pads?.[axis] ?? 0) + (pads?.[axis + 2] ?? 0);
    const places = (padded - reach) / stride + 1;
    if (intOf(node, 'ceil_mode', 0) === 0) return Math.floor(places);
    // A window that starts in the padding at the end counts for none.
    const count = Math.ceil(places);
    return (count - 1) * stride >= side + (pads?.[axis] ?? 0) ? count - 1 : count;
  });
  const windows = windowsOf(node, dims, [0, 0, ...counts], kernel);
  const stated = windows.map(
    (window, axis): Pads => [window.before, pads?.[axis + 2] ?? Math.max(overhang(window), 0)],
  );
  return { windows, stated };
}

/** The picture with what the windows read beyond its sides; without what none of them reads. */
function padded({ tf }: Call, picture: Tensor4D, windows: readonly Window[], value = 0): Tensor4D {
  const [rows, columns] = windows as [Window, Window];
  const read = windows.map((window) => window.size + Math.min(overhang(window), 0));
  const [n, , , c] = picture.shape;
  const cut = tf.slice(picture, [0, 0, 0, 0], [n, read[0] as number, read[1] as number, c]);
  const after = windows.map((window) => Math.max(overhang(window), 0));
  const pads: [number, number][] = [
    [0, 0],
    [rows.before, after[0] as number],
    [columns.before, after[1] as number],
    [0, 0],
  ];
  return pads.flat().some((pad) => pad > 0) ? (tf.pad(cut, pads, value) as Tensor4D) : cut;
}

const pair = (windows: readonly Window[], of: 'kernel' | 'stride' | 'dilation'): [number, number] =>
  windows.map((window) => window[of]) as [number, number];

/** One of `group` equal parts along an axis. */
function part(call: Call, tensor: Tensor, axis: number, index: number, group: number): Tensor4D {
  const length = (tensor.shape[axis] as number) / group;
  const begin = tensor.shape.map((_, at) => (at === axis ? index * length : 0));
  return call.tf.slice(
    tensor,
    begin,
    tensor.shape.map((side, at) => (at === axis ? length : side)),
  ) as Tensor4D;
}

const conv: Operation = (call) => {
  const { tf, node } = call;
  const [x, kernel] = [input(call), input(call, 1)];
  const [outputs = 0, ofGroup = 0, ...sides] = kernel.dims;
  const group = intOf(node, 'group', 1);
  const { windows } = sliding(call, sides);
  const picture = padded(call, x.last, windows);
  const strides = pair(windows, 'stride');
  // TensorFlow takes either strides or dilations.
  const apart = strides.some((stride) => stride > 1) ? pair(windows, 'dilation') : [1, 1];
  const dilations = apart.some((dilation) => dilation > 1) ? ([1, 1] as const) : pair(windows, 'dilation');
  /** [O, I, H, W] ⇒ [H, W, I, O]. */
  const hwio = kernel.form(`conv ${apart}`, (first) =>
    dilated(call, tf.transpose(first, [2, 3, 1, 0]) as Tensor4D, apart),
  ) as Tensor4D;
  const run = (of: Tensor4D, by: Tensor4D): Tensor4D =>
    tf.conv2d(of, by, strides, 'valid', 'NHWC', [...dilations]);
  const depthwise = (): Tensor4D => {
    // [H, W, 1, O] ⇒ [H, W, channels, maps a channel].
    const own = kernel.form('depthwise', () =>
      tf.reshape(hwio, [...hwio.shape.slice(0, 2), group, outputs / group]),
    ) as Tensor4D;
    return tf.depthwiseConv2d(picture, own, strides, 'valid', 'NHWC', [...dilations]);
  };
  const grouped = (): Tensor4D => {
    const parts = Array.from({ length: group }, (_, index) =>
      run(part(call, picture, 3, index, group), part(call, hwio, 3, index, group)),
    );
    return tf.concat(parts, 3) as Tensor4D;
  };
  // TensorFlow has no depthwise convolution with unequal strides.
  const isDepthwise = ofGroup === 1 && strides[0] === strides[1];
  const maps = group === 1 ? run(picture, hwio) : isDepthwise ? depthwise() : grouped();
  const bias = call.inputs[2];
  return new Held(tf, bias === undefined ? maps : tf.add(maps, bias.first), 'last');
};

const convTranspose: Operation = (call) => {
  const { tf, node, refuse } = call;
  const [x, kernel] = [input(call), input(call, 1)];
  const [inputs = 0, ofGroup = 0, ...sides] = kernel.dims;
  if (sides.length !== 2) return refuse('it is not of pictures');
  if (textOf(node, 'auto_pad', 'NOTSET') !== 'NOTSET' || intsOf(node, 'output_shape') !== undefined) {
    return refuse('its padding is not stated in numbers');
  }
  const group = intOf(node, 'group', 1);
  const strides = (intsOf(node, 'strides') ?? [1, 1]) as [number, number];
  const dilations = intsOf(node, 'dilations') ?? [1, 1];
  const pads = intsOf(node, 'pads') ?? [0, 0, 0, 0];
  const extra = intsOf(node, 'output_padding') ?? [0, 0];
  const reach = sides.map((side, axis) => (side - 1) * (dilations[axis] as number) + 1);
  const [n = 1, , h = 1, w = 1] = x.dims;
  const whole = [h, w].map((side, axis) => (side - 1) * (strides[axis] as number) + (reach[axis] as number));
  /** [I, O, H, W] ⇒ [H, W, O, I], zeros between the taps where it is dilated. */
  const hwoi = kernel.form(`transposed ${dilations}`, (first) =>
    dilated(call, tf.transpose(first, [2, 3, 1, 0]) as Tensor4D, dilations),
  ) as Tensor4D;
  const each = Array.from({ length: group }, (_, index) =>
    tf.conv2dTranspose(
      group === 1 ? x.last : part(call, x.last, 3, index, group),
      group === 1 ? hwoi : part(call, hwoi, 3, index, group),
      [n, whole[0] as number, whole[1] as number, ofGroup],
      strides,
      'valid',
    ),
  );
  const maps = group === 1 ? (each[0] as Tensor4D) : (tf.concat(each, 3) as Tensor4D);
  const result = whole.map(
    (side, axis) => side - (pads[axis] as number) - (pads[axis + 2] as number) + (extra[axis] as number),
  );
  const missing = result.map((side, axis) =>
    Math.max(side + (pads[axis] as number) - (whole[axis] as number), 0),
  );
  const wide = missing.some((side) => side > 0)
    ? tf.pad(maps, [
        [0, 0],
        [0, missing[0] as number],
        [0, missing[1] as number],
        [0, 0],
      ])
    : maps;
  const channels = inputs === 0 ? 0 : ofGroup * group;
  const cut = tf.slice(
    wide,
    [0, pads[0] as number, pads[1] as number, 0],
    [n, result[0] as number, result[1] as number, channels],
  );
  const bias = call.inputs[2];
  return new Held(tf, bias === undefined ? cut : tf.add(cut, bias.first), 'last');
};

/** A kernel [H, W, …] with `dilation - 1` zeros between its taps. */
function dilated({ tf }: Call, kernel: Tensor4D, dilations: readonly number[]): Tensor4D {
  return dilations.reduce((tensor: Tensor4D, dilation, axis): Tensor4D => {
    if (dilation === 1) return tensor;
    const shape = tensor.shape;
    const side = shape[axis] as number;
    const apart = tf.reshape(tensor, [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)]);
    const pads = apart.shape.map((_, at): [number, number] => [0, at === axis + 1 ? dilation - 1 : 0]);
    const spread = tf.reshape(tf.pad(apart, pads), shape.with(axis, side * dilation));
    return tf.slice(spread, [0, 0, 0, 0], shape.with(axis, (side - 1) * dilation + 1)) as Tensor4D;
  }, kernel);
}

/** Smaller than all that a picture's values can be, and still finite. */
const lowest = -3.4e38;

const maxPool: Operation = (call) => {
  const { tf, node, refuse } = call;
  if (node.outputs.length > 1 && node.outputs[1] !== '')
    return refuse('TensorFlow.js counts its indices otherwise');
  const { windows } = sliding(call, intsOf(node, 'kernel_shape') ?? []);
  const picture = padded(call, input(call).last, windows, lowest);
  if (windows.every(({ dilation }) => dilation === 1)) {
    const pooled = tf.maxPool(picture, pair(windows, 'kernel'), pair(windows, 'stride'), 'valid');
    return new Held(tf, pooled, 'last');
  }
  const [rows, columns] = windows as [Window, Window];
  const [n, , , c] = picture.shape;
  const taps = Array.from({ length: rows.kernel * columns.kernel }, (_, tap) => {
    const begin = [
      Math.floor(tap / columns.kernel) * rows.dilation,
      (tap % columns.kernel) * columns.dilation,
    ];
    const end = windows.map(({ count, stride }, axis) => (begin[axis] as number) + (count - 1) * stride + 1);
    return tf.stridedSlice(picture, [0, ...begin, 0], [n, ...end, c], [1, ...pair(windows, 'stride'), 1]);
  });
  return new Held(
    tf,
    taps.reduce((a, b) => tf.maximum(a, b)),
    'last',
  );
};

/** The mean of what lies within the picture, or with count_include_pad within the padding that is stated too. */
const averagePool: Operation = (call) => {
  const { tf, node } = call;
  const { windows, stated } = sliding(call, intsOf(node, 'kernel_shape') ?? []);
  const [kernel, stride] = [pair(windows, 'kernel'), pair(windows, 'stride')];
  const pool = (tensor: Tensor4D): Tensor4D => tf.avgPool(tensor, kernel, stride, 'valid');
  const means = pool(padded(call, input(call).last, windows));
  const include = intOf(node, 'count_include_pad', 0) === 1;
  const ones = windows.map((window, axis) => {
    const [before, after] = include ? (stated[axis] as Pads) : [0, 0];
    const end = window.size + Math.max(overhang(window), after);
    return Array.from({ length: window.before + end }, (_, at) => {
      const position = at - window.before;
      return Number(position >= -before && position < window.size + after);
    });
  }) as [number[], number[]];
  const share = windows.map((window, axis) =>
    Array.from({ length: window.count }, (_, place) => {
      const start = place * window.stride;
      const counted = ones[axis]?.slice(start, start + span(window)).reduce((sum, one) => sum + one, 0) ?? 0;
      return window.kernel / counted;
    }),
  );
  const [rows = [], columns = []] = share;
  const whole = [...rows, ...columns].every((factor) => factor === 1);
  if (whole) return new Held(tf, means, 'last');
  const factors = tf.mul(
    tf.tensor4d(rows, [1, rows.length, 1, 1]),
    tf.tensor4d(columns, [1, 1, columns.length, 1]),
  );
  return new Held(tf, tf.mul(means, factors), 'last');
};

export const windowOperations: Operations = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: maxPool,
  AveragePool: averagePool,
};
