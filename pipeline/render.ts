/** Plan → ascent → picture → store: renders what the store does not have. */

import { setTimeout } from 'node:timers/promises';
import { batchFor } from './ascent/batch.ts';
import { type LayerJob, renderLayer } from './ascent/layer.ts';
import type { Engine } from './engine/engine.ts';
import { extentUpTo } from './network/extent.ts';
import type { LayerPlan, ModelPlan, UnitPlan } from './plan.ts';
import type { Claims } from './store/claims.ts';
import { Shares } from './store/shares.ts';
import type { Rendering, Store } from './store/store.ts';

export interface UnitFailure {
  readonly model: string;
  readonly layer: string;
  readonly unit: number;
  readonly error: string;
}

/** What happens while units are rendered. `fresh` are those that the store has already. */
export type RenderEvent =
  | { readonly kind: 'planned'; readonly total: number; readonly fresh: number }
  | { readonly kind: 'layer'; readonly model: string; readonly layer: string; readonly units: number }
  | { readonly kind: 'rendered'; readonly model: string; readonly layer: string; readonly unit: number }
  | ({ readonly kind: 'failed' } & UnitFailure)
  | ({ readonly kind: 'worked' } & Worked)
  /** Another process renders what is left; this one waits for it. */
  | { readonly kind: 'waiting'; readonly units: number };

/** How much of all the work is done, between two units as well, and how much of it one unit of this layer is. */
export interface Worked {
  readonly done: number;
  readonly total: number;
  readonly ofUnit: number;
}

export interface RenderEffects {
  readonly engine: Engine;
  readonly store: Store;
  /** Where other processes may render into the same store: no unit is rendered twice then. */
  readonly claims?: Claims;
  readonly signal: AbortSignal;
  emit(event: RenderEvent): void;
}

export interface RenderSummary {
  readonly units: {
    readonly total: number;
    readonly fresh: number;
    readonly rendered: number;
    readonly failed: number;
  };
  readonly seconds: number;
  readonly engine: string;
  readonly device: string;
  readonly failures: readonly UnitFailure[];
}

/** What changes speed and memory, and no picture. */
export interface WorkLimits {
  /** Pictures a step; by default chosen by `batchFor`, which keeps to `maxBytes` of memory. */
  readonly batch?: number;
  readonly maxBytes?: number;
}

/** The units of one layer that are not in the store. */
interface Job {
  readonly plan: ModelPlan;
  readonly layerPlan: LayerPlan;
  readonly missing: ReadonlyMap<number, UnitPlan>;
  /** How much work one step of one picture is. */
  readonly productsOfStep: number;
}

/** What is done to each value of a map beside convolutions takes about as long as so many products. */
const productsOfValue = 60;

/**
 * Renders all planned units that the store lacks, layer by layer, and keeps each as soon as it is finished. A unit that
 * fails is tried once more alone, then reported, and the rest goes on. Stops between two steps when `signal` is aborted.
 * @throws PhospheneError where the store cannot be written: nothing more can be kept then.
 */
