/** Plan → ascent → picture → store: renders what the store does not have. */

import { type LayerJob, renderLayer } from './ascent/layer.ts';
import type { Engine } from './engine/engine.ts';
import type { LayerPlan, ModelPlan, UnitPlan } from './plan.ts';
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
  | ({ readonly kind: 'failed' } & UnitFailure);

export interface RenderEffects {
  readonly engine: Engine;
  readonly store: Store;
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

/** The units of one layer that are not in the store. */
interface Job {
  readonly plan: ModelPlan;
  readonly layerPlan: LayerPlan;
  readonly missing: ReadonlyMap<number, UnitPlan>;
}

/**
 * Renders all planned units that the store lacks, layer by layer, and keeps each as soon as it is finished. A layer
 * that fails is reported with its units, and the rest goes on. Stops between two steps when `signal` is aborted.
 * @param options.batch Pictures a step; by default chosen by the size of the pictures.
 * @throws PhospheneError where the store cannot be written: nothing more can be kept then.
 */
export async function renderModels(
  plans: readonly ModelPlan[],
  options: { readonly batch?: number },
  { engine, store, signal, emit }: RenderEffects,
): Promise<RenderSummary> {
  const startedAt = performance.now();
  const jobs = await missingFrom(store, plans);
  const total = plans.reduce(
    (sum, { layers }) => sum + layers.reduce((own, { units }) => own + units.length, 0),
    0,
  );
  const fresh = total - jobs.reduce((sum, { missing }) => sum + missing.size, 0);
  emit({ kind: 'planned', total, fresh });

  let rendered = 0;
  const failures: UnitFailure[] = [];
  for (const { plan, layerPlan, missing } of jobs) {
    if (signal.aborted) break;
    const where = { model: plan.slug, layer: layerPlan.layer.name };
    emit({ kind: 'layer', ...where, units: missing.size });
    const open = new Set(missing.keys());
    try {
      for await (const unit of renderLayer(
        layerJob(plan, layerPlan, [...open], options.batch),
        engine,
        signal,
      )) {
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
        emit({ kind: 'rendered', ...where, unit: unit.unit });
      }
    } catch (cause) {
      if (cause instanceof StoreFailure) throw cause.cause;
      const error = cause instanceof Error ? cause.message : String(cause);
      for (const unit of open) {
        failures.push({ ...where, unit, error });
        emit({ kind: 'failed', ...where, unit, error });
      }
    }
  }
  return {
    units: { total, fresh, rendered, failed: failures.length },
    seconds: (performance.now() - startedAt) / 1000,
    engine: engine.name,
    device: engine.device,
    failures,
  };
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
      return missing.size > 0 ? [{ plan, layerPlan, missing }] : [];
    }),
  );
}

function layerJob(
  { network, scaling, seed }: ModelPlan,
  { layer, recipe, startPicture, size }: LayerPlan,
  units: readonly number[],
  batch = batchFor(size.height * size.width, units.length),
): LayerJob {
  return { network, layer, recipe, startPicture, scaling, size, batch, seed, units };
}

/** Enough pictures a step to fill two cores on small ones, few enough to keep large ones in the caches. */
function batchFor(pixels: number, units: number): number {
  return Math.max(1, Math.min(units, 16, Math.floor((16 * 64 * 64) / pixels)));
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
