/** Whatever is flipped, cut or left out of what was made: it is found, removed, and made again as it was. */

import { cp, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { modelContent } from '../../content/schema.ts';
import { disk } from '../../pipeline/files.ts';
import { publish } from '../../pipeline/publish/publish.ts';
import { pictureFiles } from '../../pipeline/publish/record.ts';
import { verifyPublished } from '../../pipeline/publish/verify.ts';
import type { PublishModel } from '../../pipeline/publish/wanted.ts';
import { randomOf } from '../../pipeline/recipe/random.ts';
import { DiskStore } from '../../pipeline/store/disk.ts';
import { run } from '../cli/run.ts';
import { rendering } from '../store/rendering.ts';

const units = 5;
const renderings = Array.from({ length: units }, (_, unit) => rendering(unit));
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-verify-'));
  const store = new DiskStore(join(folder, 'good/store'));
  for (const each of renderings) await store.write(each);
  await publishAll('good');
});
afterAll(() => rm(folder, { recursive: true }));

const model: PublishModel = {
  slug: 'mnist',
  content: { ...modelContent.parse({ title: 'MNIST', weights: 'w.keras' }), classes: ['zero', 'one'] },
  sha256: 'a'.repeat(64),
  format: 'keras-zip',
  parameters: 123,
  input: { channels: 1, heightPx: 20, widthPx: 28 },
  layers: [
    {
      slug: 'conv2d',
      name: 'conv2d',
      kind: 'conv',
      index: 0,
      units,
      picture: { heightPx: 20, widthPx: 28 },
      output: [units, 26, 26],
      receptiveFieldPx: 3,
      wanted: renderings.map(({ unit, fingerprint }) => ({ unit, fingerprint, weights: fingerprint })),
    },
  ],
};

const placesOf = (where: string) => ({
  contentDir: join(folder, where, 'content'),
  publicDir: join(folder, where, 'public'),
});

async function publishAll(where: string): Promise<void> {
  await publish([model], {
    store: new DiskStore(join(folder, where, 'store')),
    ...placesOf(where),
    signal: new AbortController().signal,
    emit: () => {},
  });
}

async function filesOf(where: string): Promise<Map<string, string>> {
  const entries = await readdir(join(folder, where), { recursive: true, withFileTypes: true });
  const paths = entries.filter((each) => each.isFile()).map((each) => join(each.parentPath, each.name));
  const read = paths.sort().map(async (path): Promise<[string, string]> => {
    return [path.slice(join(folder, where).length), (await readFile(path)).toString('base64')];
  });
  return new Map(await Promise.all(read));
}

const verify = (where: string, ...more: string[]) =>
  run(
    [
      'verify',
      ...['store', 'content', 'public'].flatMap((name) => [`--${name}`, join(where, name)]),
      ...more,
    ],
    folder,
  );

it('finds nothing wrong with what was just made, and nothing where nothing was', async () => {
  const ended = await verify('good');
  expect(ended).toMatchObject({ code: 0, stderr: '' });
  // Ten pictures, a sheet, the layer, the index and its manifest.
  expect(ended.stdout).toBe('5 renderings and 14 published files are as they were written.\n');
  expect((await verify('nowhere')).stdout).toBe(
    '0 renderings and 0 published files are as they were written.\n',
  );
});

it('finds every file that is flipped, cut or lost, removes it, and all is made again as it was', async () => {
  const good = await filesOf('good');
  const random = randomOf(5);
  const harms: [string, (path: string) => Promise<void>][] = [
    [
      'flip',
      async (path) => {
        const bytes = await readFile(path);
        const place = Math.floor(random.uniform() * bytes.length);
        bytes.writeUInt8(bytes.readUInt8(place) ^ (1 << Math.floor(random.uniform() * 8)), place);
        await writeFile(path, bytes);
      },
    ],
    ['cut', async (path) => truncate(path, Math.floor((await readFile(path)).length * random.uniform()))],
    ['lose', (path) => rm(path)],
  ];
  for (const [name, harm] of harms) {
    const where = name;
    await cp(join(folder, 'good'), join(folder, where), { recursive: true });
    for (const path of good.keys()) {
      await harm(join(folder, where, path));
      const store = new DiskStore(join(folder, where, 'store'));
      const problems: string[] = [];
      for await (const fingerprint of store.list()) {
        const read = await store.filesOf(fingerprint);
        if (read !== undefined && 'problem' in read) problems.push(fingerprint);
      }
      for await (const { file } of verifyPublished(placesOf(where), store, disk, () => {}))
        problems.push(file);
      expect(problems, `${name} ${path}`).not.toEqual([]);
      await cp(join(folder, 'good', path), join(folder, where, path));
    }
    for (const path of good.keys()) await harm(join(folder, where, path));
    expect((await verify(where, '--json')).code).toBe(1);
    const repaired = await verify(where, '--repair', '--json');
    expect(repaired.code).toBe(0);
    const store = new DiskStore(join(folder, where, 'store'));
    for (const each of renderings) await store.write(each);
    await publishAll(where);
    expect(await filesOf(where), name).toEqual(good);
    expect((await verify(where)).code).toBe(0);
  }
});

it('says of a published picture that its rendering is gone, and of a file that nothing refers to it', async () => {
  await cp(join(folder, 'good'), join(folder, 'less'), { recursive: true });
  await new DiskStore(join(folder, 'less/store')).remove(renderings[2]?.fingerprint ?? '');
  await writeFile(join(folder, 'less/public/gallery/pictures/99.webp'), 'stray');
  const ended = await verify('less', '--json');
  expect(ended.code).toBe(1);
  expect(JSON.parse(ended.stdout)).toEqual({
    renderings: 4,
    files: 15,
    removed: 0,
    problems: [
      {
        place: `less/public/gallery/${pictureFiles(renderings[2]?.fingerprint ?? '').image}`,
        problem: 'its rendering is not in the store',
      },
      { place: 'less/public/gallery/pictures/99.webp', problem: 'nothing refers to it' },
    ],
  });
});
