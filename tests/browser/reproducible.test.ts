/** One store, two folders, two times: the same bytes, of the gallery and of the site. */

import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { quickContent, run } from '../cli/run.ts';
import { buildSite } from './build.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-reproducible-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function hashes(where: string): Promise<Record<string, string>> {
  const entries = await readdir(join(folder, where), { recursive: true, withFileTypes: true });
  const paths = entries.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
  const read = paths.sort().map(async (path) => {
    const sum = createHash('sha256').update(await readFile(path));
    return [path.slice(join(folder, where).length), sum.digest('hex')];
  });
  return Object.fromEntries(await Promise.all(read));
}

async function make(where: string): Promise<void> {
  const places = ['store', 'content', 'public'].flatMap((name) => [`--${name}`, join(where, name)]);
  expect((await run(['publish', ...places], folder)).code).toBe(0);
  const gallery = { content: join(folder, where, 'content'), public: join(folder, where, 'public') };
  await buildSite(gallery, join(folder, where, 'site'), '/gallery', 'https://gallery.example');
}

it('are made by publish and by the build, with releases and all', async () => {
  await quickContent(join(folder, 'one'));
  const store = ['--store', 'one/store', '--content', 'one/content'];
  await run(['render', ...store], folder);
  await run(['release', 'v1', ...store], folder);
  await mkdir(join(folder, 'somewhere/else'), { recursive: true });
  await cp(join(folder, 'one'), join(folder, 'somewhere/else/two'), { recursive: true });
  await make('one');
  // What was made first is of another time, too.
  for (const entry of await readdir(join(folder, 'one'), { recursive: true })) {
    await utimes(join(folder, 'one', entry), 1e9, 1e9);
  }
  await make('somewhere/else/two');
  for (const part of ['content', 'public', 'site']) {
    const [one, two] = [await hashes(`one/${part}`), await hashes(`somewhere/else/two/${part}`)];
    expect(two).toEqual(one);
    expect(Object.keys(one).length).toBeGreaterThan(part === 'content' ? 5 : 80);
  }
});
