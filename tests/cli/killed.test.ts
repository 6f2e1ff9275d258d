/** `publish` and `release`, killed at several moments: what is there is whole, and the same command makes the rest. */

import { cp, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { galleryIndex, galleryLayer, release } from '../../content/schema.ts';
import { quickContent, run, start } from './run.ts';

const units = 42;
let folder: string;
const recipe = (steps: number): object => ({ recipe: { preset: 'mnist-filters', steps } });
const finish = async (...args: string[]): Promise<void> => {
  expect(await run(args, folder)).toMatchObject({ code: 0 });
};

/** Every file below some folders, by its path. */
async function filesOf(...below: readonly string[]): Promise<Map<string, string>> {
  const found = await Promise.all(
    below.map(async (each) => {
      const entries = await readdir(join(folder, each), { recursive: true, withFileTypes: true });
      const files = entries.filter((entry) => entry.isFile());
      return Promise.all(
        files.map(async ({ parentPath, name }): Promise<[string, string]> => {
          const path = join(parentPath, name);
          return [path.slice(folder.length), (await readFile(path)).toString('base64')];
        }),
      );
    }),
  );
  return new Map(found.flat().sort());
}

const indexText = (): Promise<string> => readFile(join(folder, 'content/gallery/index.json'), 'utf8');

/** The steps that the pictures of the gallery were made with, after a look at all that its index tells of. */
async function look(): Promise<unknown[]> {
  const text = await indexText();
  try {
    const { models } = galleryIndex.parse(JSON.parse(text));
    const steps: unknown[] = [];
    let shown = 0;
    for (const { file = '' } of models.flatMap(({ layers }) => layers)) {
      const layer = galleryLayer.parse(
        JSON.parse(await readFile(join(folder, 'content/gallery', file), 'utf8')),
      );
      const pictures = layer.units.flatMap(({ image, strip }) => [image.file, strip.file]);
      for (const picture of [...pictures, ...(layer.wall?.files ?? [])]) {
        const bytes = await readFile(join(folder, 'public/gallery', picture));
        expect(bytes.readUInt32LE(4) + 8).toBe(bytes.length);
      }
      shown += layer.units.length;
      steps.push(...Object.values(layer.recipes).map((each) => each['steps']));
    }
    expect(shown).toBe(units);
    return [...new Set(steps)];
  } catch (error) {
    // A reader whose gallery was replaced meanwhile asks for the new one.
    if ((await indexText()) !== text) return look();
    throw error;
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-killed-'));
  for (const steps of [2, 3]) {
    await quickContent(folder, recipe(steps));
    await finish('render', '--store', 'store');
    await finish('publish', '--store', 'store');
    const kept = `gallery-${steps}`;
    for (const part of ['content/gallery', 'content/addresses.lock', 'public']) {
      await cp(join(folder, part), join(folder, kept, part), { recursive: true });
    }
  }
});
afterAll(() => rm(folder, { recursive: true }));

const count = async (where: string): Promise<number> =>
  (await readdir(join(folder, where), { recursive: true }).catch(() => [])).filter((name) =>
    /\.\w+$/.test(name),
  ).length;
/** What there is to be seen when it is killed: of the gallery before, and now. */
interface Seen {
  readonly pictures: number;
  readonly layers: number;
  readonly index: string;
}
const seen = async (): Promise<Seen> => ({
  pictures: await count('public/gallery/pictures'),
  layers: await count('content/gallery/mnist'),
  index: await indexText(),
});

it.each<[string, (now: Seen, before: Seen) => boolean]>([
  ['the first new picture is there', (now, before) => now.pictures > before.pictures],
  ['half of the new pictures are', (now, before) => now.pictures > before.pictures + units],
  ['the first new layer is', (now, before) => now.layers > before.layers],
  ['the new index is', (now, before) => now.index !== before.index],
])(
  'publish, killed when %s: one gallery, whole, at every moment, and the new one in the end',
  async (_, isTime) => {
    for (const part of ['content/gallery', 'public']) {
      await rm(join(folder, part), { recursive: true });
      await cp(join(folder, 'gallery-2', part), join(folder, part), { recursive: true });
    }
    const before = await seen();
    const { child, ended } = start(['publish', '--store', 'store'], folder);
    const running = { now: true };
    void ended.then(() => {
      running.now = false;
    });
    const steps = new Set<string>();
    const reading = (async () => {
      while (running.now) steps.add(String(await look()));
    })();
    while (running.now && !isTime(await seen(), before)) await setTimeout(1);
    child.kill('SIGKILL');
    await ended;
    await reading;
    // It may have come to its end before the last of these moments was seen.
    expect(child.signalCode === 'SIGKILL' || child.exitCode === 0).toBe(true);
    steps.add(String(await look()));
    // The old one, the new one, never of both.
    expect(['2', '2,3', '3']).toContain([...steps].sort().join());
    await finish('publish', '--store', 'store');
    const now = await filesOf('content/gallery', 'public');
    const wanted = await filesOf('gallery-3/content/gallery', 'gallery-3/public');
    expect([...now]).toEqual([...wanted].map(([path, text]) => [path.replace('/gallery-3', ''), text]));
    const locks = ['content', 'gallery-3/content'].map((each) => join(folder, each, 'addresses.lock'));
    const [lock, wantedLock] = await Promise.all(locks.map((path) => readFile(path, 'utf8')));
    expect(lock).toBe(wantedLock);
  },
);

it('release, killed again and again: there is none or a whole one, and the last word is that of an undisturbed run', async () => {
  const timeless = (text: string): string => text.replace(/"(releasedAt|name)": "(v\d|20[^"]*)"/g, '');
  const startedAt = performance.now();
  await finish('release', 'v1', '--store', 'store');
  const usualMs = performance.now() - startedAt;
  const of = (name: string): Promise<string> =>
    readFile(join(folder, `content/releases/mnist@${name}.json`), 'utf8');
  const wanted = timeless(await of('v1'));
  for (const share of [0.5, 0.8, 0.9, 0.95, 1]) {
    const { child, ended } = start(['release', 'v2', '--store', 'store'], folder);
    const patience = new AbortController();
    await Promise.race([ended, setTimeout(share * usualMs, undefined, { signal: patience.signal })]);
    patience.abort();
    child.kill('SIGKILL');
    await ended;
    const text = await of('v2').catch(() => undefined);
    if (text === undefined) continue;
    expect(release.parse(JSON.parse(text)).name).toBe('v2');
    expect(timeless(text)).toBe(wanted);
  }
  await finish('release', 'v2', '--store', 'store');
  expect(timeless(await of('v2'))).toBe(wanted);
  await finish('publish', '--store', 'store');
  expect((await look()).length).toBe(1);
});
