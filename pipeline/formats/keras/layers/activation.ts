/** Activation functions that are layers of their own. */

import { type Attribute, type Float32Tensor, float, float32 } from '../../../network/graph.ts';
import { activate, activationName } from '../activations.ts';
import { asSeen, graphAxis, type KerasTensor } from '../tensor.ts';
import { expectDims, type LayerCall, onlyInput, type WriteLayer } from './layer.ts';

const pointwise = (call: LayerCall, op: string, attributes: Record<string, Attribute>): KerasTensor => {
  const input = onlyInput(call);
  return { ...input, value: call.build.add(op, [input.value], attributes, call.name) };
};

export const activation: WriteLayer = (call) => {
  const name = activationName(call.settings.values['activation']);
  const given = onlyInput(call);
  const softmax = name === 'softmax' || name === 'log_softmax';
  const input = softmax && given.order === 'flat' ? asSeen(call.build, given) : given;
  const axis = softmax ? graphAxis(input, -1) : 1;
  return { ...input, value: activate(call.build, name, input.value, axis, call.name) };
};

export const softmax: WriteLayer = (call) => {
  const given = onlyInput(call);
  const input = given.order === 'flat' ? asSeen(call.build, given) : given;
  const axis = graphAxis(input, call.settings.has('axis') ? call.settings.number('axis') : -1);
  return { ...input, value: activate(call.build, 'softmax', input.value, axis, call.name) };
};

export const relu: WriteLayer = (call) => {
  const { build, settings } = call;
  const input = onlyInput(call);
  const most = settings.has('max_value') ? settings.number('max_value') : undefined;
  const slope = settings.number('negative_slope', 0);
  const threshold = settings.number('threshold', 0);
  if (threshold === 0 && slope === 0) {
    const value =
      most === undefined
        ? build.add('Relu', [input.value], {}, call.name)
        : build.add('Clip', [input.value, build.scalar(0), build.scalar(most)], {}, call.name);
    return { ...input, value };
  }
  // Keras: x from the threshold on, slope · (x − threshold) below it, then cut at the top.
  const shifted = threshold === 0 ? input.value : build.add('Sub', [input.value, build.scalar(threshold)]);
  let below = build.add('Min', [shifted, build.scalar(0)]);
  below = build.add('Mul', [below, build.scalar(slope)]);
  let above = build.add('Relu', [shifted]);
  if (threshold !== 0) {
    const on = build.add('Greater', [shifted, build.scalar(0)]);
    above = build.add('Where', [on, input.value, build.scalar(0)]);
  }
  if (most !== undefined) above = build.add('Min', [above, build.scalar(most)]);
  return { ...input, value: build.add('Add', [above, below], {}, call.name) };
};

export const leakyRelu: WriteLayer = (call) => {
  const { settings } = call;
  const slope = settings.has('negative_slope')
    ? settings.number('negative_slope')
    : settings.number('alpha', 0.3);
  return pointwise(call, 'LeakyRelu', { alpha: float(slope) });
};

export const elu: WriteLayer = (call) =>
  pointwise(call, 'Elu', { alpha: float(call.settings.number('alpha', 1)) });

export const thresholdedRelu: WriteLayer = (call) =>
  pointwise(call, 'ThresholdedRelu', { alpha: float(call.settings.number('theta', 1)) });

export const prelu: WriteLayer = (call) => {
  const input = onlyInput(call);
  const seen = input.order === 'flat' ? asSeen(call.build, input) : input;
  const [alpha] = call.weights(1);
  const shape = seen.shape.map((dim, axis) => (alpha?.dims[axis] === 1 ? 1 : (dim ?? -1)));
  expectDims(alpha, 'slope', shape);
  const slope = call.constant('slope', () =>
    seen.order === 'nchw' ? hwcToChw(alpha as Float32Tensor) : (alpha as Float32Tensor),
  );
  return { ...seen, value: call.build.add('PRelu', [seen.value, slope], {}, call.name) };
};

function hwcToChw({ dims, data }: Float32Tensor): Float32Tensor {
  const [height = 1, width = 1, channels = 1] = dims;
  const moved = new Float32Array(data.length);
  for (let position = 0; position < height * width; position++) {
    for (let c = 0; c < channels; c++) {
      moved[c * height * width + position] = data[position * channels + c] as number;
    }
  }
  return float32([channels, height, width], moved);
}
