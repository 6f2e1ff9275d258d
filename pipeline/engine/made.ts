/**
 * The memory of what a run of onnxruntime made. It lies outside of JavaScript's heap; left to the garbage collector it
 * makes it go through that whole heap every few steps, and each run takes new memory until then.
 */

import type { Tensor } from 'onnxruntime-node';

/** Those whose numbers only runs read. */
const made = new WeakSet<Tensor>();

/** Takes what a run made. */
export function take(tensors: Iterable<Tensor>): void {
  for (const tensor of tensors) made.add(tensor);
}

/** Its numbers are read elsewhere from now on, for as long as somebody wants. */
export function handOut(tensor: Tensor): void {
  made.delete(tensor);
}

/** Gives its memory back at once, if a run made it and its numbers were not handed out. */
export function giveBack(tensor: Tensor): void {
  if (!made.delete(tensor) || tensor.type === 'string') return;
  (tensor.data as Float32Array<ArrayBuffer>).buffer.transfer(0);
}