export async function renderModels(
  plans: readonly ModelPlan[],
  options: WorkLimits,
  { engine, store, claims, signal, emit }: RenderEffects,
): Promise<RenderSummary> {
  const startedAt = performance.now();
  const jobs = await missingFrom(store, plans);
  const total = plans.reduce(
    (sum, { layers }) => sum + layers.reduce((own, { units }) => own + units.length, 0),
    0,
  );
  let fresh = total - jobs.reduce((sum, { missing }) => sum + missing.size, 0);
  emit({ kind: 'planned', total, fresh });

  let rendered = 0;
  const failures: UnitFailure[] = [];
  const labour = new Labour(jobs);
  const renderShare = async (job: Job, open: Set<number>): Promise<void> => {
    const { plan, layerPlan, missing } = job;
    const where = { model: plan.slug, layer: layerPlan.layer.name };
    const stepped = (pictures: number): void => emit({ kind: 'worked', ...labour.stepped(job, pictures) });
    const renderUnits = async (units: readonly number[], together: number): Promise<void> => {
      const renderings = renderLayer(layerJob(plan, layerPlan, units, together), engine, signal, stepped);
      for await (const unit of renderings) {
        const { fingerprint, madeFrom } = missing.get(unit.unit) as UnitPlan;
        await keep(store, {
          ...unit,
          ...where,
          fingerprint,
          madeFrom,
          widthPx: layerPlan.size.width,
          heightPx: layerPlan.size.height,
          channels: layerPlan.size.channels === 1 ? 1 : 3,
          seed: plan.seed,
          engine: engine.name,
          device: engine.device,
          renderedAt: new Date().toISOString(),
        });
        open.delete(unit.unit);
        rendered++;
        emit({ kind: 'worked', ...labour.finished(job) });
        emit({ kind: 'rendered', ...where, unit: unit.unit });
      }
    };
    const fail = (unit: number, cause: unknown): void => {
      const error = cause instanceof Error ? cause.message : String(cause);
      open.delete(unit);
      failures.push({ ...where, unit, error });
      emit({ kind: 'worked', ...labour.finished(job) });
      emit({ kind: 'failed', ...where, unit, error });
    };
    let batch: number;
    try {
      const { network } = plan;
      batch =
        options.batch ?? batchFor(network, layerPlan.layer, layerPlan.size, open.size, options.maxBytes);
    } catch (cause) {
      for (const unit of [...open]) fail(unit, cause);
      return;
    }
    await renderPatiently(open, batch, renderUnits, fail, signal);
  };

  const shares = new Shares(store, claims, jobs, (job, units) => {
    fresh += units;
    for (let unit = 0; unit < units; unit++) emit({ kind: 'worked', ...labour.finished(job) });
  });
  try {
    while (shares.isOpen && !signal.aborted) {
      let taken = 0;
      for (const job of jobs) {
        const { plan, layerPlan, missing } = job;
        const here = { model: plan.slug, layer: layerPlan.layer.name, units: missing.size };
        for (let share = await shares.take(job); share.size > 0; share = await shares.take(job)) {
          emit({ kind: 'layer', ...here });
          taken += share.size;
          await renderShare(job, new Set(share));
          await shares.done(job, share);
          if (signal.aborted) break;
        }
        if (signal.aborted) break;
      }
      if (taken > 0 || !shares.isOpen || signal.aborted) continue;
      emit({ kind: 'waiting', units: shares.open });
      await setTimeout(lookAgainMs, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    await shares.close();
  }
  return {
    units: { total, fresh, rendered, failed: failures.length },
    seconds: (performance.now() - startedAt) / 1000,
    engine: engine.name,
    device: engine.device,
    failures,
  };
}

/** How long before it looks again whether others are through. */
const lookAgainMs = 500;

/**
 * Renders all of `open`, which `render` and `fail` take finished units out of. What fails together is tried again one by
 * one; where not one of those succeeds, nor has any before, it is no unit's fault, and the rest is not tried.
 */
async function renderPatiently(
  open: ReadonlySet<number>,
  batch: number,
  render: (units: readonly number[], batch: number) => Promise<void>,
  fail: (unit: number, cause: unknown) => void,
  signal: AbortSignal,
): Promise<void> {
  const all = open.size;
  const attempt = async (units: readonly number[], together: number, failed: (cause: unknown) => void) => {
    try {
      await render(units, together);
    } catch (cause) {
      if (cause instanceof StoreFailure) throw cause.cause;
      failed(cause);
    }
  };
  while (open.size > 0 && !signal.aborted) {
    let failures = 0;
    let suspects: readonly number[] = [];
    await attempt([...open], batch, () => {
      suspects = [...open].slice(0, batch);
    });
    let last: unknown;
    for (const unit of suspects) {
      if (signal.aborted) return;
      await attempt([unit], 1, (cause) => {
        last = cause;
        failures++;
        fail(unit, cause);
      });
    }
    if (failures > 0 && open.size === all - failures) for (const unit of [...open]) fail(unit, last);
  }
}

/** How far the work is, told in products of a weight and a value: units of deep layers take more time than others. */
class Labour {
  readonly #total: number;
  /** Of finished units and, of the layer at hand, of steps made for units that are not. */
  #finished = 0;
  #steps = 0;

  constructor(jobs: readonly Job[]) {
    this.#total = jobs.reduce((sum, job) => sum + this.#ofUnit(job) * job.missing.size, 0);
  }

  /** A step of so many pictures was made. */
  stepped(job: Job, pictures: number): Worked {
    this.#steps += (pictures * this.#ofUnit(job)) / stepsOf(job);
    return this.#worked(job);
  }

  /** A unit has been rendered, or cannot be. */
  finished(job: Job): Worked {
    this.#finished += this.#ofUnit(job);
    this.#steps = Math.max(0, this.#steps - this.#ofUnit(job));
    return this.#worked(job);
  }

  #worked(job: Job): Worked {
    const done = Math.min(this.#total, this.#finished + this.#steps);
    return { done, total: this.#total, ofUnit: this.#ofUnit(job) };
  }

  #ofUnit(job: Job): number {
    return stepsOf(job) * job.productsOfStep;
  }
}

/** Runs of the network for one unit: a step is one forwards and one back, measuring is one of each for about five steps. */
const stepsOf = ({ layerPlan }: Job): number =>
  (layerPlan.recipe.steps + 1) * (layerPlan.recipe.diversity?.pictures ?? 1) + 5;

async function missingFrom(store: Store, plans: readonly ModelPlan[]): Promise<Job[]> {
  const wanted = plans.flatMap(({ layers }) =>
    layers.flatMap(({ units }) => units.map(({ fingerprint }) => fingerprint)),
  );
  const found = await store.hasAll(wanted);
  return plans.flatMap((plan) =>
    plan.layers.flatMap((layerPlan) => {
      const open = layerPlan.units.filter(({ fingerprint }) => !found.has(fingerprint));
      const missing = new Map(open.map((unit) => [unit.unit, unit]));
      if (missing.size === 0) return [];
      const { products, values } = extentUpTo(plan.network, layerPlan.layer, layerPlan.size);
      return [{ plan, layerPlan, missing, productsOfStep: products + productsOfValue * values }];
    }),
  );
}

function layerJob(
  { network, scaling, seed }: ModelPlan,
  { layer, recipe, startPicture, size }: LayerPlan,
  units: readonly number[],
  batch: number,
): LayerJob {
  return { network, layer, recipe, startPicture, scaling, size, batch, seed, units };
}

/** Tells a store that cannot be written from a layer that cannot be rendered. */
class StoreFailure extends Error {}

async function keep(store: Store, rendering: Rendering): Promise<void> {
  try {
    await store.write(rendering);
  } catch (cause) {
    throw new StoreFailure('The store cannot be written', { cause });
  }
}
