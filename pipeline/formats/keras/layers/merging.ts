/** Layers that make one tensor of several. Pictures stay in the graph's order; only strangers to each other are moved. */

import type { GraphBuilder } from '../../../network/build.ts';
import { int, ints } from '../../../network/graph.ts';
import { LayerProblem } from '../settings.ts';
import { asSeen, graphAxis, type KerasTensor, type Size, shapeText } from '../tensor.ts';
import type { LayerCall, WriteLayer } from './layer.ts';

/** The tensors with one and the same order of axes in the graph. */
function alike(build: GraphBuilder, tensors: readonly KerasTensor[]): readonly KerasTensor[] {
  const [first] = tensors;
  const shape = first?.flattened?.join();
  if (tensors.every(({ order, flattened }) => order === first?.order && flattened?.join() === shape)) {
    return tensors;
  }
  if (tensors.every((tensor) => tensor.shape.length === 3)) {
    return tensors.map((tensor) =>
      tensor.order === 'nchw'
        ? tensor
        : {
            ...tensor,
            order: 'nchw',
            value: build.add('Transpose', [tensor.value], { perm: ints([0, 3, 1, 2]) }),
          },
    );
  }
  return tensors.map((tensor) => asSeen(build, tensor));
}

function several(call: LayerCall): readonly KerasTensor[] {
  if (call.inputs.length < 2) throw new LayerProblem(`it merges tensors, but gets ${call.inputs.length}`);
  const tensors = alike(call.build, call.inputs);
  const rank = tensors[0]?.shape.length;
  if (tensors.some(({ shape }) => shape.length !== rank)) {
    const shapes = tensors.map(({ shape }) => `[${shapeText(shape)}]`).join(' and ');
    throw new LayerProblem(`it merges tensors of the shapes ${shapes}`);
  }
  return tensors;
}

/** Keras stretches axes of length 1. */
function stretched(tensors: readonly KerasTensor[]): Size[] {
  const [first] = tensors;
  return (first?.shape ?? []).map((_, axis) => {
    const sizes = tensors.map(({ shape }) => shape[axis] ?? null).filter((dim) => dim !== 1);
    const known = sizes.find((dim) => dim !== null);
    if (sizes.some((dim) => dim !== null && dim !== known)) {
      throw new LayerProblem(`it merges tensors of the sizes ${sizes.join(' and ')} along one axis`);
    }
    return sizes.length === 0 ? 1 : (known ?? null);
  });
}

/** Pairs of tensors after one another; a single tensor is itself. */
function folded(call: LayerCall, op: string): KerasTensor {
  const tensors = several(call);
  const shape = stretched(tensors);
  const values = tensors.map(({ value }) => value);
  const last = values.length - 1;
  const value = values.reduce((sum, next, at) =>
    call.build.add(op, [sum, next], {}, at === last ? call.name : undefined),
  );
  return { ...(tensors[0] as KerasTensor), value, shape };
}

const fold =
  (op: string): WriteLayer =>
  (call) =>
    folded(call, op);

export const add = fold('Add');
export const subtract = fold('Sub');
export const multiply = fold('Mul');
export const divide = fold('Div');
export const power = fold('Pow');
export const maximum = fold('Max');
export const minimum = fold('Min');

export const average: WriteLayer = (call) => {
  const sum = folded({ ...call, name: `${call.name}/sum` }, 'Add');
  const share = call.build.scalar(1 / call.inputs.length);
  return { ...sum, value: call.build.add('Mul', [sum.value, share], {}, call.name) };
};

export const concatenate: WriteLayer = (call) => {
  const axis = call.settings.whole('axis', -1, -8);
  const given = several(call);
  const tensors = given[0]?.order === 'flat' ? given.map((tensor) => asSeen(call.build, tensor)) : given;
  const first = tensors[0] as KerasTensor;
  const inGraph = graphAxis(first, axis);
  const seen = (axis < 0 ? axis + first.shape.length + 1 : axis) - 1;
  if (seen < 0) throw new LayerProblem('it joins pictures along the batch');
  const lengths = tensors.map(({ shape }) => shape[seen] ?? null);
  const joined = lengths.includes(null)
    ? null
    : (lengths as number[]).reduce((sum, length) => sum + length, 0);
  const rest = stretched(tensors.map((tensor) => ({ ...tensor, shape: tensor.shape.with(seen, 1) })));
  const values = tensors.map(({ value }) => value);
  const value = call.build.add('Concat', values, { axis: int(inGraph) }, call.name);
  return { ...first, value, shape: rest.with(seen, joined) };
};

/** Keras 1: one class for all of these. */
export const merge: WriteLayer = (call) => {
  const mode = call.settings.text('mode', 'sum');
  const write = { sum: add, mul: multiply, ave: average, max: maximum, concat: concatenate }[mode];
  if (write === undefined) throw new LayerProblem(`its mode '${mode.slice(0, 40)}' is not known`);
  return write(call);
};
