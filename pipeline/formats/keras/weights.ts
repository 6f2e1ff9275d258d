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
