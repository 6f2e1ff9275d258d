/** Normalisation by constants: batch statistics that training left behind, and scalings of the input. */

import { type Float32Tensor, float, float32, int, ints } from '../../../network/graph.ts';
import { LayerProblem } from '../settings.ts';
import { asPicture, asSeen, fromPicture, graphAxis, type KerasTensor } from '../tensor.ts';
import { expectDims, type LayerCall, onlyInput, type WriteLayer } from './layer.ts';

const filled = (length: number, value: number): Float32Tensor =>
  float32([length], new Float32Array(length).fill(value));

export const batchNormalization: WriteLayer = (call) => {
  const { build, settings } = call;
  const given = onlyInput(call);
  const input = given.order === 'flat' ? asSeen(build, given) : given;
  const stated = settings.values['axis'];
  const seen = Array.isArray(stated) ? Number(stated[0]) : settings.number('axis', -1);
  const axis = graphAxis(input, seen);
  const channels = input.shape[(seen < 0 ? seen + input.shape.length + 1 : seen) - 1];
  if (channels === undefined || channels === null)
    throw new LayerProblem('its number of channels is not known');
  const scaled = settings.flag('scale', true);
  const centred = settings.flag('center', true);
  const stored = [...call.weights(2 + Number(scaled) + Number(centred))];
  const gamma = scaled ? stored.shift() : filled(channels, 1);
  const beta = centred ? stored.shift() : filled(channels, 0);
  const [mean, variance] = stored;
  const parts = { gamma, beta, mean, variance };
  for (const [role, part] of Object.entries(parts)) expectDims(part, role, [channels]);
  const epsilon = settings.number('epsilon', 1e-3);
  if (axis === 1) {
    const constants = Object.entries(parts).map(([role, part]) =>
      call.constant(role, () => part as Float32Tensor),
    );
    const attributes = { epsilon: float(epsilon) };
    const value = build.add('BatchNormalization', [input.value, ...constants], attributes, call.name);
    return { ...input, value };
  }
  const factor = Float32Array.from(
    variance?.data ?? [],
    (value, c) => (gamma?.data[c] ?? 1) / Math.sqrt(value + epsilon),
  );
  const offset = factor.map((value, c) => (beta?.data[c] ?? 0) - (mean?.data[c] ?? 0) * value);
  const rank = input.shape.length + 1;
  return affine(call, input, broadcast(factor, axis, rank), broadcast(offset, axis, rank));
};

/** Mean and deviation over the channels of each place; Ba, Kiros and Hinton, "Layer Normalization". */
export const layerNormalization: WriteLayer = (call) => {
  const { build, settings } = call;
  const given = onlyInput(call);
  const input = given.order === 'flat' ? asSeen(build, given) : given;
  const stated = settings.values['axis'];
  const seen = Array.isArray(stated) && stated.length === 1 ? Number(stated[0]) : settings.number('axis', -1);
  const axis = graphAxis(input, seen);
  const channels = input.shape[(seen < 0 ? seen + input.shape.length + 1 : seen) - 1];
  if (channels === undefined || channels === null)
    throw new LayerProblem('its number of channels is not known');
  if (settings.flag('rms_scaling', false))
    throw new LayerProblem("its setting 'rms_scaling' is not supported");
  const over = { axes: ints([axis]), keepdims: int(1) };
  const centred = build.add('Sub', [input.value, build.add('ReduceMean', [input.value], over)]);
  const variance = build.add('ReduceMean', [build.add('Mul', [centred, centred])], over);
  const epsilon = build.scalar(settings.number('epsilon', 1e-3));
  const deviation = build.add('Sqrt', [build.add('Add', [variance, epsilon])]);
  const value = build.add('Div', [centred, deviation]);
  return scaledAndShifted(call, { ...input, value }, axis, channels);
};

/** Mean and deviation over groups of channels and all places; Wu and He, "Group Normalization". */
export const groupNormalization: WriteLayer = (call) => {
  const { build, settings } = call;
  const input = onlyInput(call);
  const axis = graphAxis(input, settings.number('axis', -1));
  const channels = input.order === 'nchw' ? input.shape[2] : input.shape[0];
  if (axis !== 1 || input.shape.length !== 3 || channels === undefined || channels === null) {
    throw new LayerProblem('it is supported along the channels of pictures only');
  }
  const groups = settings.whole('groups', 32, -1);
  const count = groups === -1 ? channels : groups;
  if (count < 1 || channels % count !== 0) {
    throw new LayerProblem(`its ${groups} groups do not divide ${channels} channels`);
  }
  const grouped = build.add('Reshape', [input.value, build.shape([0, count, -1])]);
  const ones = build.constant(filled(count, 1));
  const zeros = build.constant(filled(count, 0));
  const epsilon = { epsilon: float(settings.number('epsilon', 1e-3)) };
  const normal = build.add('InstanceNormalization', [grouped, ones, zeros], epsilon);
  const value = build.add('Reshape', [normal, build.add('Shape', [input.value])]);
  return scaledAndShifted(call, { ...input, value }, axis, channels);
};

