/** Operations that move values: shapes, parts, neighbours, other sizes. */

import type { Tensor } from '@tensorflow/tfjs-core';
import { resizeMatrices } from '../../../network/adjoint/resampling.ts';
import { around, axisOf, range } from '../../../network/adjoint/rule.ts';
import { intOf, intsOf, size, textOf } from '../../../network/graph.ts';
import { Held, placeOf } from '../held.ts';
import { type Call, inOrder, input, numbersOf, type Operation, type Operations } from '../operation.ts';
import type { TensorFlow } from '../package.ts';

const reshaped = (call: Call, dims: readonly number[]): Held =>
  new Held(call.tf, call.tf.reshape(input(call).first, [...dims]));

/** The values at these places of an axis. */
function taken({ tf }: Call, tensor: Tensor, axis: number, places: readonly number[]): Tensor {
  return tf.gather(tensor, tf.tensor1d([...places], 'int32'), axis);
}

/** The axes of a node, from an attribute or an input. */
const axesOf = (call: Call, index: number): number[] | undefined => {
  const axes = intsOf(call.node, 'axes') ?? numbersOf(call, index);
  return axes && [...axes];
};

function part(tf: TensorFlow, tensor: Tensor, axis: number, from: number, count: number): Tensor {
  return tf.slice(
    tensor,
    tensor.shape.map((_, at) => (at === axis ? from : 0)),
    tensor.shape.with(axis, count),
  );
}

/** Start, number and step of what a slice takes of an axis of this length. */
function run(length: number, start: number, end: number, step: number): [number, number] {
  const from = start < 0 ? start + length : start;
  const to = end < 0 ? end + length : end;
  if (step > 0) {
    const [first, last] = [Math.min(Math.max(from, 0), length), Math.min(Math.max(to, 0), length)];
    return [first, Math.max(0, Math.ceil((last - first) / step))];
  }
  const [first, last] = [Math.min(Math.max(from, 0), length - 1), Math.min(Math.max(to, -1), length)];
  return [first, Math.max(0, Math.ceil((last - first) / step))];
}

const slice: Operation = (call) => {
  const [starts = [], ends = []] = [numbersOf(call, 1), numbersOf(call, 2)];
  const { dims } = input(call);
  const axes = (numbersOf(call, 3) ?? range(starts.length)).map((axis) => axisOf(axis, dims.length));
  const steps = numbersOf(call, 4) ?? [];
  return inOrder(call, (x, order) =>
    axes.reduce((tensor, axis, at) => {
      const step = steps[at] ?? 1;
      const length = dims[axis] as number;
      const [first, count] = run(length, starts[at] as number, ends[at] as number, step);
      const place = placeOf(axis, order);
      return step === 1
        ? part(call.tf, tensor, place, first, count)
        : taken(
            call,
            tensor,
            place,
            range(count).map((index) => first + index * step),
          );
    }, x),
  );
};

/** Which value an axis of `length` has `position` places after its first one, beyond its ends by the mode. */
const beyond: Readonly<Record<string, (position: number, length: number) => number>> = {
  edge: (position, length) => Math.min(Math.max(position, 0), length - 1),
  reflect: (position, length) => {
    const period = Math.max(2 * (length - 1), 1);
    const within = ((position % period) + period) % period;
    return within < length ? within : period - within;
  },
  wrap: (position, length) => ((position % length) + length) % length,
};

const pad: Operation = (call) => {
  const { tf, node, refuse } = call;
  const { dims } = input(call);
  const pads = numbersOf(call, 1) ?? [];
  const axes = (numbersOf(call, 3) ?? range(dims.length)).map((axis) => axisOf(axis, dims.length));
  const mode = textOf(node, 'mode', 'constant');
  const value = numbersOf(call, 2)?.[0] ?? 0;
  return inOrder(call, (x, order) => {
    const both = new Array<[number, number]>(x.shape.length).fill([0, 0]);
    axes.forEach((axis, at) => {
      both[placeOf(axis, order)] = [pads[at] ?? 0, pads[at + axes.length] ?? 0];
    });
    if (mode === 'constant') {
      const cut = both.reduce((tensor, [before, after], axis) => {
        const [less, fewer] = [Math.max(-before, 0), Math.max(-after, 0)];
        const length = tensor.shape[axis] as number;
        return less + fewer === 0 ? tensor : part(tf, tensor, axis, less, length - less - fewer);
      }, x);
      const more = both.map((own) => own.map((number) => Math.max(number, 0)) as [number, number]);
      return tf.pad(cut, more, value);
    }
    const position = beyond[mode] ?? refuse(`its mode is '${mode}'`);
    return both.reduce((tensor, [before, after], axis) => {
      if (before === 0 && after === 0) return tensor;
      const length = tensor.shape[axis] as number;
      const places = range(length + before + after).map((place) => position(place - before, length));
      return taken(call, tensor, axis, places);
    }, x);
  });
};

