/** The speed of a step at layers of VGG16: of the default recipe, of a plain one, and of the same plain one in a peer. */

import { batchFor } from '../ascent/batch.ts';
import type { AscentSpec } from '../ascent/step.ts';
import type { Engine } from '../engine/engine.ts';
import type { Layer } from '../network/network.ts';
import { resolveRecipe } from '../recipe/resolve.ts';
import { resolveScaling } from '../recipe/scaling.ts';
import { openPeer } from './peer.ts';
import { byTurns, type Contestant, climbing, median, medianRatio } from './speed.ts';
import { flopsOfStep, randomVgg16 } from './vgg16.ts';

export interface LayerSpeed {
  readonly layer: string;
  readonly engine: string;
  readonly batch: number;
  readonly sizePx: number;
  /** Of the default recipe. */
  readonly msPerPictureStep: number;
  /** Of plain convolutions, whatever computes them: see `flopsOfStep`. */
  readonly gflops: number;
  /** Of the Keras blog's recipe: pixels, no transform, a normalised gradient. */
  readonly plainMsPerPictureStep: number;
  /** The share of the default recipe's step that the plain one does without, in the same round. */
  readonly recipeShare: number;
  /** The share of the ascent's time in which no step was computed: random numbers, frames, bookkeeping. */
  readonly hostShare: number;
  /** The plain recipe elsewhere. */
  readonly peer?: {
    readonly name: string;
    readonly msPerPictureStep: number;
    /** Our plain step's time, of the peer's in the same round. */
    readonly ratio: number;
    /** How far the pictures are apart after one step, see `Peer.at`. */
    readonly difference: number;
  };
}

export interface BenchOptions {
  readonly sizePx: number;
  readonly batch?: number;
  /** The Python that has PyTorch, where it shall be compared with. */
  readonly python?: string | undefined;
}

/** Operations that a turn takes: one or two seconds on two cores, of which the first steps, with all memory new, are few. */
const turnFlops = 4e11;

/** Measures these layers, one after the other. */
export async function* benchLayers(
  names: readonly string[],
  { sizePx, batch, python }: BenchOptions,
  engine: Engine,
): AsyncGenerator<LayerSpeed> {
  const network = randomVgg16();
  const layers = network.layers.filter(({ name }) => names.includes(name));
  const peer = python === undefined ? undefined : await openPeer(python, network);
  try {
    for (const layer of layers) {
      const flops = flopsOfStep(layer.name, sizePx);
      const size = { channels: 3, height: sizePx, width: sizePx };
      const pictures = batch ?? batchFor(network, layer, size, layer.units);
      const steps = Math.min(256, Math.max(3, Math.round(turnFlops / flops / pictures)));
      const own = {
        network,
        layer,
        size,
        batch: pictures,
      };
      const spec = specOf('phosphene', 'caffe', layer, steps);
      const plain = specOf('keras-blog', 'none', layer, steps);
      const ours = await climbing({ ...own, ...spec }, engine);
      const contestants: Contestant[] = [ours, await climbing({ ...own, ...plain }, engine)];
      const other = await peer?.at({ ...own, ...plain }, engine);
      if (other !== undefined) contestants.push(other);
      const [ofOurs = [], ofPlain = [], ofOther = []] = await byTurns(contestants);
      const ms = median(ofOurs);
      for (const contestant of contestants) await contestant.release();
      yield {
        layer: layer.name,
        engine: engine.name,
        batch: pictures,
        sizePx,
        msPerPictureStep: ms,
        gflops: flops / ms / 1e6,
        plainMsPerPictureStep: median(ofPlain),
        recipeShare: 1 - medianRatio(ofPlain, ofOurs),
        hostShare: ours.hostShare(),
        ...(peer && other
          ? {
              peer: {
                name: peer.name,
                msPerPictureStep: median(ofOther),
                ratio: medianRatio(ofPlain, ofOther),
                difference: other.difference,
              },
            }
          : {}),
      };
    }
  } finally {
    await peer?.close();
  }
}

function specOf(
  recipe: string,
  scaling: 'caffe' | 'none',
  layer: Layer,
  steps: number,
): Pick<AscentSpec, 'recipe' | 'scaling'> {
  return {
    recipe: { ...resolveRecipe(recipe, 'bench', layer), steps },
    scaling: resolveScaling(scaling, 3),
  };
}
