/**
 * One machine's part of the work. Which units it has follows from the plan alone, so that machines with the same content
 * share a model out without a word between them: the units of a plan in turn, one a machine.
 */

import type { ModelPlan } from './plan.ts';

/** `index` of `of`, from 1. */
export interface Shard {
  readonly index: number;
  readonly of: number;
}

/** The plans with this shard's units alone. All shards together have every unit, and none has one twice. */
export function shardOf(plans: readonly ModelPlan[], { index, of }: Shard): ModelPlan[] {
  let place = 0;
  return plans.map((plan) => ({
    ...plan,
    layers: plan.layers.flatMap((layer) => {
      const units = layer.units.filter(() => place++ % of === index - 1);
      return units.length === 0 ? [] : [{ ...layer, units }];
    }),
  }));
}
