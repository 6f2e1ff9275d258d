/**
 * Folders that hold the same files without holding them twice: hard links. A file is never written into once it is
 * linked, only replaced. Where there can be no link, files are copied.
 */

import {
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** Puts every file below `from` whose name is `wanted` into the same place below `to`. What is there already stays. */
export function linkAll(from: string, to: string, wanted: (name: string) => boolean = () => true): void {
  mkdirSync(to, { recursive: true });
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) linkAll(source, target, wanted);
    else if (wanted(entry.name)) linkOne(source, target);
  }
}

/**
 * Makes `to` hold what `from` holds and the files of `more`, by the names that they get, and nothing else. What is the
 * same file already is not touched.
 */
export function mirror(from: string, to: string, more: ReadonlyMap<string, string> = new Map()): void {
  mkdirSync(to, { recursive: true });
  const wanted = new Map(readdirSync(from, { withFileTypes: true }).map((entry) => [entry.name, entry]));
  for (const entry of readdirSync(to, { withFileTypes: true })) {
    const same = wanted.get(entry.name);
    const stays = same === undefined ? more.has(entry.name) : same.isDirectory() === entry.isDirectory();
    if (!stays) rmSync(join(to, entry.name), { recursive: true });
  }
  for (const [name, entry] of wanted) {
    if (entry.isDirectory()) mirror(join(from, name), join(to, name));
    else linkOne(join(from, name), join(to, name));
  }
  for (const [name, file] of more) linkOne(file, join(to, name));
}

/** Puts a file at another place, too. */
export function linkOne(source: string, target: string): void {
  const there = lstatSync(target, { throwIfNoEntry: false });
  if (there !== undefined) {
    const { ino, dev } = lstatSync(source);
    if (there.ino === ino && there.dev === dev) return;
    rmSync(target, { recursive: true });
  }
  try {
    linkSync(source, target);
  } catch {
    copyFileSync(source, target);
  }
}

/** Fills a folder with links to what lies below `from`, under another name, then renames it: it is whole or not there. */
export function linkWhole(from: string, to: string, wanted: (name: string) => boolean): void {
  const making = join(dirname(to), `.making-${process.pid}`);
  rmSync(making, { recursive: true, force: true });
  linkAll(from, making, wanted);
  renameSync(making, to);
}

/** Removes all below `folder` but what `stays`, told its path from there: a folder that stays does so with all in it. */
export function clear(folder: string, stays: (path: string) => boolean, below = ''): void {
  for (const entry of namesIn(folder)) {
    const path = below === '' ? entry.name : `${below}/${entry.name}`;
    if (stays(path)) continue;
    const place = join(folder, entry.name);
    if (entry.isDirectory() && below === '') {
      clear(place, stays, path);
      if (namesIn(place).length > 0) continue;
    }
    rmSync(place, { recursive: true });
  }
}

const namesIn = (folder: string) => (existsSync(folder) ? readdirSync(folder, { withFileTypes: true }) : []);
