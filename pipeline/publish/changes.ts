/** content/changes/<name>.json: what `diff` found, kept for a page of the site. */

import { join } from 'node:path';
import { type Changes, changes } from '../../content/schema.ts';
import { PhospheneError } from '../error.ts';
import { type Files, writeChanged } from '../files.ts';
import { parseJson, parseStrict } from '../strict.ts';
import { type LockedChanges, markOf } from './lock.ts';
import { sha256 } from './manifest.ts';

/** A page of changes as the addresses know it. */
export type ShownChanges = Pick<LockedChanges, 'title' | 'mark'>;

export const changesPath = (contentDir: string, name: string): string =>
  join(contentDir, 'changes', `${name}.json`);

/** By name. @throws PhospheneError (exit code 2) for a file that is wrong. */
export async function readChanges(files: Files, contentDir: string): Promise<ReadonlyMap<string, Changes>> {
  const folder = join(contentDir, 'changes');
  const names = (await files.names(folder)).filter((name) => /^[a-z0-9][a-z0-9._-]*\.json$/.test(name));
  const read = names.sort().map(async (file): Promise<[string, Changes]> => {
    const path = join(folder, file);
    const value = parseJson((await files.read(path)).toString('utf8'), path);
    return [file.slice(0, -'.json'.length), parseStrict(changes, value, path)];
  });
  return new Map(await Promise.all(read));
}

export function writeChanges(
  files: Files,
  contentDir: string,
  name: string,
  found: Changes,
): Promise<boolean> {
  const text = `${JSON.stringify(changes.parse(found), null, 1)}\n`;
  return writeChanged(files, changesPath(contentDir, name), Buffer.from(text));
}

/** Fingerprints of all pictures that such a page shows, each once. */
export function changedFingerprints(all: Iterable<Changes>): string[] {
  const found = [...all].flatMap(({ layers }) =>
    layers.flatMap((layer) =>
      layer.changed
        .filter(isSeen)
        .slice(0, mostShown)
        .flatMap(({ before, after }) => [before, after]),
    ),
  );
  return [...new Set(found)].filter((fingerprint) => fingerprint !== null);
}

/** A page shows the most changed units of a layer; its table counts all. */
export const mostShown = 60;

/** Whether there are two pictures to look at. */
export const isSeen = ({ rendered }: Changes['layers'][number]['changed'][number]): boolean =>
  rendered.every((each) => each);

/** What such a page shows: the same mark where the same two states are compared, whatever of them was rendered then. */
export function shownChanges({ before, after, layers }: Changes): ShownChanges {
  const units = layers.map(({ slug, changed }) => [
    slug,
    changed.map((unit) => [unit.unit, unit.before, unit.after].join()).sort(),
  ]);
  return { title: `${before} → ${after}`, mark: markOf(sha256(Buffer.from(JSON.stringify(units)))) };
}

/** @throws PhospheneError (exit code 2) where a page that was published compares other states than it did. */
export function checkStates(
  name: string,
  { mark }: ShownChanges,
  known: LockedChanges | undefined,
  contentDir: string,
): void {
  if (known === undefined || known.mark === mark) return;
  throw new PhospheneError(
    `${changesPath(contentDir, name)}: /changes/${name}/ was published as '${known.title}' and stays what it is, but this compares something else; give it another name`,
    { exitCode: 2 },
  );
}
