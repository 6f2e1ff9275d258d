/**
 * What a rendering would do, and why: each planned unit is in the store (fresh), or the store has one that was made of
 * something else (stale), or none (missing). How long it takes is judged by what the store's renderings took.
 */

import { workOfUnit } from './labour.ts';
import type { LayerPlan, ModelPlan, UnitPlan } from './plan.ts';
import type { FingerprintParts } from './store/fingerprint.ts';
import type { RenderingRecord, Store } from './store/store.ts';

export type Field = keyof FingerprintParts;

/** Units of a layer that are stale for one reason. */
export interface Reason {
  /** What differs; empty where the store's rendering does not say what it was made from. */
  readonly fields: readonly Field[];
  readonly units: number;
}

export interface LayerStatus {
  readonly name: string;
  readonly units: number;
  readonly fresh: number;
  readonly missing: number;
  readonly stale: number;
  /** Of the stale units, the most frequent first. */
  readonly reasons: readonly Reason[];
  /** To render what is missing or stale; null where nothing like it was rendered yet. */
  readonly seconds: number | null;
  /** The layer whose renderings this is judged by; the layer itself where it has any. */
  readonly measuredAt?: string;
}

export interface ModelStatus {
  readonly model: string;
  readonly layers: readonly LayerStatus[];
}

/** In the order in which they are told. */
const fields: readonly Field[] = [
  'version',
  'structure',
  'weights',
  'slice',
  'unit',
  'scaling',
  'recipe',
  'lastResort',
  'size',
  'frames',
  'seed',
];

/** The fields as people call them. */
export const fieldNames: Readonly<Record<Field, string>> = {
  version: 'rendering version',
  structure: 'network structure',
  weights: 'weights below the layer',
  slice: "the unit's own weights",
  unit: 'unit number',
  scaling: 'input scaling',
  recipe: 'recipe',
  lastResort: 'recipe of last resort',
  size: 'picture size',
  frames: 'frame steps',
  seed: 'seed',
};

/** Compares what is planned with what is there. Reads the whole store's metadata only where a unit is not fresh. */
export async function statusOf(plans: readonly ModelPlan[], store: Store): Promise<ModelStatus[]> {
  const wanted = plans.flatMap(({ layers }) => layers.flatMap(({ units }) => units));
  const found = await store.hasAll(wanted.map(({ fingerprint }) => fingerprint));
  const isComplete = wanted.every(({ fingerprint }) => found.has(fingerprint));
  const past = isComplete ? new Past() : await Past.of(store, plans);
  return plans.map((plan) => ({
    model: plan.slug,
    layers: plan.layers.map((layer) => layerStatus(plan, layer, found, past)),
  }));
}

function layerStatus(
  plan: ModelPlan,
  layerPlan: LayerPlan,
  found: ReadonlySet<string>,
  past: Past,
): LayerStatus {
  const { layer, units } = layerPlan;
  const open = units.filter(({ fingerprint }) => !found.has(fingerprint));
  const reasons = new Map<string, { fields: readonly Field[]; units: number }>();
  let stale = 0;
  for (const unit of open) {
    const differing = past.differing(plan.slug, layer.name, unit);
    if (differing === undefined) continue;
    stale++;
    const key = differing.join();
    const known = reasons.get(key);
    reasons.set(key, { fields: differing, units: (known?.units ?? 0) + 1 });
  }
  const rate = open.length === 0 ? undefined : past.rate(plan, layerPlan);
  return {
    name: layer.name,
    units: units.length,
    fresh: units.length - open.length,
    missing: open.length - stale,
    stale,
    reasons: [...reasons.values()].sort((a, b) => b.units - a.units),
    seconds: open.length === 0 ? 0 : rate === undefined ? null : rate.seconds * open.length,
    ...(rate === undefined ? {} : { measuredAt: rate.layer }),
  };
}

/** What is left of earlier renderings of a layer. */
interface LayerPast {
  readonly units: Map<number, (FingerprintParts | undefined)[]>;
  /** Seconds that a pixel took at a step, of each rendering. */
  readonly costs: number[];
}

class Past {
  /** By model and layer. */
  readonly #layers = new Map<string, LayerPast>();

  static async of(store: Store, plans: readonly ModelPlan[]): Promise<Past> {
    const past = new Past();
    for (const { slug, layers } of plans) {
      for (const { layer } of layers) {
        past.#layers.set(keyOf(slug, layer.name), { units: new Map(), costs: [] });
      }
    }
    for await (const record of store.records()) past.#add(record);
    return past;
  }

  #add(record: RenderingRecord): void {
    const { model, layer, unit, madeFrom, seconds, widthPx, heightPx, recipe } = record;
    const known = this.#layers.get(keyOf(model, layer));
    if (known === undefined) return;
    const others = known.units.get(unit);
    if (others === undefined) known.units.set(unit, [madeFrom]);
    else others.push(madeFrom);
    const work = widthPx * heightPx * Math.max(1, Number(recipe['steps']));
    if (seconds > 0 && Number.isFinite(work)) known.costs.push(seconds / work);
  }

  /** What differs between a planned unit and the most similar of its renderings; undefined where it has none. */
  differing(model: string, layer: string, { unit, madeFrom }: UnitPlan): readonly Field[] | undefined {
    const others = this.#layers.get(keyOf(model, layer))?.units.get(unit);
    return others
      ?.map((other) =>
        other === undefined ? [] : fields.filter((field) => other[field] !== madeFrom[field]),
      )
      .reduce((a, b) => (a.length === 0 || (b.length > 0 && b.length < a.length) ? b : a));
  }

  /**
   * Seconds for one unit, by the median of what the layer's renderings took; where it has none by the nearest layer of
   * the model that has, and how much less work a unit of that is.
   */
  rate(plan: ModelPlan, layerPlan: LayerPlan): { seconds: number; layer: string } | undefined {
    const measured = plan.layers
      .map((other) => ({
        other,
        away: Math.abs(other.index - layerPlan.index),
        cost: median(this.#layers.get(keyOf(plan.slug, other.layer.name))?.costs ?? []),
      }))
      .sort((a, b) => a.away - b.away)
      .find(({ cost }) => cost !== undefined);
    if (measured?.cost === undefined) return undefined;
    const { other, cost } = measured;
    const { recipe } = layerPlan;
    const ascents = recipe.keep === 'best' ? recipe.attempts : 1;
    const ofOne = (each: LayerPlan): number =>
      each.size.width * each.size.height * Math.max(1, each.recipe.steps);
    const seconds =
      other === layerPlan
        ? cost * ofOne(layerPlan)
        : cost * ofOne(other) * (workOfUnit(plan.network, layerPlan) / workOfUnit(plan.network, other));
    return { seconds: seconds * ascents, layer: other.layer.name };
  }
}

const keyOf = (model: string, layer: string): string => `${model}\0${layer}`;

function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}
