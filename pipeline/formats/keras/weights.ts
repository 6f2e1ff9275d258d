/** Where a layer's weights lie: one question, answered in each file format's own way. */

import type { Float32Tensor } from '../../network/graph.ts';

export interface LayerAddress {
  /** Names of the models that the layer is nested in, outermost first, without the whole model's own. */
  readonly path: readonly string[];
  readonly name: string;
  readonly className: string;
}

/** The layer's weights in Keras' order (e.g. kernel, bias); undefined where the file holds none for it. */
export type WeightSource = (address: LayerAddress) => readonly Float32Tensor[] | undefined;

/**
 * Whether a weight's name, e.g. `vgg16/block1_conv1/kernel:0`, is that of a layer; `inside` names the layer and, before
 * it, the models that it lies in, which the weight's name may leave out.
 */
export function layerOfWeight(weight: string, inside: readonly string[]): boolean {
  const owner = weight.slice(0, Math.max(weight.lastIndexOf('/'), 0));
  const layer = inside.at(-1) ?? '';
  return owner === layer || owner.endsWith(`/${layer}`);
}
