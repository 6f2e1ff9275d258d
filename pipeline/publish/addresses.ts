/**
 * No address that was published dies, and none comes to mean something else in silence: what the lock promises is
 * shown, or forwards, or says what was there; where people have not said which, nothing is published.
 */

import type { AddressBook, Moved, Renumbered } from '../../content/schema.ts';
import { PhospheneError } from '../error.ts';
import { runsOf, runsText } from '../runs.ts';
import { counted } from '../words.ts';
import { checkStates, type ShownChanges } from './changes.ts';
import type { LastShown, Lock, LockedLayer, LockedModel } from './lock.ts';

/** What is about to be published. */
export interface Shown {
  readonly models: readonly ShownModel[];
  /** Pages below /changes/, by name. */
  readonly changes: ReadonlyMap<string, ShownChanges>;
}

export interface ShownModel {
  readonly slug: string;
  readonly title: string;
  readonly layers: readonly ShownLayer[];
}

export interface ShownLayer {
  readonly slug: string;
  readonly name: string;
  /** The units that are shown, each with the mark that it is known by. */
  readonly units: ReadonlyMap<number, string>;
  /** Units that are wanted, but not rendered. */
  readonly missing: ReadonlySet<number>;
}

/** An address that is left as a note. */
export interface GonePlace {
  readonly model: string;
  readonly layer?: string;
  readonly unit?: number;
  readonly why: string;
}

export interface Settled {
  readonly lock: Lock;
  readonly moved: readonly Moved[];
  readonly gone: readonly GonePlace[];
}

/** What pages of changes have in place of a model; no model is called so. */
export const changesSlug = 'changes';

/** A place of the gallery: `[model]`, `[model, layer]` or `[model, layer, unit]`; or `['changes', name]`. */
type Place = readonly [model: string, layer?: string | undefined, unit?: number | undefined];

const placeText = (place: Place): string => place.join('/');

function placeIn(text: string): Place {
  const [model = '', layer, unit] = text.split('/');
  if (layer === undefined) return [model];
  return unit === undefined ? [model, layer] : [model, layer, Number(unit)];
}

type Fate =
  | { readonly kind: 'shown' }
  | { readonly kind: 'moved'; readonly to: Place }
  | { readonly kind: 'gone'; readonly why: string }
  | { readonly kind: 'dropped' };

/**
 * What becomes of every address of the lock, and the lock as it is after publishing.
 * @param where.absent Models of content/models whose weights are not on this machine, and why, as words.
 * @param where.today ISO date.
 * @throws PhospheneError (exit code 2) where an address would be dropped, or where the book contradicts the gallery.
 */
export function settle(
  lock: Lock,
  shown: Shown,
  book: AddressBook,
  where: {
    readonly contentDir: string;
    readonly today: string;
    readonly absent: ReadonlyMap<string, string>;
  },
): Settled {
  const gallery = new Gallery(shown);
  const bookPath = `${where.contentDir}/addresses.json`;
  checkBook(book, lock, gallery, bookPath);
  const models = new Map(lock.models);
  const changes = new Map(lock.changes);
  const moved: Moved[] = [];
  const gone: GonePlace[] = [];
  const dropped: Place[] = [];

  for (const model of shown.models) {
    const before = lock.models.get(model.slug);
    const layers = new Map(before?.layers);
    for (const layer of model.layers) {
      if (layer.units.size === 0) continue;
      const known = before?.layers.get(layer.slug);
      if (known !== undefined && model.slug.includes('@'))
        checkFrozen(known, layer, model.slug, where.contentDir);
      layers.set(layer.slug, lockedAfter(known, layer, where.today));
    }
    if (layers.size > 0) models.set(model.slug, { title: model.title, layers });
  }
  for (const [name, page] of shown.changes) {
    checkStates(name, page, lock.changes.get(name), where.contentDir);
    changes.set(name, { ...page, until: null });
  }

  const fateOf = (place: Place): Fate => {
    const [model, layer, unit] = place;
    if (gallery.shows(place)) return { kind: 'shown' };
    const now = models
      .get(model)
      ?.layers.get(layer ?? '')
      ?.renumbered.findLast((one) => one.unit === unit)?.now;
    if (now !== undefined && now !== null) return { kind: 'moved', to: [model, layer, now] };
    return fateInBook(place, book, gallery);
  };
  const settleOne = (place: Place): Fate['kind'] => {
    const fate = fateOf(place);
    if (fate.kind === 'dropped') dropped.push(place);
    if (fate.kind === 'moved') moved.push({ from: placeText(place), to: placeText(fate.to) });
    if (fate.kind === 'gone') {
      const [model, layer, unit] = place;
      gone.push({
        model,
        ...(layer === undefined ? {} : { layer }),
        ...(unit === undefined ? {} : { unit }),
        why: fate.why,
      });
    }
    return fate.kind;
  };
  for (const [slug, { title, layers }] of lock.models) {
    settleOne([slug]);
    const after = new Map(models.get(slug)?.layers);
    for (const [layerSlug, layer] of layers) {
      settleOne([slug, layerSlug]);
      const left = new Map<number, LastShown>();
      const together = new Map<string, number[]>();
      for (const unit of layer.units.keys()) {
        const place: Place = [slug, layerSlug, unit];
        const fate = fateOf(place);
        if (fate.kind === 'moved' && fate.to[2] === unit) {
          const to = placeText([fate.to[0], fate.to[1]]);
          together.set(to, [...(together.get(to) ?? []), unit]);
        } else if (settleOne(place) === 'gone') {
          left.set(unit, layer.gone.get(unit) ?? { until: where.today, fingerprint: null });
        }
      }
      for (const [to, units] of together) {
        moved.push({ from: `${slug}/${layerSlug}`, to, units: runsOf(units.sort((a, b) => a - b)) });
      }
      const now = after.get(layerSlug) ?? layer;
      after.set(layerSlug, { ...now, gone: left });
    }
    models.set(slug, { title: models.get(slug)?.title ?? title, layers: after });
  }
  for (const [name, page] of lock.changes) {
    const isGone = settleOne([changesSlug, name]) === 'gone';
    if (isGone) changes.set(name, { ...page, until: page.until ?? where.today });
  }
  if (dropped.length > 0) throw refusal(dropped, lock, gallery, where, bookPath);
  return { lock: { models, changes }, moved, gone };
}

