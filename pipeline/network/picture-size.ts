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
 * The size of each layer's pictures in pixels. A layer that works on maps of any size takes `sidePx`, else 1.5 times
 * its receptive field (at least 64, in steps of 32, at most the side of the network's input, or 224 where that is
 * free). A layer that needs the whole input takes the side that the network states, else `sidePx`, else 224.
 */
export function layerSizes(network: Network, sidePx?: number): (layer: Layer) => LayerSize {
  const { graph, input } = network;
  const fields = receptiveFields(graph, input);
  const anySize = valuesOfAnySize(graph, input);
  const statesNone = input.height === null && input.width === null;
  return ({ linear }) => {
    const local = anySize.has(linear);
    const field = fields.get(linear) ?? null;
    const enough = field === null ? Infinity : Math.ceil((surround * field) / stepPx) * stepPx;
    const side = (stated: number | null): number => {
      if (!local && stated !== null) return stated;
      return sidePx ?? Math.min(Math.max(enough, leastPx), stated ?? mostPx);
    };
    return { height: side(input.height), width: side(input.width), free: local || statesNone };
  };
}
