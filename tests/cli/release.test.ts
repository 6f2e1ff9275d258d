import { cp, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { galleryIndex } from '../../content/schema.ts';
import { quickContent, run } from './run.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-release-'));
});
afterAll(() => rm(folder, { recursive: true }));

const json = async (...args: string[]) => {
  const ended = await run([...args, '--json'], folder);
  expect(ended).toMatchObject({ code: 0 });
  return JSON.parse(ended.stdout);
};
async function filesOf(where: string): Promise<Map<string, string>> {
  const entries = await readdir(join(folder, where), { recursive: true, withFileTypes: true });
  const paths = entries.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
  const read = paths.sort().map(async (path): Promise<[string, string]> => {
    return [path.slice(join(folder, where).length), (await readFile(path)).toString('base64')];
  });
  return new Map(await Promise.all(read));
}

it('a release survives gc and other renderings, and comes back from git and an exported store, byte by byte', async () => {
  await quickContent(folder, { layers: ['dense_3'] });
  await json('render', 'mnist');
  expect(await json('release', 'v1')).toEqual({
    releases: [
      {
        model: 'mnist',
        address: '/mnist@v1/',
        file: 'content/releases/mnist@v1.json',
        units: 10,
        missing: 0,
        written: true,
      },
    ],
  });
  await quickContent(folder, { layers: ['dense_3'], recipe: { preset: 'mnist-filters', steps: 2 } });
  await json('render', 'mnist');
  expect(await json('gc')).toMatchObject({ kept: 20, removed: 0 });
  const published = await json('publish');
  expect(published.units).toMatchObject({ total: 20, published: 20 });
  expect((await json('verify')).problems).toEqual([]);
  const index = galleryIndex.parse(
    JSON.parse(await readFile(join(folder, 'content/gallery/index.json'), 'utf8')),
  );
  expect(index.releases?.map(({ slug, title }) => [slug, title])).toEqual([
    ['mnist@v1', 'MNIST, release v1'],
  ]);

  await json('export', 'mnist.tar', 'mnist');
  const gallery = [await filesOf('content/gallery'), await filesOf('public')];
  await mkdir(join(folder, 'git'));
  for (const part of ['models', 'releases', 'addresses.lock']) {
    await cp(join(folder, 'content', part), join(folder, 'git/content', part), { recursive: true });
  }
  await json('import', 'mnist.tar', '--store', 'git/store');
  const there = ['--content', 'git/content', '--store', 'git/store', '--public', 'git/public'];
  expect((await json('publish', ...there)).units).toMatchObject({ total: 20, published: 20 });
  expect([await filesOf('git/content/gallery'), await filesOf('git/public')]).toEqual(gallery);
});

it.each([
  [['release', 'V 1'], 2, /^phosphene: Expected a name of small letters/],
  [['release', 'v2', 'minst'], 2, /^phosphene: There is no model 'minst'/],
  [
    ['release', 'v2', '--store', 'empty'],
    1,
    /^phosphene: Expected renderings of 'mnist' in empty to release/,
  ],
] as const)('%j ends with %i and one sentence', async (args, code, sentence) => {
  const ended = await run(args, folder);
  expect(ended).toMatchObject({ code, stdout: '' });
  expect(ended.stderr).toMatch(sentence);
  expect(ended.stderr.trim().split('\n')).toHaveLength(1);
});
