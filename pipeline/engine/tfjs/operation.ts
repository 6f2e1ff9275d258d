/** The one type of all operations: (a node, the values it is fed) ⇒ the values it makes, by TensorFlow's operations. */

import type { Tensor } from '@tensorflow/tfjs-core';
import type { Node } from '../../network/graph.ts';
import { Held, type Order } from './held.ts';
import type { TensorFlow } from './package.ts';

export interface Call {
  readonly tf: TensorFlow;
  readonly node: Node;
  /** In the node's order; undefined for an optional input that is left out. */
  readonly inputs: readonly (Held | undefined)[];
  /** @throws PhospheneError that names the operation and gives the reason. */
  refuse(reason: string): never;
}

export type Operation = (call: Call) => Held | readonly Held[];

export type Operations = Readonly<Record<string, Operation>>;

/** An input that must be there. */
export function input({ inputs, refuse }: Call, index = 0): Held {
  return inputs[index] ?? refuse(`its input ${index + 1} is missing`);
}

/** The whole numbers of an input, as a shape or axes; undefined where it is left out. */
export function numbersOf({ inputs }: Call, index: number): number[] | undefined {
  const held = inputs[index];
  return held && Array.from(held.first.dataSync());
}

/** What is computed place by place: in whatever order its picture is held in, the others in the same. */
export function placewise(call: Call, write: (...tensors: Tensor[]) => Tensor): Held {
  const held = call.inputs.filter((each) => each !== undefined);
  const last =
    held.some(({ order }) => order === 'last') && held.every(({ dims: { length } }) => length <= 4);
  const order: Order = last ? 'last' : 'first';
  return new Held(call.tf, write(...held.map((each) => each.in(order))), order);
}

/** What keeps the axes of its first input, each in its place. `write` is given that input and where its axes are. */
export function inOrder(call: Call, write: (tensor: Tensor, order: Order) => Tensor, index = 0): Held {
  const held = input(call, index);
  return new Held(call.tf, write(held.in(held.order), held.order), held.order);
}