class Gallery {
  readonly #models: ReadonlyMap<string, ReadonlyMap<string, ShownLayer>>;
  readonly #changes: Shown['changes'];

  constructor({ models, changes }: Shown) {
    this.#changes = changes;
    this.#models = new Map(
      models.map(({ slug, layers }) => [slug, new Map(layers.map((layer) => [layer.slug, layer]))]),
    );
  }

  layer(model: string, layer: string): ShownLayer | undefined {
    return this.#models.get(model)?.get(layer);
  }

  /** What has no picture has no page. */
  shows([model, layer, unit]: Place): boolean {
    if (layer === undefined) {
      return [...(this.#models.get(model)?.values() ?? [])].some(({ units }) => units.size > 0);
    }
    if (model === changesSlug) return unit === undefined && this.#changes.has(layer);
    const units = this.layer(model, layer)?.units;
    return units !== undefined && (unit === undefined ? units.size > 0 : units.has(unit));
  }

  /** Whether a place is not shown only because what it would show is not rendered. */
  awaits([model, layer, unit]: Place): boolean {
    if (layer === undefined) return this.#models.has(model);
    if (model === changesSlug) return unit === undefined && this.#changes.has(layer);
    const known = this.layer(model, layer);
    return known !== undefined && (unit === undefined || known.missing.has(unit));
  }

  /** Layers as `[model, layer]`. */
  *layers(): Generator<readonly [string, ShownLayer]> {
    for (const [model, layers] of this.#models) for (const layer of layers.values()) yield [model, layer];
  }
}

/** Follows what people wrote, the most exact word first, and from there on again. */
function fateInBook(place: Place, book: AddressBook, gallery: Gallery): Fate {
  const seen = new Set<string>();
  let at = place;
  while (!seen.has(placeText(at))) {
    seen.add(placeText(at));
    const word = wordOn(at, book);
    if (word === undefined || 'why' in word) return word === undefined ? { kind: 'dropped' } : word;
    at = [...word.to, ...at.slice(word.to.length)] as unknown as Place;
    if (gallery.shows(at)) return { kind: 'moved', to: at };
  }
  return { kind: 'dropped' };
}

/** What the book says of a place: of the unit before the layer, of the layer before the model. */
function wordOn(
  [model, layer, unit]: Place,
  { moved, gone }: AddressBook,
): { readonly to: Place } | (Fate & { kind: 'gone' }) | undefined {
  const units = Object.keys(gone).find((key) => unit !== undefined && isAmong(key, [model, layer, unit]));
  const levels = [
    unit === undefined ? undefined : { key: placeText([model, layer, unit]), units },
    layer === undefined ? undefined : { key: placeText([model, layer]) },
    { key: model },
  ];
  for (const level of levels) {
    if (level === undefined) continue;
    const to = moved[level.key];
    if (to !== undefined) return { to: placeIn(to) };
    const why = gone[('units' in level ? level.units : undefined) ?? level.key];
    if (why !== undefined) return { kind: 'gone', why };
  }
  return undefined;
}

/** Whether a key such as `mnist/dense_1/200-255` means a unit. */
function isAmong(key: string, [model, layer, unit = -1]: Place): boolean {
  const [keyModel, keyLayer, keyUnits] = key.split('/');
  if (keyUnits === undefined || keyModel !== model || keyLayer !== layer) return false;
  const [first = -1, last = first] = keyUnits.split('-').map(Number);
  return unit >= first && unit <= last;
}

/** @throws PhospheneError where the book speaks of what never was, of what is shown, or of a place that is not there. */
function checkBook(book: AddressBook, lock: Lock, gallery: Gallery, bookPath: string): void {
  const fail = (message: string): never => {
    throw new PhospheneError(`${bookPath}: ${message}`, { exitCode: 2 });
  };
  for (const key of [...Object.keys(book.moved), ...Object.keys(book.gone)]) {
    const [model = '', layer, units] = key.split('/');
    const known = model === changesSlug ? lock.changes : lock.models.get(model)?.layers;
    if (known === undefined || (layer !== undefined && !known.has(layer))) {
      fail(`'${key}' was never published; correct it or leave it out`);
    }
    const isRange = units?.includes('-') === true;
    if (!isRange && gallery.shows(placeIn(key))) fail(`'${key}' is in the gallery; leave it out`);
  }
  for (const [from, to] of Object.entries(book.moved)) {
    if (from.split('/').length !== to.split('/').length) {
      fail(`'${from}' and '${to}' have to be two models, two layers or two units`);
    }
    const ends = fateInBook(placeIn(from), book, gallery);
    if (ends.kind === 'dropped') {
      fail(`'${from}' moved to '${to}', which the gallery does not have; correct it`);
    }
  }
}

/** @throws PhospheneError where a release is not what it was when it was published. */
function checkFrozen(known: LockedLayer, { units }: ShownLayer, slug: string, contentDir: string): void {
  for (const [unit, mark] of units) {
    const before = known.units.get(unit);
    if (before === undefined || before === mark) continue;
    throw new PhospheneError(
      `${contentDir}/releases/${slug}.json: a release stays as it is, but unit ${unit} of '${known.name}' is not what it was; take the file from git again`,
      { exitCode: 2 },
    );
  }
}

/** Old number ⇒ new number of units that are known again by their weights under another number. */
function renumberingOf(known: LockedLayer | undefined, { units }: ShownLayer): Map<number, number> {
  const moved = new Map<number, number>();
  if (known === undefined) return moved;
  const was = placesByMark([...known.units].filter(([unit]) => isStill(known, unit)));
  const is = placesByMark([...units]);
  for (const [mark, unit] of was) {
    const now = is.get(mark);
    // Units that are alike, as those of all zeros, cannot be told apart.
    if (unit === null || now === null || now === undefined || unit === now) continue;
    moved.set(unit, now);
  }
  return moved;
}

/** Whether a number meant the unit of its mark at the last publishing, and did not only forward to it. */
function isStill({ units, renumbered, gone }: LockedLayer, unit: number): boolean {
  const mark = units.get(unit);
  const forwards = renumbered.some(
    (one) => one.unit === unit && one.now !== null && units.get(one.now) === mark,
  );
  return !gone.has(unit) && !forwards;
}

/** Null where several units have the mark. */
function placesByMark(units: readonly (readonly [number, string])[]): Map<string, number | null> {
  const places = new Map<string, number | null>();
  for (const [unit, mark] of units) places.set(mark, places.has(mark) ? null : unit);
  return places;
}

function lockedAfter(known: LockedLayer | undefined, layer: ShownLayer, today: string): LockedLayer {
  const { name, units } = layer;
  if (known === undefined) return { name, units, renumbered: [], gone: new Map() };
  const moves = renumberingOf(known, layer);
  const nowOf = (unit: number | null): number | null => (unit === null ? null : (moves.get(unit) ?? unit));
  const earlier = known.renumbered.map((one) => ({ ...one, now: nowOf(one.now) }));
  const fresh: Renumbered[] = [];
  const arrived = new Set(moves.values());
  const marks = new Set(units.values());
  for (const [unit, mark] of known.units) {
    if (!isStill(known, unit)) continue;
    const to = moves.get(unit);
    if (to !== undefined) fresh.push({ unit, now: to, until: today });
    // Its number was taken by a unit that had another one, and its own weights are nowhere: it is gone.
    else if (arrived.has(unit) && !marks.has(mark)) fresh.push({ unit, now: null, until: today });
  }
  return {
    name,
    units: new Map([...known.units, ...units]),
    renumbered: [...earlier, ...fresh].filter(({ unit, now }) => unit !== now),
    gone: known.gone,
  };
}

/** One sentence: what would be lost, and what to write where. */
function refusal(
  dropped: readonly Place[],
  lock: Lock,
  gallery: Gallery,
  where: Parameters<typeof settle>[3],
  bookPath: string,
): PhospheneError {
  const [model] = dropped[0] ?? [''];
  const lockFile = `${where.contentDir}/addresses.lock`;
  const below = dropped.filter(([slug]) => slug === model);
  const others = new Set(dropped.map(([slug]) => slug)).size - 1;
  const more = others === 0 ? '' : ` (and ${counted(others, 'other model')} likewise)`;
  const preview = 'phosphene publish --preview shows here what there is, and promises nothing';
  const sentence = (rest: string): PhospheneError =>
    new PhospheneError(`${lockFile} promises ${rest}`, { exitCode: 2 });
  if (model === changesSlug) {
    const key = placeText(below[0] as Place);
    return sentence(
      `/${key}/, which the gallery would no longer have${more}: take ${where.contentDir}/${key}.json from git again, or write into ${bookPath} why it is gone, {"gone": {"${key}": "WHY"}}`,
    );
  }

  const absent = where.absent.get(model);
  if (absent !== undefined) {
    return sentence(
      `${counted(below.length, 'page')} of '${model}', but ${absent}${more}: render or import it first; ${preview}`,
    );
  }
  const unrendered = below.filter((place) => gallery.awaits(place));
  const first = unrendered.find(({ length }) => length === 3) ?? unrendered[0];
  if (first !== undefined && unrendered.length === below.length) {
    return sentence(
      `${counted(below.length, 'page')} of '${model}' that are not rendered, such as ${placeText(first)}${more}: run phosphene render ${model} first; ${preview}`,
    );
  }
  const lost = below.filter((place) => !unrendered.includes(place));
  const [key, units] = keyOf(lost, lock);
  const to =
    likeness(lost, lock, gallery) ?? placeText([model, 'NEW'].slice(0, key.split('/').length) as never);
  const isSome = key.split('/').length === 3;
  const move = isSome ? '' : `where it is now, {"moved": {"${key}": "${to}"}}, or `;
  return sentence(
    `${key} with ${counted(units, 'unit')}, which the gallery would no longer have${more}: write into ${bookPath} ${move}why it is gone, {"gone": {"${key}": "WHY"}}`,
  );
}

/** The shortest name of what is lost first: a whole model, a whole layer or some units; and how many units that is. */
function keyOf(lost: readonly Place[], lock: Lock): readonly [key: string, units: number] {
  const [model, layerOfFirst] = lost.find(([, layer]) => layer !== undefined) ?? lost[0] ?? [''];
  const known = lock.models.get(model) as LockedModel;
  const layersLost = lost.filter((place) => place.length === 2);
  const unitsLost = lost.filter((place) => place.length === 3);
  if (layersLost.length === known.layers.size || layerOfFirst === undefined) return [model, unitsLost.length];
  const own = unitsLost.flatMap(([, layer, unit]) => (layer === layerOfFirst ? (unit ?? []) : []));
  const isWhole = layersLost.some(([, layer]) => layer === layerOfFirst);
  const key = `${model}/${layerOfFirst}`;
  return [isWhole ? key : `${key}/${runsText(own.slice().sort((a, b) => a - b)).split(',')[0]}`, own.length];
}

/** A layer of the gallery that has most of the units that are lost, or its model where a whole model is. */
function likeness(lost: readonly Place[], lock: Lock, gallery: Gallery): string | undefined {
  const [model, layer] = lost.find((place) => place.length === 2) ?? [];
  const marks = new Set(
    lock.models
      .get(model ?? '')
      ?.layers.get(layer ?? '')
      ?.units.values(),
  );
  for (const [otherModel, { slug, units }] of gallery.layers()) {
    const same = [...units.values()].filter((mark) => marks.has(mark)).length;
    if (same * 2 <= marks.size || (otherModel === model && slug === layer)) continue;
    return otherModel === model
      ? `${otherModel}/${slug}`
      : lost[0]?.length === 1
        ? otherModel
        : `${otherModel}/${slug}`;
  }
  return undefined;
}
