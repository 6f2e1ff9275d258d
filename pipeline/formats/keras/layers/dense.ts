/** Dense layers, and flattening before them: the kernel's rows follow the graph's order of the flattened picture. */

import { type Float32Tensor, float, float32 } from '../../../network/graph.ts';
import { LayerProblem } from '../settings.ts';
import { asSeen, flatOrder, type KerasTensor, shapeText } from '../tensor.ts';
import { dataFormat, expectDims, onlyInput, type WriteLayer } from './layer.ts';

function rowsInOrder({ dims, data }: Float32Tensor, order: Int32Array): Float32Tensor {
  const units = dims[1] ?? 0;
  const moved = new Float32Array(data.length);
  order.forEach((row, at) => {
    moved.set(data.subarray(row * units, (row + 1) * units), at * units);
  });
  return float32(dims, moved);
}

export const dense: WriteLayer = (call) => {
  const { build, settings } = call;
  const given = onlyInput(call);
  const input = given.order === 'nchw' ? asSeen(build, given) : given;
  const units = settings.whole('units');
  const length = input.shape.at(-1);
  if (length === undefined || length === null) throw new LayerProblem('the length of its input is not known');
  const [stored, bias] = call.weights(settings.flag('use_bias', true) ? 2 : 1);
  expectDims(stored, 'kernel', [length, units]);
  if (bias !== undefined) expectDims(bias, 'bias', [units]);
  const { order, flattened } = input;
  const kernel = call.constant('kernel', () =>
    order === 'flat' && flattened !== undefined
      ? rowsInOrder(stored as Float32Tensor, flatOrder(flattened))
      : (stored as Float32Tensor),
  );
  const biases = bias === undefined ? [] : [call.constant('bias', () => bias)];
  const shape = [...input.shape.slice(0, -1), units];
  if (input.shape.length === 1) {
    const value = build.add('Gemm', [input.value, kernel, ...biases], { alpha: float(1) }, call.name);
    return { value, shape, order: 'same' };
  }
  const product = build.add('MatMul', [input.value, kernel], {}, bias === undefined ? call.name : undefined);
  const value = bias === undefined ? product : build.add('Add', [product, ...biases], {}, call.name);
  return { value, shape, order: 'same' };
};

export const flatten: WriteLayer = (call) => {
  const input = onlyInput(call);
  const { build, settings } = call;
  if (input.shape.length === 1) return input;
  if (input.shape.some((dim) => dim === null)) {
    throw new LayerProblem(`it flattens a tensor of shape [${shapeText(input.shape)}], whose length is free`);
  }
  const [a = 1, b = 1, c = 1] = input.shape as number[];
  const length = (input.shape as number[]).reduce((product, dim) => product * dim, 1);
  const value = build.add('Flatten', [input.value], {}, call.name);
  const flat = (flattened: [number, number, number]): KerasTensor =>
    flattened[0] * flattened[1] === 1 || flattened[2] === 1
      ? { value, shape: [length], order: 'same' }
      : { value, shape: [length], order: 'flat', flattened };
  if (input.order === 'nchw') return flat([a, b, c]);
  // Keras 2 and later put the channels last before they flatten a picture that has them first.
  if (input.shape.length === 3 && dataFormat(settings) === 'channels_first') return flat([b, c, a]);
  return { value, shape: [length], order: 'same' };
};
