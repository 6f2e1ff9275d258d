/**
 * How fast a store of all of VGG16 tells what it has, is verified and carried elsewhere, in how much memory: `node bench/store.ts [units]`. Makes such a store below the
 * system's folder for temporary files, with pictures of few pixels, and removes it.
 */

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { disk } from '../pipeline/files.ts';
import { exportRenderings, importRenderings } from '../pipeline/store/archive.ts';
import { DiskStore } from '../pipeline/store/disk.ts';
import { type FingerprintParts, fingerprintOfParts } from '../pipeline/store/fingerprint.ts';
import type { Rendering } from '../pipeline/store/store.ts';
import { byteCount } from '../pipeline/words.ts';
import { standIn } from './stand-in.ts';

const units = Number(process.argv[2] ?? 13_416);
const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

const shared = Object.fromEntries(
  ['structure', 'weights', 'scaling', 'recipe', 'lastResort', 'size', 'frames'].map((name) => [
    name,
    digest(name),
  ]),
);

const partsOf = (unit: number): FingerprintParts =>
  ({ ...shared, version: 1, slice: digest(`slice ${unit}`), unit, seed: 0 }) as FingerprintParts;

async function rendering(unit: number): Promise<Rendering> {
  const madeFrom = partsOf(unit);
  const fingerprint = await fingerprintOfParts(madeFrom);
  return standIn({ fingerprint, madeFrom, layer: `layer${unit % 16}`, unit }, 4, unit);
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const from = performance.now();
  const result = await work();
  const ms = performance.now() - from;
  print(
    `${what.padEnd(40)} ${ms.toFixed(0).padStart(7)} ms ${((ms * 1000) / units).toFixed(0).padStart(6)} µs a unit`,
  );
  return result;
}

const peak = (when: string): void =>
  print(`${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB at most ${when}`);

const folder = await mkdtemp(join(tmpdir(), 'phosphene-bench-'));
try {
  const quick = {
    ...disk,
    write: (path: string, bytes: Uint8Array) => disk.write(path, bytes, false),
    flushFolder: async () => {},
  };
  const writer = new DiskStore(folder, quick);
  const all = await Promise.all(
    Array.from({ length: units }, (_, unit) => fingerprintOfParts(partsOf(unit))),
  );
  await timed('write, unflushed', async () => {
    for (let unit = 0; unit < units; unit++) await writer.write(await rendering(unit));
  });
  const store = new DiskStore(folder);
  await timed('has, one by one', async () => {
    for (const each of all) if (!(await store.has(each))) throw new Error(`${each} is not there`);
  });
  const found = await timed('hasAll', () => store.hasAll(all));
  if (found.size !== units) throw new Error(`${found.size} of ${units} found`);
  const none = await timed('hasAll of what is not there', () =>
    store.hasAll(all.map((each) => digest(each))),
  );
  if (none.size !== 0) throw new Error(`${none.size} of 0 found`);
  await timed('records', async () => {
    let count = 0;
    for await (const { unit } of store.records()) count += unit >= 0 ? 1 : 0;
    if (count !== units) throw new Error(`${count} of ${units} records`);
  });
  await timed('verify, every checksum', async () => {
    for (const each of all) {
      const files = await store.filesOf(each);
      if (files === undefined || 'problem' in files) throw new Error(`${each} is damaged`);
    }
  });
  peak('before export');
  const never = new AbortController().signal;
  const archive = join(folder, 'all.tar');
  const { bytes } = await timed('export', () => exportRenderings(store, all, archive, never));
  peak(`after export of ${byteCount(bytes)}`);
  const other = new DiskStore(join(folder, 'other'), quick);
  const { added } = await timed('import, unflushed', () => importRenderings(other, archive, never));
  if (added !== units) throw new Error(`${added} of ${units} imported`);
  peak('after import');
} finally {
  await rm(folder, { recursive: true });
}
