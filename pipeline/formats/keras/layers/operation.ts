/** Operations on tensors that a model calls outside of any layer, as in `x * 2 + y`. */

import { int, ints } from '../../../network/graph.ts';
import { isObject, type Json } from '../../json.ts';
import { activate } from '../activations.ts';
import { LayerProblem } from '../settings.ts';
import { asSeen, graphAxis, type KerasTensor } from '../tensor.ts';
import { type LayerCall, onlyInput, type WriteLayer } from './layer.ts';
import * as merging from './merging.ts';
import { alongLast } from './normalisation.ts';

/** Two operands, of which one may be a number. */
const binary =
  (op: string, ofTensors: WriteLayer): WriteLayer =>
  (call) => {
    const { build, operands, inputs, name } = call;
    if (operands.length !== 2) throw new LayerProblem(`it takes two operands, but gets ${operands.length}`);
    if (inputs.length === 2) return ofTensors(call);
    const input = onlyInput(call);
    const values = operands.map((operand) => (operand === null ? input.value : build.scalar(operand)));
    return { ...input, value: build.add(op, values, {}, name) };
  };

export const add = binary('Add', merging.add);
export const subtract = binary('Sub', merging.subtract);
export const multiply = binary('Mul', merging.multiply);
export const divide = binary('Div', merging.divide);
export const maximum = binary('Max', merging.maximum);
export const minimum = binary('Min', merging.minimum);
export const power = binary('Pow', merging.power);

/** One operand is a constant with one number a channel; its place among the operands is that which is no tensor. */
export const withConstant =
  (op: string): WriteLayer =>
  (call) => {
    const { build, operands, name } = call;
    const given = onlyInput(call);
    const input = given.order === 'flat' ? asSeen(build, given) : given;
    const [stored] = call.weights(1);
    const data = stored?.data ?? new Float32Array();
    if (stored?.dims.some((dim) => dim !== 1 && dim !== data.length)) {
      throw new LayerProblem(
        `its constant has the shape [${stored.dims.join(', ')}], not one number a channel`,
      );
    }
    const constant = call.constant('constant', () => alongLast(input, data));
    const values = operands.map((operand) => (operand === null ? input.value : constant));
    return { ...input, value: build.add(op, values, {}, name) };
  };

/** An activation function by its Keras name. */
export const unary =
  (activation: string): WriteLayer =>
  (call) => {
    const given = onlyInput(call);
    const input = activation === 'softmax' && given.order === 'flat' ? asSeen(call.build, given) : given;
    const axis = activation === 'softmax' ? graphAxis(input, call.settings.number('axis', -1)) : 1;
    return { ...input, value: activate(call.build, activation, input.value, axis, call.name) };
  };

/** Approximated by default in Keras 3, not so in TensorFlow. */
export const gelu: WriteLayer = (call) =>
  unary(call.settings.flag('approximate', call.version >= 3) ? 'gelu_tanh' : 'gelu')(call);

const reduce =
  (op: string): WriteLayer =>
  (call: LayerCall): KerasTensor => {
    const { build, settings, name } = call;
    const given = onlyInput(call);
    const axes = axesOf(settings.values['axis']);
    const rank = given.shape.length + 1;
    const seen = axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort();
    const keeps = settings.flag('keepdims', false);
    if (seen.some((axis) => axis < 1 || axis >= rank)) throw new LayerProblem('it reduces the batch');
    // A picture reduced to its channels: the same in either order of axes.
    const overPicture = given.order === 'nchw' && seen.join() === '1,2';
    const input = overPicture || (given.order === 'nchw' && keeps) ? given : asSeen(build, given);
    const over = { axes: ints(seen.map((axis) => graphAxis(input, axis))), keepdims: int(keeps ? 1 : 0) };
    const value = build.add(op, [input.value], over, name);
    if (keeps)
      return { ...input, value, shape: given.shape.map((dim, at) => (seen.includes(at + 1) ? 1 : dim)) };
    return { value, shape: given.shape.filter((_, at) => !seen.includes(at + 1)), order: 'same' };
  };

function axesOf(setting: Json | undefined): number[] {
  const plain = isObject(setting) ? setting['items'] : setting;
  const axes = Array.isArray(plain) ? (plain as Json[]) : [plain];
  if (axes.length === 0 || !axes.every((axis) => Number.isInteger(axis))) {
    throw new LayerProblem('the axes that it reduces are not stated');
  }
  return axes as number[];
}

export const mean = reduce('ReduceMean');
export const max = reduce('ReduceMax');
