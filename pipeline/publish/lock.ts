/**
 * content/addresses.lock: every address that was ever published, in git. One line a layer, so that a change of it can
 * be reviewed: its units, and of each the start of its weights' digest, by which a unit is known whatever its number.
 * One line a page of changes likewise.
 */

import { join } from 'node:path';
import { z } from 'zod';
import { type Renumbered, renumbered } from '../../content/schema.ts';
import { PhospheneError } from '../error.ts';
import { type Files, writeChanged } from '../files.ts';
import { numbersIn, runsText } from '../runs.ts';
import { parseJson, parseStrict } from '../strict.ts';

export interface Lock {
  /** By slug. */
  readonly models: ReadonlyMap<string, LockedModel>;
  /** Pages below /changes/, by name. */
  readonly changes: ReadonlyMap<string, LockedChanges>;
}

export const emptyLock: Lock = { models: new Map(), changes: new Map() };

export interface LockedModel {
  readonly title: string;
  /** By slug. */
  readonly layers: ReadonlyMap<string, LockedLayer>;
}

export interface LockedLayer {
  /** As in the model file. */
  readonly name: string;
  /** Every unit ever shown, with its mark when it was last shown. */
  readonly units: ReadonlyMap<number, string>;
  readonly renumbered: readonly Renumbered[];
  /** Units that are not shown any more. */
  readonly gone: ReadonlyMap<number, LastShown>;
}

/** A page of what changed between two states. */
export interface LockedChanges {
  readonly title: string;
  /** Which states it compares: one page shows the same two for ever. */
  readonly mark: string;
  /** The day since which it is not shown; null while it is. */
  readonly until: string | null;
}

export interface LastShown {
  /** The day since which it is not shown. */
  readonly until: string;
  /** Of the last picture; null where it is not known. */
  readonly fingerprint: string | null;
}

/** Characters of a mark: 48 bits, so that two of 4,096 units share one in one of 30 million layers. */
const markLength = 8;

/** What a unit or a page is known by. @param digest sha256 in hex of what is its own: of a unit, its weights. */
export const markOf = (digest: string): string =>
  Buffer.from(digest.slice(0, (markLength * 3) / 2), 'hex').toString('base64url');

const lockedLayer = z.strictObject({
  name: z.string().optional(),
  units: z.string(),
  weights: z.string(),
  renumbered: z.array(renumbered).optional(),
  gone: z
    .array(z.strictObject({ units: z.string(), until: z.iso.date(), last: z.array(z.string().nullable()) }))
    .optional(),
});

const written = z.strictObject({
  version: z.literal(1),
  models: z.record(
    z.string(),
    z.strictObject({ title: z.string(), layers: z.record(z.string(), lockedLayer) }),
  ),
  changes: z
    .record(
      z.string(),
      z.strictObject({ title: z.string(), mark: z.string(), until: z.iso.date().optional() }),
    )
    .optional(),
});

export const lockPath = (contentDir: string): string => join(contentDir, 'addresses.lock');

/** No address where there is no lock yet. @throws PhospheneError (exit code 2) for one that is damaged. */
export async function readLock(files: Files, contentDir: string): Promise<Lock> {
  const path = lockPath(contentDir);
  if ((await files.info(path)) === undefined) return emptyLock;
  const text = (await files.read(path)).toString('utf8');
  const { models, changes = {} } = parseStrict(written, parseJson(text, path), path);
  const readModels = Object.entries(models).map(([slug, { title, layers }]): [string, LockedModel] => {
    const read = Object.entries(layers).map(
      ([layer, entry]) => [layer, layerIn(entry, layer, `${path}: ${slug}/${layer}`)] as const,
    );
    return [slug, { title, layers: new Map(read) }];
  });
  const readChanges = Object.entries(changes).map(
    ([name, { until = null, ...page }]): [string, LockedChanges] => [name, { ...page, until }],
  );
  return { models: new Map(readModels), changes: new Map(readChanges) };
}

function layerIn(entry: z.infer<typeof lockedLayer>, slug: string, where: string): LockedLayer {
  const units = numbersIn(entry.units);
  const gone = (entry.gone ?? []).flatMap(({ units: own, until, last }) =>
    numbersIn(own).map((unit, place) => [unit, { until, fingerprint: last[place] ?? null }] as const),
  );
  if (units.length === 0 || entry.weights.length !== units.length * markLength) {
    throw new PhospheneError(
      `${where}: expected units and ${markLength} characters of 'weights' for each, found ${units.length} units and ${entry.weights.length} characters; take the file from git again`,
      { exitCode: 2 },
    );
  }
  const mark = (place: number): string => entry.weights.slice(place * markLength, (place + 1) * markLength);
  return {
    name: entry.name ?? slug,
    units: new Map(units.map((unit, place) => [unit, mark(place)])),
    renumbered: entry.renumbered ?? [],
    gone: new Map(gone),
  };
}

/** Returns whether the file had to be written. @throws PhospheneError where it cannot be. */
export function writeLock(files: Files, contentDir: string, lock: Lock): Promise<boolean> {
  const models = sorted(lock.models).map(([slug, { title, layers }]) => {
    const lines = sorted(layers).map(
      ([layer, entry]) => `        ${JSON.stringify(layer)}: ${JSON.stringify(layerAsWritten(layer, entry))}`,
    );
    const head = `    ${JSON.stringify(slug)}: {\n      "title": ${JSON.stringify(title)},\n      "layers": {\n`;
    return `${head}${lines.join(',\n')}\n      }\n    }`;
  });
  const changes = sorted(lock.changes).map(([name, { until, ...page }]) => {
    const line = { ...page, ...(until === null ? {} : { until }) };
    return `    ${JSON.stringify(name)}: ${JSON.stringify(line)}`;
  });
  const told = changes.length === 0 ? '' : `,\n  "changes": {\n${changes.join(',\n')}\n  }`;
  const text = `{\n  "version": 1,\n  "models": {\n${models.join(',\n')}\n  }${told}\n}\n`;
  return writeChanged(files, lockPath(contentDir), Buffer.from(text));
}

function layerAsWritten(slug: string, { name, units, renumbered: moves, gone }: LockedLayer): object {
  const ordered = [...units].sort(([a], [b]) => a - b);
  const days = Map.groupBy(
    [...gone].sort(([a], [b]) => a - b),
    ([, { until }]) => until,
  );
  const batches = [...days].sort().map(([until, batch]) => ({
    units: runsText(batch.map(([unit]) => unit)),
    until,
    last: batch.map(([, { fingerprint }]) => fingerprint),
  }));
  return {
    ...(name === slug ? {} : { name }),
    units: runsText(ordered.map(([unit]) => unit)),
    weights: ordered.map(([, mark]) => mark).join(''),
    ...(moves.length === 0 ? {} : { renumbered: moves.toSorted((a, b) => a.unit - b.unit) }),
    ...(batches.length === 0 ? {} : { gone: batches }),
  };
}

const sorted = <Value>(map: ReadonlyMap<string, Value>): [string, Value][] =>
  [...map].sort(([a], [b]) => (a < b ? -1 : 1));
