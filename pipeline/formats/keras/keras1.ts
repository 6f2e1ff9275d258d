/** Keras 1 and 2 settings under the names that Keras 3 gives them; what is already modern stays as it is. */

import type { Json, JsonObject } from '../json.ts';

const classes: Readonly<Record<string, string>> = {
  Convolution2D: 'Conv2D',
  AtrousConvolution2D: 'Conv2D',
  SeparableConvolution2D: 'SeparableConv2D',
  Deconvolution2D: 'Conv2DTranspose',
  Convolution2DTranspose: 'Conv2DTranspose',
  DepthwiseConvolution2D: 'DepthwiseConv2D',
  MaxPool2D: 'MaxPooling2D',
  AvgPool2D: 'AveragePooling2D',
  GlobalMaxPool2D: 'GlobalMaxPooling2D',
  GlobalAvgPool2D: 'GlobalAveragePooling2D',
  SpatialDropout: 'SpatialDropout2D',
  SyncBatchNormalization: 'BatchNormalization',
  BatchNormalizationV1: 'BatchNormalization',
  BatchNormalizationV2: 'BatchNormalization',
  MaxoutDense: 'MaxoutDense',
};

/** TensorFlow functions that Keras 2 keeps as layers, as the operations of Keras 3. */
const operations: Readonly<Record<string, string>> = {
  '__operators__.add': 'ops.Add',
  'math.add': 'ops.Add',
  'math.subtract': 'ops.Subtract',
  'math.multiply': 'ops.Multiply',
  'math.truediv': 'ops.Divide',
  'math.divide': 'ops.Divide',
  'math.maximum': 'ops.Maximum',
  'math.minimum': 'ops.Minimum',
  'math.pow': 'ops.Power',
  'math.reduce_mean': 'ops.Mean',
  'math.reduce_max': 'ops.Max',
  'nn.relu': 'ops.Relu',
  'nn.relu6': 'ops.Relu6',
  'nn.elu': 'ops.Elu',
  'nn.selu': 'ops.Selu',
  'nn.gelu': 'ops.Gelu',
  'nn.silu': 'ops.Silu',
  'nn.swish': 'ops.Silu',
  'nn.softplus': 'ops.Softplus',
  'nn.sigmoid': 'ops.Sigmoid',
  'math.sigmoid': 'ops.Sigmoid',
  'nn.tanh': 'ops.Tanh',
  'math.tanh': 'ops.Tanh',
  'nn.softmax': 'ops.Softmax',
};

const keys: Readonly<Record<string, string>> = {
  nb_filter: 'filters',
  subsample: 'strides',
  atrous_rate: 'dilation_rate',
  border_mode: 'padding',
  bias: 'use_bias',
  output_dim: 'units',
  p: 'rate',
  concat_axis: 'axis',
};

const values: Readonly<Record<string, string>> = { tf: 'channels_last', th: 'channels_first' };

/** The modern class name and settings of a layer that major version `version` of Keras wrote. */
export function modernised(
  className: string,
  config: JsonObject,
  version: number,
): { className: string; config: JsonObject } {
  const modern: Record<string, Json> = {};
  for (const [key, value] of Object.entries(config)) modern[keys[key] ?? key] = value;
  const ordering = modern['dim_ordering'];
  if (typeof ordering === 'string') modern['data_format'] = values[ordering] ?? ordering;
  if (modern['nb_row'] !== undefined)
    modern['kernel_size'] = [modern['nb_row'], modern['nb_col'] ?? modern['nb_row']];
  if (modern['batch_input_shape'] !== undefined) modern['batch_shape'] ??= modern['batch_input_shape'];
  if (typeof modern['batch_shape'] !== 'object' && Array.isArray(modern['input_shape'])) {
    modern['batch_shape'] = [null, ...(modern['input_shape'] as Json[])];
  }
  if (version < 3 && modern['activation'] === 'hard_sigmoid') modern['activation'] = 'hard_sigmoid_old';
  if (className === 'TFOpLambda') {
    return {
      className: operations[String(modern['function'])] ?? `${className} ${modern['function']}`,
      config: modern,
    };
  }
  return { className: classes[className] ?? className, config: modern };
}
