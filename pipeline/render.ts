/** Plan → ascent → picture → store: renders what the store does not have. */

import { setTimeout } from 'node:timers/promises';
import { batchFor } from './ascent/batch.ts';
import { type LayerSpec, type OpenLayer, openLayer } from './ascent/layer.ts';
import type { Engine } from './engine/engine.ts';
import { Labour, type Worked, workOfUnit } from './labour.ts';
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
  /** Of one of them. */
  readonly work: number;
}

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
  const renderShare = async (job: Job, open: Set<number>, opened: Opened): Promise<void> => {
    const { plan, layerPlan, missing } = job;
    const where = { model: plan.slug, layer: layerPlan.layer.name };
    const stepped = (pictures: number): void => emit({ kind: 'worked', ...labour.stepped(job, pictures) });
    const renderUnits = async (units: readonly number[], together: number): Promise<void> => {
      const layer = await opened.for(together);
      for await (const unit of layer.render(units, signal, stepped)) {
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
    await renderPatiently(open, batch, renderUnits, fail, opened, signal);
  };

  const shares = new Shares(store, claims, jobs, (job, units) => {
    fresh += units;
    labour.leave(job, units);
  });
  try {
    while (shares.isOpen && !signal.aborted) {
      let taken = 0;
      for (const job of jobs) {
        const { plan, layerPlan, missing } = job;
        const here = { model: plan.slug, layer: layerPlan.layer.name, units: missing.size };
        const opened = new Opened(job, engine);
        try {
          for (let share = await shares.take(job); share.size > 0; share = await shares.take(job)) {
            emit({ kind: 'layer', ...here });
            taken += share.size;
            await renderShare(job, new Set(share), opened);
            await shares.done(job, share);
            if (signal.aborted) break;
          }
        } finally {
          await opened.release();
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

/** A layer as it is compiled for one batch, from one share of its units to the next. */
class Opened {
  readonly #spec: Omit<LayerSpec, 'batch'>;
  readonly #engine: Engine;
  #layer: { readonly batch: number; readonly open: OpenLayer } | undefined;

  constructor({ plan: { network, scaling, seed }, layerPlan }: Job, engine: Engine) {
    const { layer, recipe, startPicture, size } = layerPlan;
    this.#spec = { network, layer, recipe, startPicture, scaling, size, seed };
    this.#engine = engine;
  }

  async for(batch: number): Promise<OpenLayer> {
    if (this.#layer?.batch !== batch) {
      await this.release();
      this.#layer = { batch, open: await openLayer({ ...this.#spec, batch }, this.#engine) };
    }
    return this.#layer.open;
  }

  async release(): Promise<void> {
    const layer = this.#layer;
    this.#layer = undefined;
    await layer?.open.release();
  }
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
  opened: Opened,
  signal: AbortSignal,
): Promise<void> {
  const all = open.size;
  const attempt = async (units: readonly number[], together: number, failed: (cause: unknown) => void) => {
    try {
      await render(units, together);
    } catch (cause) {
      if (cause instanceof StoreFailure) throw cause.cause;
      // What it holds may be what there was no memory for.
      await opened.release();
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
      return [{ plan, layerPlan, missing, work: workOfUnit(plan.network, layerPlan) }];
    }),
  );
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
