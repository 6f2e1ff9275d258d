/** Products of matrices, sums and other reductions, and what normalises by them. */

import type { Tensor } from '@tensorflow/tfjs-core';
import { axisOf } from '../../../network/adjoint/rule.ts';
import { floatOf, intOf, intsOf, size } from '../../../network/graph.ts';
import { Held, placeOf } from '../held.ts';
import { type Call, inOrder, input, numbersOf, type Operation, type Operations } from '../operation.ts';
import type { TensorFlow } from '../package.ts';

type Reduce = (tf: TensorFlow, x: Tensor, axes: number[], keep: boolean) => Tensor;

/** Axes are an attribute or, in later operator sets, an input; none are all. */
const reduction =
  (write: Reduce): Operation =>
  (call) => {
    const { tf, node } = call;
    const x = input(call);
    const keep = intOf(node, 'keepdims', 1) === 1;
    const given = intsOf(node, 'axes') ?? numbersOf(call, 1);
    if (given === undefined && intOf(node, 'noop_with_empty_axes', 0) === 1) {
      return new Held(tf, tf.clone(x.in(x.order)), x.order);
    }
    const axes = (given ?? x.dims.map((_, axis) => axis)).map((axis) => axisOf(axis, x.dims.length));
    if (!keep) return new Held(tf, write(tf, x.first, axes, false));
    return inOrder(call, (tensor, order) =>
      write(
        tf,
        tensor,
        axes.map((axis) => placeOf(axis, order)),
        true,
      ),
    );
  };

const global =
  (write: Reduce): Operation =>
  (call) =>
    inOrder(call, (tensor, order) => {
      const axes = tensor.shape.map((_, axis) => axis).slice(order === 'last' ? 1 : 2);
      return write(call.tf, tensor, order === 'last' ? axes.slice(0, -1) : axes, true);
    });

/** A list of one number a channel, for values of this rank with channels on axis 1. */
const perChannel = ({ tf }: Call, held: Held, rank: number): Tensor =>
  held.form(`channel ${rank}`, (first) =>
    tf.reshape(first, [1, -1, ...new Array<number>(Math.max(rank - 2, 0)).fill(1)]),
  );

/** (x - mean) / √(variance + ε) over the axes. */
function normalised(tf: TensorFlow, x: Tensor, axes: number[], epsilon: number): Tensor {
  const away = tf.sub(x, tf.mean(x, axes, true));
  const variance = tf.mean(tf.square(away), axes, true);
  return tf.div(away, tf.sqrt(tf.add(variance, epsilon)));
}

export const algebraOperations: Operations = {
  MatMul: (call) => {
    const [a, b] = [input(call), input(call, 1)];
    if (a.dims.length < 2 || b.dims.length < 2) return call.refuse('one side is a vector');
    const rank = Math.max(a.dims.length, b.dims.length);
    const [rowsOf, columnsOf] = [a, b].map(({ dims }) =>
      [...new Array<number>(rank - dims.length).fill(1), ...dims].slice(0, -2),
    ) as [number[], number[]];
    const outer = rowsOf.map((side, axis) => Math.max(side, columnsOf[axis] as number));
    /** TensorFlow.js repeats one matrix for all of the other side, but matrices along some axes not as ONNX does. */
    const repeated = (held: Held, own: readonly number[]): Tensor => {
      const shaped = held.form(`outer ${own}`, (first) =>
        call.tf.reshape(first, [...own, ...held.dims.slice(-2)]),
      );
      const whole = own.join() === outer.join() || size(own) === 1;
      return whole ? shaped : call.tf.broadcastTo(shaped, [...outer, ...held.dims.slice(-2)]);
    };
    return new Held(call.tf, call.tf.matMul(repeated(a, rowsOf), repeated(b, columnsOf)));
  },
  Gemm: (call) => {
    const { tf, node } = call;
    const [alpha, beta] = [floatOf(node, 'alpha', 1), floatOf(node, 'beta', 1)];
    const [transA, transB] = [intOf(node, 'transA', 0) === 1, intOf(node, 'transB', 0) === 1];
    const product = tf.matMul(input(call).first, input(call, 1).first, transA, transB);
    const scaled = alpha === 1 ? product : tf.mul(product, alpha);
    const bias = call.inputs[2]?.first;
    if (bias === undefined) return new Held(tf, scaled);
    return new Held(tf, tf.add(scaled, beta === 1 ? bias : tf.mul(bias, beta)));
  },

  ReduceSum: reduction((tf, x, axes, keep) => tf.sum(x, axes, keep)),
  ReduceMean: reduction((tf, x, axes, keep) => tf.mean(x, axes, keep)),
  ReduceMax: reduction((tf, x, axes, keep) => tf.max(x, axes, keep)),
  ReduceMin: reduction((tf, x, axes, keep) => tf.min(x, axes, keep)),
  ReduceL2: reduction((tf, x, axes, keep) => tf.sqrt(tf.sum(tf.square(x), axes, keep))),
  GlobalAveragePool: global((tf, x, axes, keep) => tf.mean(x, axes, keep)),
  GlobalMaxPool: global((tf, x, axes, keep) => tf.max(x, axes, keep)),

  Softmax: (call) =>
    inOrder(call, (x, order) => {
      const { tf } = call;
      const axis = placeOf(axisOf(intOf(call.node, 'axis', -1), x.shape.length), order);
      const powers = tf.exp(tf.sub(x, tf.max(x, axis, true)));
      return tf.div(powers, tf.sum(powers, axis, true));
    }),
  BatchNormalization: (call) => {
    const { tf, node } = call;
    const rank = input(call).dims.length;
    const epsilon = floatOf(node, 'epsilon', 1e-5);
    return inOrder(call, (x, order) => {
      // [C] is broadcast along the last axis as it is.
      const [scale, bias, mean, variance] = [1, 2, 3, 4].map((index) => {
        const held = input(call, index);
        return order === 'last' ? held.first : perChannel(call, held, rank);
      }) as [Tensor, Tensor, Tensor, Tensor];
      const factor = tf.div(scale, tf.sqrt(tf.add(variance, epsilon)));
      return tf.add(tf.mul(tf.sub(x, mean), factor), bias);
    });
  },
  InstanceNormalization: (call) => {
    const { tf, node } = call;
    const { first, dims } = input(call);
    const axes = dims.map((_, axis) => axis).slice(2);
    const own = normalised(tf, first, axes, floatOf(node, 'epsilon', 1e-5));
    const scaled = tf.mul(own, perChannel(call, input(call, 1), dims.length));
    return new Held(tf, tf.add(scaled, perChannel(call, input(call, 2), dims.length)));
  },
  LayerNormalization: (call) => {
    const { tf, node } = call;
    const { first, dims } = input(call);
    const from = axisOf(intOf(node, 'axis', -1), dims.length);
    const axes = dims.map((_, axis) => axis).slice(from);
    const own = normalised(tf, first, axes, floatOf(node, 'epsilon', 1e-5));
    const scaled = tf.mul(own, input(call, 1).first);
    const bias = call.inputs[2];
    return new Held(tf, bias === undefined ? scaled : tf.add(scaled, bias.first));
  },
};
