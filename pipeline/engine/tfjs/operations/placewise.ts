/** Operations that compute every value from those at its own place. */

import type { Tensor } from '@tensorflow/tfjs-core';
import { floatOf, intOf, type Node, textOf } from '../../../network/graph.ts';
import { input, type Operation, type Operations, placewise } from '../operation.ts';
import type { TensorFlow } from '../package.ts';

type Function1 = (tf: TensorFlow, x: Tensor, node: Node) => Tensor;
type Function2 = (tf: TensorFlow, a: Tensor, b: Tensor) => Tensor;

const unary =
  (write: Function1): Operation =>
  (call) =>
    placewise({ ...call, inputs: [input(call)] }, (x) => write(call.tf, x as Tensor, call.node));

/** Of two inputs or more. */
const folded =
  (write: Function2): Operation =>
  (call) =>
    placewise(call, (...tensors) => tensors.reduce((a, b) => write(call.tf, a, b)));

/** Numbers for the comparisons, which TensorFlow makes of equal types alone. */
const step = (tf: TensorFlow, x: Tensor): Tensor => tf.cast(tf.greater(x, 0), 'float32');

/** √(2 / π), √½. */
const [sqrt2OverPi, sqrtHalf] = [Math.sqrt(2 / Math.PI), Math.SQRT1_2];

/** ONNX's numbers for data types. */
const casts: Readonly<Record<number, 'float32' | 'int32' | 'bool'>> = {
  1: 'float32',
  6: 'int32',
  7: 'int32',
  9: 'bool',
};

export const placewiseOperations: Operations = {
  Abs: unary((tf, x) => tf.abs(x)),
  Ceil: unary((tf, x) => tf.ceil(x)),
  Cos: unary((tf, x) => tf.cos(x)),
  Elu: unary((tf, x, node) => {
    const below = tf.mul(tf.expm1(tf.minimum(x, 0)), floatOf(node, 'alpha', 1));
    return tf.add(tf.relu(x), below);
  }),
  Erf: unary((tf, x) => tf.erf(x)),
  Exp: unary((tf, x) => tf.exp(x)),
  Floor: unary((tf, x) => tf.floor(x)),
  Gelu: unary((tf, x, node) => {
    const inner =
      textOf(node, 'approximate', 'none') === 'tanh'
        ? tf.tanh(tf.mul(tf.add(x, tf.mul(tf.mul(x, tf.mul(x, x)), 0.044715)), sqrt2OverPi))
        : tf.erf(tf.mul(x, sqrtHalf));
    return tf.mul(tf.mul(x, 0.5), tf.add(inner, 1));
  }),
  HardSigmoid: unary((tf, x, node) =>
    tf.clipByValue(tf.add(tf.mul(x, floatOf(node, 'alpha', 0.2)), floatOf(node, 'beta', 0.5)), 0, 1),
  ),
  HardSwish: unary((tf, x) => tf.mul(x, tf.clipByValue(tf.add(tf.mul(x, 1 / 6), 0.5), 0, 1))),
  Identity: unary((tf, x) => tf.clone(x)),
  LeakyRelu: unary((tf, x, node) => tf.leakyRelu(x, floatOf(node, 'alpha', 0.01))),
  Log: unary((tf, x) => tf.log(x)),
  Mish: unary((tf, x) => tf.mul(x, tf.tanh(tf.softplus(x)))),
  Neg: unary((tf, x) => tf.neg(x)),
  Not: unary((tf, x) => tf.logicalNot(x)),
  Reciprocal: unary((tf, x) => tf.reciprocal(x)),
  Relu: unary((tf, x) => tf.relu(x)),
  Round: unary((tf, x) => tf.round(x)),
  Sigmoid: unary((tf, x) => tf.sigmoid(x)),
  Sin: unary((tf, x) => tf.sin(x)),
  Softplus: unary((tf, x) => tf.softplus(x)),
  Sqrt: unary((tf, x) => tf.sqrt(x)),
  Tanh: unary((tf, x) => tf.tanh(x)),
  ThresholdedRelu: unary((tf, x, node) => tf.mul(x, step(tf, tf.sub(x, floatOf(node, 'alpha', 1))))),
  Cast: (call) => {
    const to = casts[intOf(call.node, 'to', 1)] ?? call.refuse('TensorFlow.js has no such type');
    return unary((tf, x) => tf.cast(x, to))(call);
  },

  Add: folded((tf, a, b) => tf.add(a, b)),
  Sub: folded((tf, a, b) => tf.sub(a, b)),
  Mul: folded((tf, a, b) => tf.mul(a, b)),
  Div: folded((tf, a, b) => tf.div(a, b)),
  Pow: folded((tf, a, b) => tf.pow(a, b)),
  Max: folded((tf, a, b) => tf.maximum(a, b)),
  Min: folded((tf, a, b) => tf.minimum(a, b)),
  PRelu: folded((tf, x, slope) => tf.add(tf.relu(x), tf.mul(tf.minimum(x, 0), slope))),
  Equal: folded((tf, a, b) => tf.equal(a, b)),
  Greater: folded((tf, a, b) => tf.greater(a, b)),
  GreaterOrEqual: folded((tf, a, b) => tf.greaterEqual(a, b)),
  Less: folded((tf, a, b) => tf.less(a, b)),
  LessOrEqual: folded((tf, a, b) => tf.lessEqual(a, b)),
  And: folded((tf, a, b) => tf.logicalAnd(a, b)),
  Or: folded((tf, a, b) => tf.logicalOr(a, b)),

  Clip: (call) => {
    const [x, low, high] = call.inputs;
    const { tf } = call;
    const above =
      low === undefined
        ? x
        : placewise({ ...call, inputs: [x, low] }, (a, b) => tf.maximum(a as Tensor, b as Tensor));
    if (high === undefined) return above ?? call.refuse('its input is missing');
    const clipped = placewise({ ...call, inputs: [above, high] }, (a, b) =>
      tf.minimum(a as Tensor, b as Tensor),
    );
    if (above !== x) above?.dispose();
    return clipped;
  },
  Where: (call) =>
    placewise(call, (condition, a, b) => call.tf.where(condition as Tensor, a as Tensor, b as Tensor)),
};
