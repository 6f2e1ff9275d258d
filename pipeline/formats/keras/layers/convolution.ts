/** Convolutions: kernels go from Keras' [h, w, in, out] to the graph's [out, in, h, w] at load. */

import { type Attribute, type Float32Tensor, float32, int, ints, text } from '../../../network/graph.ts';
import { LayerProblem } from '../settings.ts';
import { asPicture, fromPicture, type Picture, type Size } from '../tensor.ts';
import { dataFormat, expectDims, type LayerCall, onlyInput, type WriteLayer } from './layer.ts';

type Pair = readonly [number, number];

/**
 * The padding attributes of a window that slides: explicit where `same` does not depend on the input's size, by rule
 * where it does. More goes to the end, as in TensorFlow.
 */
export function paddingAttributes(
  padding: string,
  kernel: Pair,
  strides: Pair,
  dilation: Pair,
): Record<string, Attribute> {
  if (padding === 'valid') return {};
  if (padding !== 'same') throw new LayerProblem(`its padding '${padding.slice(0, 40)}' is not known`);
  if (strides[0] !== 1 || strides[1] !== 1) return { auto_pad: text('SAME_UPPER') };
  const total = kernel.map((side, axis) => (side - 1) * (dilation[axis] ?? 1));
  if (total.every((sum) => sum === 0)) return {};
  const before = total.map((sum) => Math.floor(sum / 2));
  return { pads: ints([...before, ...total.map((sum, axis) => sum - (before[axis] ?? 0))]) };
}

/** The size of a map behind a sliding window. @throws LayerProblem if the window is larger than the map. */
export function slid(size: Size, padding: string, kernel: number, stride: number, dilation: number): Size {
  if (size === null) return null;
  if (padding === 'same') return Math.ceil(size / stride);
  const slid = Math.floor((size - (kernel - 1) * dilation - 1) / stride) + 1;
  if (slid < 1) throw new LayerProblem(`its window of ${kernel} does not fit a map of ${size}`);
  return slid;
}

/** Behind a sliding window, on both axes. */
export function slidPicture(
  picture: Picture,
  padding: string,
  kernel: Pair,
  strides: Pair,
  dilation: Pair,
): { height: Size; width: Size } {
  return {
    height: slid(picture.height, padding, kernel[0], strides[0], dilation[0]),
    width: slid(picture.width, padding, kernel[1], strides[1], dilation[1]),
  };
}

/** [h, w, a, b] ⇒ [b, a, h, w], as a copy. */
function hwioToOihw({ dims, data }: Float32Tensor): Float32Tensor {
  const [height = 0, width = 0, inputs = 0, outputs = 0] = dims;
  const moved = new Float32Array(data.length);
  const area = height * width;
  for (let position = 0; position < area; position++) {
    for (let i = 0; i < inputs; i++) {
      const from = (position * inputs + i) * outputs;
      const to = i * area + position;
      for (let o = 0; o < outputs; o++) moved[to + o * inputs * area] = data[from + o] as number;
    }
  }
  return float32([outputs, inputs, height, width], moved);
}

/** [h, w, in, multiplier] ⇒ [in · multiplier, 1, h, w]: one group a channel, its multiples side by side. */
function depthwiseKernel({ dims, data }: Float32Tensor): Float32Tensor {
  const [height = 0, width = 0, inputs = 0, multiplier = 0] = dims;
  const area = height * width;
  const moved = new Float32Array(data.length);
  for (let position = 0; position < area; position++) {
    for (let channel = 0; channel < inputs * multiplier; channel++) {
      moved[channel * area + position] = data[position * inputs * multiplier + channel] as number;
    }
  }
  return float32([inputs * multiplier, 1, height, width], moved);
}

/** Keras 1 with Theano's order of axes keeps kernels as [out, in, h, w]. */
function oihwToHwio({ dims, data }: Float32Tensor): Float32Tensor {
  const [outputs = 0, inputs = 0, height = 0, width = 0] = dims;
  const moved = new Float32Array(data.length);
  let at = 0;
  for (let position = 0; position < height * width; position++) {
    for (let i = 0; i < inputs; i++) {
      for (let o = 0; o < outputs; o++) {
        moved[at++] = data[(o * inputs + i) * height * width + position] as number;
      }
    }
  }
  return float32([height, width, inputs, outputs], moved);
}

function windowOf(call: LayerCall): { kernel: Pair; strides: Pair; dilation: Pair; padding: string } {
  const { settings } = call;
  return {
    kernel: settings.pair('kernel_size'),
    strides: settings.pair('strides', [1, 1]),
    dilation: settings.pair('dilation_rate', [1, 1]),
    padding: settings.text('padding', 'valid'),
  };
}

function attributesOf(window: ReturnType<typeof windowOf>, group: number): Record<string, Attribute> {
  const { kernel, strides, dilation, padding } = window;
  return {
    kernel_shape: ints(kernel),
    strides: ints(strides),
    dilations: ints(dilation),
    group: int(group),
    ...paddingAttributes(padding, kernel, strides, dilation),
  };
}

/** The bias as a list of at most one constant, to be put behind a node's other inputs. */
function biasInput(call: LayerCall, bias: Float32Tensor | undefined, units: number): string[] {
  if (bias === undefined) return [];
  expectDims(bias, 'bias', [units]);
  return [call.constant('bias', () => bias)];
}

