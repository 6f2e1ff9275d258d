import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packTar } from 'modern-tar';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { randomOf } from '../../pipeline/recipe/random.ts';
import { exportRenderings, importRenderings } from '../../pipeline/store/archive.ts';
import { DiskStore } from '../../pipeline/store/disk.ts';
import { rendering } from './rendering.ts';

const renderings = Array.from({ length: 6 }, (_, seed) => rendering(seed));
const all = renderings.map(({ fingerprint }) => fingerprint).sort();
const never = new AbortController().signal;

let folder: string;
let store: DiskStore;
let file: string;
let count = 0;
const newStore = (): DiskStore => new DiskStore(join(folder, `store-${count++}`));
const contents = (of: DiskStore): Promise<string[]> => Array.fromAsync(of.list());
const refused = (from: string, into: DiskStore): Promise<unknown> =>
  importRenderings(into, from, never).catch((error: unknown) => error);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-archive-'));
  store = newStore();
  for (const each of renderings) await store.write(each);
  file = join(folder, 'all.tar');
  expect(await exportRenderings(store, all, file, never)).toMatchObject({ renderings: 6 });
});
afterAll(() => rm(folder, { recursive: true }));

describe('a store as one file', () => {
  it('comes back as it was, and to the same bytes when it is exported again', async () => {
    const other = newStore();
    expect(await importRenderings(other, file, never)).toEqual({ renderings: 6, added: 6 });
    for (const each of renderings) expect(await other.read(each.fingerprint)).toEqual(each);
    expect(await importRenderings(other, file, never)).toEqual({ renderings: 6, added: 0 });
    await exportRenderings(other, all, join(folder, 'again.tar'), never);
    expect(await readFile(join(folder, 'again.tar'))).toEqual(await readFile(file));
  });

  it('holds only what was chosen, and leaves out what is damaged', async () => {
    const part = newStore();
    for (const each of renderings.slice(0, 3)) await part.write(each);
    const [one = '', two = ''] = renderings.map(({ fingerprint }) => fingerprint);
    await writeFile(join(part.placeOf(one), 'frames.png'), 'damaged');
    const path = join(folder, 'part.tar');
    expect(await exportRenderings(part, [one, two], path, never)).toMatchObject({ renderings: 1 });
    const other = newStore();
    await importRenderings(other, path, never);
    expect(await contents(other)).toEqual([two]);
  });

  it('mends a rendering that is damaged where it is imported', async () => {
    const other = newStore();
    await importRenderings(other, file, never);
    await writeFile(join(other.placeOf(all[2] ?? ''), 'frames.png'), 'damaged');
    expect(await importRenderings(other, file, never)).toEqual({ renderings: 6, added: 1 });
    expect(await other.read(all[2] ?? '')).toBeDefined();
  });

  it('gives one sentence wherever it is cut, and what was imported before is right', async () => {
    const bytes = await readFile(file);
    const path = join(folder, 'cut.tar');
    for (let place = 0; place < bytes.length - 1024; place += 997) {
      await writeFile(path, bytes.subarray(0, place));
      const other = newStore();
      const error = await refused(path, other);
      expect(error, String(place)).toMatchObject({
        name: 'PhospheneError',
        message: expect.stringMatching(
          /^.*cut\.tar is damaged or no export of Phosphene: [^\n]*export it again$/,
        ),
      });
      for (const each of await contents(other)) expect(await other.read(each)).toBeDefined();
    }
  });

  it('never imports anything wrong, whatever bit of it is flipped', async () => {
    const bytes = await readFile(file);
    const random = randomOf(3);
    const path = join(folder, 'flipped.tar');
    let refusals = 0;
    for (let round = 0; round < 120; round++) {
      const flipped = Buffer.from(bytes);
      const place = random.integer(0, bytes.length - 1);
      flipped.writeUInt8(flipped.readUInt8(place) ^ (1 << random.integer(0, 7)), place);
      await writeFile(path, flipped);
      const other = newStore();
      const result = await refused(path, other);
      if (result instanceof Error) {
        refusals++;
        expect(result).toMatchObject({ name: 'PhospheneError' });
      }
      for (const each of await contents(other)) {
        expect(await other.read(each)).toEqual(renderings.find(({ fingerprint }) => fingerprint === each));
      }
    }
    // The rest are flips in the zeros with which tar fills its blocks.
    expect(refusals).toBeGreaterThan(60);
  });

  it.each([
    ['a path that leads out of the store', '../../evil', {}],
    ['a link', `${'a'.repeat(64)}/rendering.json`, { type: 'symlink', linkname: '/etc/passwd' }],
    ['frames without a record', `${'a'.repeat(64)}/frames.png`, {}],
  ] as const)('is refused with %s', async (_, name, more) => {
    const mark = '{"format":"phosphene-store","version":1}\n';
    const path = join(folder, 'evil.tar');
    const isLink = 'type' in more;
    const tar = await packTar([
      { header: { name: 'phosphene-store.json', size: mark.length }, body: mark },
      { header: { name, size: isLink ? 0 : 4, ...more }, ...(isLink ? {} : { body: 'evil' }) },
    ]);
    await writeFile(path, tar);
    const before = (await readdir(folder)).length;
    const other = newStore();
    expect(await refused(path, other)).toMatchObject({
      name: 'PhospheneError',
      message: expect.stringMatching(/evil\.tar is damaged .*; nothing was imported/),
    });
    expect((await readdir(folder)).length).toBe(before);
  });

  it('is there whole or not at all: stopped midway, it leaves nothing and keeps what was there', async () => {
    const path = join(folder, 'stopped.tar');
    await writeFile(path, 'what was there');
    const stop = new AbortController();
    const stopping = function* (): Generator<string> {
      yield all[0] ?? '';
      stop.abort();
      yield all[1] ?? '';
    };
    await expect(exportRenderings(store, stopping(), path, stop.signal)).rejects.toThrow(/aborted/);
    expect(await readFile(path, 'utf8')).toBe('what was there');
    expect((await readdir(folder)).filter((name) => name.startsWith('.tmp-'))).toEqual([]);
  });

  it('says in one sentence where it cannot be written', async () => {
    await expect(exportRenderings(store, all, join(folder, 'no/such/x.tar'), never)).rejects.toMatchObject({
      name: 'PhospheneError',
      message: expect.stringMatching(/^Expected a place that can be written at .*x\.tar/),
    });
  });
});
