/**
 * Every Keras layer class that is known, by its Keras 3 name, and operations that stand outside of layers: Keras' own
 * (`ops.`) and TensorFlow's (`tf.`). A new one is a function and a row.
 */

import * as activation from './layers/activation.ts';
import * as convolution from './layers/convolution.ts';
import { dense, flatten } from './layers/dense.ts';
import type { LayerRow, WriteLayer } from './layers/layer.ts';
import * as merging from './layers/merging.ts';
import * as normalisation from './layers/normalisation.ts';
import { nothing } from './layers/nothing.ts';
import * as operation from './layers/operation.ts';
import * as pooling from './layers/pooling.ts';
import * as shape from './layers/shape.ts';

const conv = (write: WriteLayer): LayerRow => ({ kind: 'conv', write });
const other = (write: WriteLayer): LayerRow => ({ kind: 'other', write });

export const layerTable: Readonly<Record<string, LayerRow>> = {
  Conv2D: conv(convolution.conv2d),
  DepthwiseConv2D: conv(convolution.depthwiseConv2d),
  SeparableConv2D: conv(convolution.separableConv2d),
  Conv2DTranspose: conv(convolution.conv2dTranspose),

  Dense: { kind: 'dense', write: dense },
  Flatten: other(flatten),
  Reshape: other(shape.reshape),
  Permute: other(shape.permute),

  Add: other(merging.add),
  Subtract: other(merging.subtract),
  Multiply: other(merging.multiply),
  Average: other(merging.average),
  Maximum: other(merging.maximum),
  Minimum: other(merging.minimum),
  Concatenate: other(merging.concatenate),
  Merge: other(merging.merge),

  ZeroPadding2D: other(shape.zeroPadding2d),
  Cropping2D: other(shape.cropping2d),
  UpSampling2D: other(shape.upSampling2d),
  Resizing: other(shape.resizing2d),

  MaxPooling2D: other(pooling.maxPooling2d),
  AveragePooling2D: other(pooling.averagePooling2d),
  GlobalMaxPooling2D: other(pooling.globalMaxPooling2d),
  GlobalAveragePooling2D: other(pooling.globalAveragePooling2d),

  Activation: other(activation.activation),
  Softmax: other(activation.softmax),
  ReLU: other(activation.relu),
  LeakyReLU: other(activation.leakyRelu),
  PReLU: other(activation.prelu),
  ELU: other(activation.elu),
  ThresholdedReLU: other(activation.thresholdedRelu),

  BatchNormalization: other(normalisation.batchNormalization),
  Rescaling: other(normalisation.rescaling),
  Normalization: other(normalisation.normalization),
  LayerNormalization: other(normalisation.layerNormalization),
  GroupNormalization: other(normalisation.groupNormalization),

  LayerScale: other(normalisation.layerScale),

  'ops.Add': other(operation.add),
  'ops.Subtract': other(operation.subtract),
  'ops.Multiply': other(operation.multiply),
  'ops.Divide': other(operation.divide),
  'ops.TrueDivide': other(operation.divide),
  'ops.Maximum': other(operation.maximum),
  'ops.Minimum': other(operation.minimum),
  'ops.Power': other(operation.power),
  'ops.Mean': other(operation.mean),
  'ops.Max': other(operation.max),
  'ops.Relu': other(operation.unary('relu')),
  'ops.Relu6': other(operation.unary('relu6')),
  'ops.Elu': other(operation.unary('elu')),
  'ops.Selu': other(operation.unary('selu')),
  'ops.Gelu': other(operation.gelu),
  'ops.Silu': other(operation.unary('silu')),
  'ops.Softplus': other(operation.unary('softplus')),
  'ops.Sigmoid': other(operation.unary('sigmoid')),
  'ops.HardSigmoid': other(operation.unary('hard_sigmoid')),
  'ops.HardSilu': other(operation.unary('hard_silu')),
  'ops.Tanh': other(operation.unary('tanh')),
  'ops.Softmax': other(operation.unary('softmax')),

  'tf.Add': other(operation.withConstant('Add')),
  'tf.Subtract': other(operation.withConstant('Sub')),
  'tf.Multiply': other(operation.withConstant('Mul')),
  'tf.Divide': other(operation.withConstant('Div')),
  'tf.Maximum': other(operation.withConstant('Max')),
  'tf.Minimum': other(operation.withConstant('Min')),
  'tf.Power': other(operation.withConstant('Pow')),
  'tf.LRN': other(normalisation.localResponseNormalization),

  Dropout: other(nothing),
  StochasticDepth: other(nothing),
  Identity: other(nothing),
  SpatialDropout2D: other(nothing),
  AlphaDropout: other(nothing),
  GaussianDropout: other(nothing),
  GaussianNoise: other(nothing),
  ActivityRegularization: other(nothing),
  RandomFlip: other(nothing),
  RandomRotation: other(nothing),
  RandomZoom: other(nothing),
  RandomTranslation: other(nothing),
  RandomContrast: other(nothing),
  RandomBrightness: other(nothing),
};
