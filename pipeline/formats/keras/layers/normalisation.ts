/** Normalisation by constants: batch statistics that training left behind, and scalings of the input. */

import { type Float32Tensor, float, float32 } from '../../../network/graph.ts';
import { LayerProblem } from '../settings.ts';
import { asSeen, graphAxis, type KerasTensor } from '../tensor.ts';
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
function alongLast(input: KerasTensor, data: Float32Array): Float32Tensor {
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
