/** Pooling: the largest or the mean of each window, or of the whole map. */

import { ints } from '../../../network/graph.ts';
import { asPicture, fromPicture, type KerasTensor } from '../tensor.ts';
import { paddingAttributes, slidPicture } from './convolution.ts';
import { dataFormat, type LayerCall, onlyInput, type WriteLayer } from './layer.ts';

const pool =
  (op: 'MaxPool' | 'AveragePool'): WriteLayer =>
  (call) => {
    const { build, settings } = call;
    const format = dataFormat(settings);
    const picture = asPicture(build, onlyInput(call), format);
    const kernel = settings.pair('pool_size', [2, 2]);
    const strides = settings.has('strides') ? settings.pair('strides') : kernel;
    const padding = settings.text('padding', 'valid');
    const pads = paddingAttributes(padding, kernel, strides, [1, 1]);
    const attributes = { kernel_shape: ints(kernel), strides: ints(strides), ...pads };
    const value = build.add(op, [picture.value], attributes, call.name);
    const map = slidPicture(picture, padding, kernel, strides, [1, 1]);
    return fromPicture({ value, channels: picture.channels, ...map }, format);
  };

export const maxPooling2d = pool('MaxPool');
export const averagePooling2d = pool('AveragePool');

const globalPool =
  (op: 'GlobalMaxPool' | 'GlobalAveragePool'): WriteLayer =>
  (call: LayerCall): KerasTensor => {
    const { build, settings } = call;
    const format = dataFormat(settings);
    const picture = asPicture(build, onlyInput(call), format);
    if (settings.flag('keepdims', false)) {
      const value = build.add(op, [picture.value], {}, call.name);
      return fromPicture({ value, channels: picture.channels, height: 1, width: 1 }, format);
    }
    const pooled = build.add(op, [picture.value]);
    const value = build.add('Flatten', [pooled], {}, call.name);
    return { value, shape: [picture.channels], order: 'same' };
  };

export const globalMaxPooling2d = globalPool('GlobalMaxPool');
export const globalAveragePooling2d = globalPool('GlobalAveragePool');
