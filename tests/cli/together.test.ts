/** Several processes, bad disks and odd clocks: one store, no unit twice, nothing lost. */

import { execFileSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DiskStore } from '../../pipeline/store/disk.ts';
import { quickContent, run, start } from './run.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-together-'));
  await quickContent(folder, { recipe: { preset: 'mnist-filters', steps: 24 } });
});
afterAll(() => rm(folder, { recursive: true }));

const stored = async (where: string): Promise<string[]> =>
  Array.fromAsync(new DiskStore(join(folder, where)).list());

it('three processes that render at once render every unit once, and all find it done', async () => {
  const three = await Promise.all(
    Array.from({ length: 3 }, () => run(['render', '--store', 'shared', '--json'], folder)),
  );
  expect(three.map(({ code }) => code)).toEqual([0, 0, 0]);
  const units = three.map(({ stdout }) => JSON.parse(stdout).units);
  for (const { total, fresh, rendered, failed } of units) {
    expect({ total, done: fresh + rendered, failed }).toEqual({ total: 42, done: 42, failed: 0 });
  }
  expect(units.reduce((sum, { rendered }) => sum + rendered, 0)).toBe(42);
  expect(await stored('shared')).toHaveLength(42);
  await expect(readdir(join(folder, 'shared/.claims'))).rejects.toThrow('ENOENT');
});

it('what a killed process had claimed is rendered by the other one', async () => {
  const { child, ended } = start(['render', '--store', 'killed'], folder);
  while ((await readdir(join(folder, 'killed/.claims')).catch(() => [])).length === 0) await setTimeout(20);
  child.kill('SIGKILL');
  await ended;
  const other = JSON.parse((await run(['render', '--store', 'killed', '--json'], folder)).stdout);
  expect(other.units).toMatchObject({ total: 42, failed: 0 });
  expect(await stored('killed')).toHaveLength(42);
  await expect(readdir(join(folder, 'killed/.claims'))).rejects.toThrow('ENOENT');
});

const isRoot = process.getuid?.() === 0;

/** A file system of its own; only root may mount one, and not everywhere. */
async function mounted(name: string, options: string): Promise<boolean> {
  await mkdir(join(folder, name));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', join(folder, name)], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const unmount = (name: string) => execFileSync('umount', [join(folder, name)]);

it('a disk that becomes full: one sentence, what was kept stays whole, and more room is all that it takes', async () => {
  const isMounted = isRoot && (await mounted('full', 'size=300k'));
  // Where nothing can be mounted, no file may be larger than a kilobyte: as full as a disk gets.
  const limit = isMounted ? [] : ['sh', '-c', 'trap "" XFSZ; ulimit -f 1; exec "$@"', 'sh'];
  try {
    const ended = await run(['render', '--store', 'full'], folder, limit);
    expect(ended.code).toBe(1);
    const line = ended.stderr.trim().split('\n').at(-1);
    expect(line).toMatch(
      /^phosphene: (The disk is full: full.* could not be written; free some space|Expected a place)/,
    );
    const store = new DiskStore(join(folder, 'full'));
    const kept = await stored('full');
    if (isMounted) expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(42);
    for (const each of kept) expect(await store.read(each)).toBeDefined();
    if (isMounted) {
      execFileSync('mount', ['-o', 'remount,size=30m', join(folder, 'full')]);
      const again = JSON.parse((await run(['render', '--store', 'full', '--json'], folder)).stdout);
      expect(again.units).toEqual({ total: 42, fresh: kept.length, rendered: 42 - kept.length, failed: 0 });
    }
  } finally {
    if (isMounted) unmount('full');
  }
});

it('a store that cannot be written is read and published from, and refused in one sentence where it must be', async () => {
  const isMounted = isRoot && (await mounted('fixed', 'size=30m'));
  try {
    await run(['render', '--store', 'fixed', '--layers', 'dense_3'], folder);
    if (isMounted) execFileSync('mount', ['-o', 'remount,ro', join(folder, 'fixed')]);
    else await chmod(join(folder, 'fixed'), 0o500);
    if (isMounted || !isRoot) {
      const refused = await run(['render', '--store', 'fixed'], folder);
      expect(refused.code).toBe(1);
      expect(refused.stderr.trim().split('\n').at(-1)).toMatch(
        /^phosphene: Expected a place that can be written at fixed/,
      );
    }
    const shown = await run(['publish', '--preview', '--store', 'fixed', '--json'], folder);
    expect(JSON.parse(shown.stdout).units).toMatchObject({ total: 42, published: 10, missing: 32 });
    expect((await run(['verify', '--store', 'fixed'], folder)).code).toBe(0);
  } finally {
    if (isMounted) unmount('fixed');
    else await chmod(join(folder, 'fixed'), 0o700);
  }
});

it('a clock that jumped, there and back, changes nothing', async () => {
  const store = join(folder, 'shared');
  const far = new Date('2099-01-01');
  for (const entry of await readdir(store, { recursive: true, withFileTypes: true })) {
    await utimes(join(entry.parentPath, entry.name), far, far);
  }
  const all = { total: 42, fresh: 42, rendered: 0, failed: 0 };
  const render = ['render', '--store', 'shared', '--json'];
  expect(JSON.parse((await run(render, folder)).stdout).units).toEqual(all);
  // Thirty years ago, as a process of its own sees it.
  await writeFile(
    join(folder, 'early.mjs'),
    'const now = Date.now; Date.now = () => now() - 30 * 365 * 24 * 3600 * 1000;',
  );
  const early = ['env', `NODE_OPTIONS=--import ${join(folder, 'early.mjs')}`];
  expect(JSON.parse((await run(render, folder, early)).stdout).units).toEqual(all);
  expect((await run(['verify', '--store', 'shared', '--content', 'nowhere'], folder, early)).code).toBe(0);
});
