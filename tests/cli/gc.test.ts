import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DiskStore } from '../../pipeline/store/disk.ts';
import { rendering } from '../store/rendering.ts';
import { quickContent, run, start } from './run.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-gc-'));
  await quickContent(folder);
});
afterAll(() => rm(folder, { recursive: true }));

const json = async (...args: string[]) => JSON.parse((await run([...args, '--json'], folder)).stdout);
const kept = async (): Promise<number> =>
  (await Array.fromAsync(new DiskStore(join(folder, '.cache/store')).list())).length;

it('gc removes what no model refers to, once it is asked in earnest, and keeps what cannot be judged', async () => {
  await run(['render', '--units', '0-2'], folder);
  await run(['render', '--units', '0-2', '--seed', '7'], folder);
  const store = new DiskStore(join(folder, '.cache/store'));
  // A model whose weights are not here, and one that is gone.
  await store.write(rendering(1, { model: 'elsewhere' }));
  await store.write(rendering(2, { model: 'gone' }));
  const elsewhere = { title: 'E', weights: { file: 'not-here.onnx' } };
  await writeFile(join(folder, 'content/models/elsewhere.json'), JSON.stringify(elsewhere));

  const bytes = expect.any(Number);
  expect(await json('gc', '--dry-run')).toEqual({ dryRun: true, kept: 7, removed: 7, bytes });
  expect(await kept()).toBe(14);
  expect(await json('gc')).toEqual({ dryRun: false, kept: 7, removed: 7, bytes });
  expect(await kept()).toBe(7);
  const again = await run(['gc'], folder);
  expect(again.stdout).toBe('Nothing to remove: all 7 renderings are of models in content/models.\n');
  const { units } = await json('render', 'mnist', '--units', '0-2', '--dry-run');
  expect(units).toEqual({ total: 6, fresh: 6, missing: 0, stale: 0 });
});

it('gc removes nothing where the content folder is wrong', async () => {
  const before = await kept();
  const ended = await run(['gc', '--content', 'nowhere'], folder);
  expect(ended.code).toBe(2);
  expect(ended.stderr).toMatch(/^phosphene: Expected a folder with the models' JSON files at nowhere/);
  expect(await kept()).toBe(before);
});

it('export and import carry a part of a store to another one, from which nothing is rendered again', async () => {
  expect(await json('export', 'dense.tar', 'mnist', '--layers', 'dense*', '--units', '0,2')).toEqual({
    file: 'dense.tar',
    renderings: 2,
    bytes: (await readFile(join(folder, 'dense.tar'))).length,
  });
  expect(await json('import', 'dense.tar', '--store', 'other')).toEqual({
    file: 'dense.tar',
    renderings: 2,
    added: 2,
  });
  const { units } = await json(
    'status',
    'mnist',
    '--layers',
    'dense_3',
    '--units',
    '0,2',
    '--store',
    'other',
  );
  expect(units).toEqual({ total: 2, fresh: 2, missing: 0, stale: 0 });
});

it('import and gc that are killed at any moment leave a store that is whole, and the next run finishes', async () => {
  const good = new DiskStore(join(folder, 'good'));
  const all = Array.from({ length: 60 }, (_, seed) => rendering(seed));
  for (const each of all) await good.write(each);
  await json('export', 'all.tar', '--store', 'good');
  const wanted = await Array.fromAsync(good.list());
  const store = new DiskStore(join(folder, 'killed'));
  const kill = async (...args: string[]): Promise<void> => {
    const { child, ended } = start([...args, '--store', 'killed'], folder);
    await setTimeout(150 + Math.random() * 500);
    child.kill('SIGKILL');
    await ended;
  };
  for (let round = 0; round < 5; round++) {
    await kill('import', 'all.tar');
    for await (const each of store.list()) expect(await store.read(each)).toBeDefined();
  }
  expect((await run(['import', 'all.tar', '--store', 'killed'], folder)).code).toBe(0);
  expect(await Array.fromAsync(store.list())).toEqual(wanted);
  for (let round = 0; round < 5; round++) {
    await kill('gc');
    for await (const each of store.list()) expect(await store.read(each)).toBeDefined();
  }
  expect((await run(['gc', '--store', 'killed'], folder)).code).toBe(0);
  // None of these renderings is of the network's own weights.
  expect(await Array.fromAsync(store.list())).toEqual([]);
});

it.each([
  [
    ['export', 'x.tar', 'minst'],
    2,
    /^phosphene: \.cache\/store has no rendering of a model 'minst'; did you mean 'mnist'\?/,
  ],
  [
    ['export', 'x.tar', '--units', '999'],
    2,
    /^phosphene: Expected renderings in .* found none of those layers and units$/m,
  ],
  [
    ['export', 'x.tar', '--store', 'empty'],
    2,
    /^phosphene: Expected renderings in empty to export, found none$/m,
  ],
  [['import', 'none.tar'], 2, /^phosphene: Expected a file that can be read at none\.tar, found none/],
  [
    ['import', 'content/models/mnist.json'],
    1,
    /^phosphene: .* is damaged or no export of Phosphene: .*; nothing was imported/,
  ],
] as const)('%j ends with %i and one sentence', async (args, code, sentence) => {
  const ended = await run(args, folder);
  expect(ended).toMatchObject({ code, stdout: '' });
  expect(ended.stderr).toMatch(sentence);
  expect(ended.stderr.trim().split('\n')).toHaveLength(1);
});
