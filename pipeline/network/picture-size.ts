/**
 * How large a layer's pictures are where nobody says it: as large as shows what one value of the layer sees with some
 * of what lies around it. An early layer that sees 5 pixels needs no picture of 224, and costs a twelfth at 64.
 */

import type { Layer, Network } from './network.ts';
import { receptiveFields, valuesOfAnySize } from './receptive.ts';

/** Smallest side: below it a texture does not come about. */
const leastPx = 64;
/** Where the network takes any size, no side is longer by itself: what most networks of free size were trained on. */
const mostPx = 224;
/** Sides are a multiple of it, so that five halvings leave whole numbers and joining paths fit. */
const stepPx = 32;
/** The part of the picture's side that the receptive field takes is one by this. */
const surround = 1.5;

export interface LayerSize {
  readonly height: number;
  readonly width: number;
  /** Whether pictures of other sizes would do as well. */
  readonly free: boolean;
}

/**
 * The size of each layer's pictures in pixels. A layer that works on maps of any size takes squares of `sidePx`, else of
 * 1.5 times its receptive field (at least 64, in steps of 32), but the whole input where such a square does not fit in
 * it, and 224 at most where the input is free. A layer that needs the whole input takes what the network states, else
 * `sidePx`, else 224.
 */
export function layerSizes(network: Network, sidePx?: number): (layer: Layer) => LayerSize {
  const { graph, input } = network;
  const fields = receptiveFields(graph, input);
  const anySize = valuesOfAnySize(graph, input);
  const whole = { height: input.height ?? sidePx ?? mostPx, width: input.width ?? sidePx ?? mostPx };
  const free = input.height === null && input.width === null;
  return ({ linear }) => {
    if (!anySize.has(linear)) return { ...whole, free };
    const seen = (fields.get(linear) ?? 0) * surround;
    const side = sidePx ?? Math.max(leastPx, Math.ceil(seen / stepPx) * stepPx);
    const fits = sidePx !== undefined || side <= Math.min(whole.height, whole.width);
    return { ...(fits ? { height: side, width: side } : whole), free: true };
  };
}
