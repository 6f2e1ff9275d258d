/**
 * A value of the graph as TensorFlow tensors. ONNX has the channels of a picture first, [N, C, H, W], TensorFlow's
 * convolutions have them last, [N, H, W, C]: a value is held in the order that it was made in, another form of it is made
 * when somebody asks, once. So neighbouring layers hand their maps on without a transpose.
 */

import type { Tensor, Tensor4D } from '@tensorflow/tfjs-core';
import type { TensorFlow } from './package.ts';

export type Order = 'first' | 'last';

export class Held {
  readonly #tf: TensorFlow;
  readonly #forms = new Map<string, Tensor>();
  /** The order that it was made in. */
  readonly order: Order;
  /** As the graph knows them: channels first. */
  readonly dims: readonly number[];

  /** Takes the tensor over: `dispose` frees it. Channels last are of rank 4. */
  constructor(tf: TensorFlow, tensor: Tensor, order: Order = 'first') {
    this.#tf = tf;
    this.order = order;
    this.#forms.set(order, tf.keep(tensor));
    const [n = 1, h = 1, w = 1, c = 1] = tensor.shape;
    this.dims = order === 'first' ? tensor.shape : [n, c, h, w];
  }

  /** A form of its own, made from the tensor with channels first when it is first asked for. */
  form(name: string, make: (first: Tensor) => Tensor): Tensor {
    let tensor = this.#forms.get(name);
    if (tensor === undefined) {
      tensor = this.#tf.keep(make(this.first));
      this.#forms.set(name, tensor);
    }
    return tensor;
  }

  /** As the graph has it. */
  get first(): Tensor {
    let tensor = this.#forms.get('first');
    if (tensor === undefined) {
      tensor = this.#tf.keep(turned(this.#tf, this.#forms.get('last') as Tensor, [0, 3, 1, 2]));
      this.#forms.set('first', tensor);
    }
    return tensor;
  }

  /** [N, H, W, C]; what has fewer axes gets 1 for those in front. Only of rank 4 or less. */
  get last(): Tensor4D {
    return this.form('last', (first) => {
      const dims = [1, 1, 1, 1, ...first.shape].slice(-4);
      return turned(this.#tf, this.#tf.reshape(first, dims), [0, 2, 3, 1]);
    }) as Tensor4D;
  }

  in(order: Order): Tensor {
    return order === 'first' ? this.first : this.last;
  }

  dispose(): void {
    for (const tensor of this.#forms.values()) tensor.dispose();
    this.#forms.clear();
  }
}

/** A transpose; where it moves nothing but axes of size 1 only the shape changes. */
function turned(tf: TensorFlow, tensor: Tensor, perm: readonly number[]): Tensor {
  const moved = perm.filter((axis) => tensor.shape[axis] !== 1);
  const inOrder = moved.every((axis, place) => place === 0 || axis > (moved[place - 1] as number));
  return inOrder
    ? tf.reshape(
        tensor,
        perm.map((axis) => tensor.shape[axis] as number),
      )
    : tf.transpose(tensor, [...perm]);
}

/** Where an axis of [N, C, H, W] is in that order. */
export const placeOf = (axis: number, order: Order): number =>
  order === 'first' ? axis : ([0, 3, 1, 2][axis] as number);