export const conv2d: WriteLayer = (call) => {
  const { build, settings } = call;
  const format = dataFormat(settings);
  const picture = asPicture(build, onlyInput(call), format);
  const window = windowOf(call);
  const filters = settings.whole('filters');
  const groups = settings.whole('groups', 1);
  const [stored, bias] = call.weights(settings.flag('use_bias', true) ? 2 : 1);
  const theano = call.version === 1 && format === 'channels_first' && stored?.dims[0] === filters;
  const kernel = theano && stored !== undefined ? oihwToHwio(stored) : stored;
  expectDims(kernel, 'kernel', [...window.kernel, picture.channels / groups, filters]);
  const weight = call.constant('kernel', () => hwioToOihw(kernel as Float32Tensor));
  const inputs = [picture.value, weight, ...biasInput(call, bias, filters)];
  const value = build.add('Conv', inputs, attributesOf(window, groups), call.name);
  const { kernel: side, strides, dilation, padding } = window;
  const map = slidPicture(picture, padding, side, strides, dilation);
  return fromPicture({ value, channels: filters, ...map }, format);
};

export const depthwiseConv2d: WriteLayer = (call) => {
  const { build, settings } = call;
  const format = dataFormat(settings);
  const picture = asPicture(build, onlyInput(call), format);
  const window = windowOf(call);
  const multiplier = settings.whole('depth_multiplier', 1);
  const units = picture.channels * multiplier;
  const [kernel, bias] = call.weights(settings.flag('use_bias', true) ? 2 : 1);
  expectDims(kernel, 'kernel', [...window.kernel, picture.channels, multiplier]);
  const weight = call.constant('kernel', () => depthwiseKernel(kernel as Float32Tensor));
  const inputs = [picture.value, weight, ...biasInput(call, bias, units)];
  const value = build.add('Conv', inputs, attributesOf(window, picture.channels), call.name);
  const { kernel: side, strides, dilation, padding } = window;
  const map = slidPicture(picture, padding, side, strides, dilation);
  return fromPicture({ value, channels: units, ...map }, format);
};

export const separableConv2d: WriteLayer = (call) => {
  const { build, settings } = call;
  const format = dataFormat(settings);
  const picture = asPicture(build, onlyInput(call), format);
  const window = windowOf(call);
  const filters = settings.whole('filters');
  const between = picture.channels * settings.whole('depth_multiplier', 1);
  const [depthwise, pointwise, bias] = call.weights(settings.flag('use_bias', true) ? 3 : 2);
  expectDims(depthwise, 'depthwise kernel', [...window.kernel, picture.channels, between / picture.channels]);
  expectDims(pointwise, 'pointwise kernel', [1, 1, between, filters]);
  const deep = call.constant('depthwise', () => depthwiseKernel(depthwise as Float32Tensor));
  const spread = build.add(
    'Conv',
    [picture.value, deep],
    attributesOf(window, picture.channels),
    `${call.name}/depthwise`,
  );
  const point = call.constant('pointwise', () => hwioToOihw(pointwise as Float32Tensor));
  const inputs = [spread, point, ...biasInput(call, bias, filters)];
  const value = build.add('Conv', inputs, { kernel_shape: ints([1, 1]) }, call.name);
  const { kernel: side, strides, dilation, padding } = window;
  const map = slidPicture(picture, padding, side, strides, dilation);
  return fromPicture({ value, channels: filters, ...map }, format);
};

export const conv2dTranspose: WriteLayer = (call) => {
  const { build, settings } = call;
  const format = dataFormat(settings);
  const picture = asPicture(build, onlyInput(call), format);
  const { kernel: side, strides, dilation, padding } = windowOf(call);
  if (padding !== 'same' && padding !== 'valid') {
    throw new LayerProblem(`its padding '${padding.slice(0, 40)}' is not known`);
  }
  const filters = settings.whole('filters');
  const [kernel, bias] = call.weights(settings.flag('use_bias', true) ? 2 : 1);
  expectDims(kernel, 'kernel', [...side, filters, picture.channels]);
  const extra = settings.has('output_padding') ? settings.pair('output_padding', undefined, 0) : undefined;
  // Rows that the full transposed convolution gives beyond what Keras keeps (deconv_output_length); negative: adds.
  const surplus = side.map((length, axis) => {
    const reach = (length - 1) * (dilation[axis] ?? 1) + 1;
    const stride = strides[axis] ?? 1;
    const given = extra?.[axis];
    if (given !== undefined) return (padding === 'same' ? 2 * Math.floor(reach / 2) : 0) - given;
    return padding === 'same' ? reach - stride : Math.min(reach - stride, 0);
  });
  const before = surplus.map((rows) => Math.floor(Math.max(rows, 0) / 2));
  const after = surplus.map((rows, axis) => Math.max(rows, 0) - (before[axis] ?? 0));
  const weight = call.constant('kernel', () => hwioToOihw(kernel as Float32Tensor));
  const value = build.add(
    'ConvTranspose',
    [picture.value, weight, ...biasInput(call, bias, filters)],
    {
      kernel_shape: ints(side),
      strides: ints(strides),
      dilations: ints(dilation),
      pads: ints([...before, ...after]),
      output_padding: ints(surplus.map((rows) => Math.max(-rows, 0))),
    },
    call.name,
  );
  const grown = (size: Size, axis: 0 | 1): Size =>
    size === null
      ? null
      : (size - 1) * strides[axis] + (side[axis] - 1) * dilation[axis] + 1 - (surplus[axis] ?? 0);
  const map = { height: grown(picture.height, 0), width: grown(picture.width, 1) };
  return fromPicture({ value, channels: filters, ...map }, format);
};
