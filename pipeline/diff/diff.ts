/**
 * Two states of a network, unit by unit: which weights changed and how far, and what the units see now. A unit whose
 * fingerprint is the same is the same in all that counts; of the others both renderings are looked at, if they are there.
 */

import type { UnitChange } from '../../content/schema.ts';
import type { ModelPlan } from '../plan.ts';
import type { FingerprintParts } from '../store/fingerprint.ts';
import type { Rendering, Store } from '../store/store.ts';
import { ownWeights, relativeDistance } from './weights.ts';

/** One state: a model file as it is planned, or a release. */
export interface Side {
  /** As people call it. */
  readonly name: string;
  readonly layers: readonly SideLayer[];
}

export interface SideLayer {
  readonly slug: string;
  readonly name: string;
  readonly units: ReadonlyMap<number, SideUnit>;
  /** A unit's own weights; not known of a release. */
  readonly weights?: (unit: number) => readonly Float32Array[];
}

export interface SideUnit {
  readonly fingerprint: string;
  readonly label?: string;
  /** Not known of a release whose rendering is not there. */
  readonly madeFrom?: FingerprintParts;
}

export interface LayerDiff {
  readonly slug: string;
  readonly name: string;
  /** Units that either side has. */
  readonly units: number;
  /** Those that are not the same, the most changed first: by what is seen, then by weights. */
  readonly changed: readonly UnitChange[];
}

export interface Diff {
  readonly before: string;
  readonly after: string;
  readonly layers: readonly LayerDiff[];
}

export function sideOfPlan(name: string, { network, layers }: ModelPlan): Side {
  return {
    name,
    layers: layers.map(({ layer, slug, units }) => ({
      slug,
      name: layer.name,
      units: new Map(units.map((unit) => [unit.unit, unit])),
      weights: ownWeights(network, layer),
    })),
  };
}

/** Layers are the same where their slugs are, units where their numbers are. */
export async function diff(before: Side, after: Side, store: Store, signal: AbortSignal): Promise<Diff> {
  const later = new Map(after.layers.map((layer) => [layer.slug, layer]));
  const earlier = new Set(before.layers.map(({ slug }) => slug));
  const pairs: [SideLayer | undefined, SideLayer | undefined][] = [
    ...before.layers.map((layer): [SideLayer, SideLayer | undefined] => [layer, later.get(layer.slug)]),
    ...after.layers
      .filter(({ slug }) => !earlier.has(slug))
      .map((layer): [undefined, SideLayer] => [undefined, layer]),
  ];
  const layers: LayerDiff[] = [];
  for (const [one, other] of pairs) {
    const { slug = '', name = '' } = one ?? other ?? {};
    const units = [...new Set([...(one?.units.keys() ?? []), ...(other?.units.keys() ?? [])])];
    const changed: UnitChange[] = [];
    for (const unit of units.sort((a, b) => a - b)) {
      signal.throwIfAborted();
      const [was, is] = [one?.units.get(unit), other?.units.get(unit)];
      if (was?.fingerprint === is?.fingerprint) continue;
      changed.push(await unitChange(unit, was, is, one, other, store));
    }
    changed.sort((a, b) => amount(b.picture) - amount(a.picture) || amount(b.weights) - amount(a.weights));
    layers.push({ slug, name, units: units.length, changed });
  }
  return { before: before.name, after: after.name, layers };
}

const amount = (value: number | null): number => value ?? -1;

async function unitChange(
  unit: number,
  was: SideUnit | undefined,
  is: SideUnit | undefined,
  before: SideLayer | undefined,
  after: SideLayer | undefined,
  store: Store,
): Promise<UnitChange> {
  const [old, now] = await Promise.all(
    [was, is].map((side) => (side === undefined ? undefined : store.read(side.fingerprint))),
  );
  const [from, to] = [was?.madeFrom ?? old?.madeFrom, is?.madeFrom ?? now?.madeFrom];
  const differs = (...fields: (keyof FingerprintParts)[]): boolean | null =>
    from === undefined || to === undefined ? null : fields.some((field) => from[field] !== to[field]);
  const own = differs('slice');
  const distance =
    before?.weights === undefined || after?.weights === undefined || was === undefined || is === undefined
      ? null
      : relativeDistance(before.weights(unit), after.weights(unit));
  const label = is?.label ?? was?.label;
  return {
    unit,
    ...(label === undefined ? {} : { label }),
    before: was?.fingerprint ?? null,
    after: is?.fingerprint ?? null,
    own,
    below: differs('weights', 'structure'),
    settings: differs('version', 'scaling', 'recipe', 'lastResort', 'size', 'frames', 'seed'),
    weights: own === false ? 0 : distance,
    rendered: [old !== undefined, now !== undefined],
    picture: old === undefined || now === undefined ? null : pictureDistance(old, now),
    activation: [old?.measures.activation ?? null, now?.measures.activation ?? null],
    dead: [old?.measures.dead ?? null, now?.measures.dead ?? null],
  };
}

/**
 * The root mean square of the difference between two finished pictures' values, 0 (the same) to 1 (black and white
 * exchanged); null for pictures of two sizes.
 */
export function pictureDistance(before: Rendering, after: Rendering): number | null {
  const [one, other] = [before, after].map(({ frames }) => frames.at(-1)?.pixels);
  const isAlike = before.widthPx === after.widthPx && one?.length === other?.length;
  if (one === undefined || other === undefined || !isAlike) return null;
  let squares = 0;
  for (let index = 0; index < one.length; index++) {
    squares += ((one[index] as number) - (other[index] as number)) ** 2;
  }
  return Math.sqrt(squares / one.length) / 255;
}