const resize: Operation = (call) => {
  const { tf, node, refuse } = call;
  const { first, dims } = input(call);
  const given = call.inputs[2]?.first;
  const scales = given === undefined || given.size === 0 ? undefined : Array.from(given.dataSync());
  const sizes =
    scales === undefined
      ? numbersOf(call, 3)
      : dims.map((side, axis) => Math.floor(side * (scales[axis] ?? 1)));
  if (sizes?.length !== dims.length) return refuse('it does not say to what size');
  let [tensor, now]: [Tensor, readonly number[]] = [first, dims];
  for (const { axis, n, m, data } of resizeMatrices(node, dims, sizes, scales, refuse)) {
    const [outer, , inner] = around(now, axis);
    const product = tf.matMul(tf.tensor3d(data, [1, n, m]), tf.reshape(tensor, [outer, m, inner]));
    now = now.with(axis, n);
    tensor = tf.reshape(product, [...now]);
  }
  return new Held(tf, tensor === first ? tf.clone(first) : tensor);
};

export const shapeOperations: Operations = {
  Reshape: (call) => {
    const { dims } = input(call);
    const wanted = (numbersOf(call, 1) ?? []).map((side, axis) =>
      side === 0 && intOf(call.node, 'allowzero', 0) === 0 ? (dims[axis] as number) : side,
    );
    return reshaped(call, wanted);
  },
  Flatten: (call) => {
    const { dims } = input(call);
    const axis = axisOf(intOf(call.node, 'axis', 1), dims.length);
    return reshaped(call, [size(dims.slice(0, axis)), size(dims.slice(axis))]);
  },
  Squeeze: (call) => {
    const { dims } = input(call);
    const axes = axesOf(call, 1)?.map((axis) => axisOf(axis, dims.length));
    return reshaped(
      call,
      dims.filter((side, axis) => (axes === undefined ? side !== 1 : !axes.includes(axis))),
    );
  },
  Unsqueeze: (call) => {
    const { dims } = input(call);
    const given = axesOf(call, 1) ?? [];
    const rank = dims.length + given.length;
    const axes = given.map((axis) => axisOf(axis, rank));
    const left = [...dims];
    return reshaped(
      call,
      range(rank).map((axis) => (axes.includes(axis) ? 1 : (left.shift() as number))),
    );
  },
  Transpose: (call) => {
    const { first, dims } = input(call);
    const perm = intsOf(call.node, 'perm') ?? range(dims.length).reverse();
    return new Held(call.tf, call.tf.transpose(first, [...perm]));
  },
  Expand: (call) => {
    const { first, dims } = input(call);
    const wanted = numbersOf(call, 1) ?? [];
    const rank = Math.max(dims.length, wanted.length);
    const from = [...new Array<number>(rank - dims.length).fill(1), ...dims];
    const to = [...new Array<number>(rank - wanted.length).fill(1), ...wanted];
    const both = from.map((side, axis) => (side === 1 ? (to[axis] as number) : side));
    return new Held(call.tf, call.tf.broadcastTo(call.tf.reshape(first, from), both));
  },
  Tile: (call) => new Held(call.tf, call.tf.tile(input(call).first, numbersOf(call, 1) ?? [])),
  Concat: (call) => {
    const axis = axisOf(intOf(call.node, 'axis', 0), input(call).dims.length);
    const held = call.inputs.filter((each) => each !== undefined);
    const { order } = input(call);
    const joined = call.tf.concat(
      held.map((each) => each.in(order)),
      placeOf(axis, order),
    );
    return new Held(call.tf, joined, order);
  },
  Split: (call) => {
    const { tf, node } = call;
    const held = input(call);
    const axis = axisOf(intOf(node, 'axis', 0), held.dims.length);
    const place = placeOf(axis, held.order);
    const length = held.dims[axis] as number;
    const each = Math.ceil(length / node.outputs.length);
    const lengths =
      numbersOf(call, 1) ?? node.outputs.map((_, index) => Math.min(each, length - index * each));
    let from = 0;
    return lengths.map((count) => {
      from += count;
      return new Held(tf, part(tf, held.in(held.order), place, from - count, count), held.order);
    });
  },
  Slice: slice,
  Pad: pad,
  Gather: (call) => {
    const { tf, node } = call;
    const { dims } = input(call);
    const axis = axisOf(intOf(node, 'axis', 0), dims.length);
    const [length, indices] = [dims[axis] as number, input(call, 1)];
    const within = indices.form(`of ${length}`, (first) =>
      tf.where(tf.less(first, tf.scalar(0, 'int32')), tf.add(first, tf.scalar(length, 'int32')), first),
    );
    // A single index takes its axis away, which pictures in another order would not stand.
    if (indices.dims.length !== 1) return new Held(tf, tf.gather(input(call).first, within, axis));
    return inOrder(call, (x, order) => tf.gather(x, within, placeOf(axis, order)));
  },
  DepthToSpace: (call) => {
    const { tf, node } = call;
    const { first, dims } = input(call);
    const [n = 1, depth = 1, h = 1, w = 1] = dims;
    const b = intOf(node, 'blocksize', 1);
    const c = depth / (b * b);
    const columnsFirst = textOf(node, 'mode', 'DCR') === 'DCR';
    const blocks = tf.reshape(first, columnsFirst ? [n, b, b, c, h, w] : [n, c, b, b, h, w]);
    const moved = tf.transpose(blocks, columnsFirst ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3]);
    return new Held(tf, tf.reshape(moved, [n, c, h * b, w * b]));
  },
  Resize: resize,
};