/** gamma · x + beta along an axis, as far as the layer has these. */
function scaledAndShifted(call: LayerCall, input: KerasTensor, axis: number, channels: number): KerasTensor {
  const { build, settings } = call;
  const scaled = settings.flag('scale', true);
  const centred = settings.flag('center', true);
  const stored = [...call.weights(Number(scaled) + Number(centred))];
  const rank = input.shape.length + 1;
  const constant = (role: string): string => {
    const tensor = stored.shift();
    expectDims(tensor, role, [channels]);
    return call.constant(role, () => broadcast((tensor as Float32Tensor).data, axis, rank));
  };
  let value = input.value;
  if (scaled) value = build.add('Mul', [value, constant('gamma')], {}, centred ? undefined : call.name);
  if (centred) value = build.add('Add', [value, constant('beta')], {}, call.name);
  return { ...input, value };
}

/** One number a place of `axis`, shaped so that it spreads over the axes behind it. */
function broadcast(data: Float32Array, axis: number, rank: number): Float32Tensor {
  return float32([data.length, ...Array.from({ length: rank - 1 - axis }, () => 1)], data);
}

function affine(
  call: LayerCall,
  input: KerasTensor,
  factor: Float32Tensor,
  offset: Float32Tensor,
): KerasTensor {
  const { build } = call;
  const factors = call.constant('factor', () => factor);
  const offsets = call.constant('offset', () => offset);
  const product = build.add('Mul', [input.value, factors]);
  return { ...input, value: build.add('Add', [product, offsets], {}, call.name) };
}

/** Numbers from a setting that is one number or (nested) lists of them. */
function numbersOf(call: LayerCall, key: string, fallback?: number): Float32Array {
  const value = call.settings.values[key] ?? fallback;
  const list: unknown[] = Array.isArray(value) ? value.flat(8) : [value];
  if (list.length === 0 || list.length > 65_536 || !list.every((part) => typeof part === 'number')) {
    throw new LayerProblem(`its '${key}' is neither a number nor a list of numbers`);
  }
  return Float32Array.from(list as number[]);
}

/** Spreads one number, or one a place of the last axis that Keras sees, over the graph's axes. */
export function alongLast(input: KerasTensor, data: Float32Array): Float32Tensor {
  if (data.length === 1) return float32([], data);
  expectDims(float32([data.length], data), 'list of numbers', [input.shape.at(-1) ?? -1]);
  return broadcast(data, graphAxis(input, -1), input.shape.length + 1);
}

export const rescaling: WriteLayer = (call) => {
  const given = onlyInput(call);
  const input = given.order === 'flat' ? asSeen(call.build, given) : given;
  const scale = alongLast(input, numbersOf(call, 'scale'));
  const offset = alongLast(input, numbersOf(call, 'offset', 0));
  return affine(call, input, scale, offset);
};

/** (x − mean) / max(√variance, 1e-7), or back; the numbers are settings or, when adapted to data, weights. */
export const normalization: WriteLayer = (call) => {
  const given = onlyInput(call);
  const input = given.order === 'flat' ? asSeen(call.build, given) : given;
  const fixed = call.settings.has('mean');
  const [mean, variance] = fixed
    ? [numbersOf(call, 'mean'), numbersOf(call, 'variance')]
    : call.weights(3).map((tensor) => tensor.data);
  if (mean === undefined || variance === undefined || mean.length !== variance.length) {
    throw new LayerProblem('its mean and its variance do not fit together');
  }
  const deviation = Float32Array.from(variance, (value) => Math.max(Math.sqrt(value), 1e-7));
  const invert = call.settings.flag('invert', false);
  const factor = deviation.map((value) => (invert ? value : 1 / value));
  const offset = mean.map((value, at) => (invert ? value : -value * (factor[at] ?? 1)));
  return affine(call, input, alongLast(input, factor), alongLast(input, offset));
};

/** ConvNeXt's factor of each channel. */
export const layerScale: WriteLayer = (call) => {
  const given = onlyInput(call);
  const input = given.order === 'flat' ? asSeen(call.build, given) : given;
  const [gamma] = call.weights(1);
  const factor = call.constant('gamma', () => alongLast(input, (gamma as Float32Tensor).data));
  return { ...input, value: call.build.add('Mul', [input.value, factor], {}, call.name) };
};

/**
 * Across channels; Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks". TensorFlow
 * counts alpha for one channel, ONNX for all of the window.
 */
export const localResponseNormalization: WriteLayer = (call) => {
  const { build, settings } = call;
  const picture = asPicture(build, onlyInput(call), 'channels_last');
  const channels = 2 * settings.whole('depth_radius', 5, 0) + 1;
  const attributes = {
    size: int(channels),
    alpha: float(settings.number('alpha', 1) * channels),
    beta: float(settings.number('beta', 0.5)),
    bias: float(settings.number('bias', 1)),
  };
  const value = build.add('LRN', [picture.value], attributes, call.name);
  return fromPicture({ ...picture, value }, 'channels_last');
};
