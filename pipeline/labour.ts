/**
 * How much work a unit is, so that the time left can be told while layers differ: in products of a weight and a value,
 * or what takes as long. How long one takes is for the clock to say.
 */

import { extentUpTo } from './network/extent.ts';
import { size as countOf } from './network/graph.ts';
import type { Network } from './network/network.ts';
import type { LayerPlan } from './plan.ts';

/**
 * What takes as long as a product: fitted to the times of VGG16's layers on two cores, block1_conv1 to block3_conv3,
 * each within 12 %.
 */
const cost = {
  /** What is done to each value of a map beside convolutions. */
  ofValue: 100,
  /** What parameterisation, transforms and optimiser do for each value of the picture. */
  ofPictureValue: 3400,
} as const;

/** The work that rendering one unit of a layer is. */
export function workOfUnit(
  network: Network,
  { layer, size, recipe }: Pick<LayerPlan, 'layer' | 'size' | 'recipe'>,
): number {
  const { products, values } = extentUpTo(network, layer, size);
  const ofPicture = cost.ofPictureValue * countOf([size.channels, size.height, size.width]);
  return stepsOf(recipe) * (products + cost.ofValue * values + ofPicture);
}

/** Runs of the network for one unit: a step is one forwards and one back, measuring is one of each for about five steps. */
const stepsOf = ({ steps, diversity }: LayerPlan['recipe']): number =>
  (steps + 1) * (diversity?.pictures ?? 1) + 5;

/** How much of all the work is done, between two units as well, and how much of it one unit of this layer is. */
export interface Worked {
  readonly done: number;
  readonly total: number;
  readonly ofUnit: number;
}

/** Units of one layer. */
interface Job {
  readonly layerPlan: LayerPlan;
  readonly missing: { readonly size: number };
  /** Of one unit. */
  readonly work: number;
}

/** How far the work is. */
export class Labour {
  #total: number;
  /** Of finished units and, of the layer at hand, of steps made for units that are not. */
  #finished = 0;
  #steps = 0;

  constructor(jobs: readonly Job[]) {
    this.#total = jobs.reduce((sum, { work, missing }) => sum + work * missing.size, 0);
  }

  /** A step of so many pictures was made. */
  stepped(job: Job, pictures: number): Worked {
    this.#steps += (pictures * job.work) / stepsOf(job.layerPlan.recipe);
    return this.#worked(job);
  }

  /** A unit has been rendered, or cannot be. */
  finished(job: Job): Worked {
    this.#finished += job.work;
    this.#steps = Math.max(0, this.#steps - job.work);
    return this.#worked(job);
  }

  /** So many units are not to be rendered here any more: others did it. */
  leave(job: Job, units: number): void {
    this.#total -= units * job.work;
  }

  #worked({ work }: Job): Worked {
    const done = Math.min(this.#total, this.#finished + this.#steps);
    return { done, total: this.#total, ofUnit: work };
  }
}
