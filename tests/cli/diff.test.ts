import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { changes, galleryChanges, galleryIndex } from '../../content/schema.ts';
import { openModel } from '../../pipeline/plan.ts';
import { project, quickContent, run } from './run.ts';

const weights = join(project, 'content/weights/mnist.keras');
const filter = 5;
let folder: string;

/** mnist.keras with every weight of one filter of conv2d_2 a third up or down. */
async function writeTuned(path: string): Promise<void> {
  const { network } = await openModel(weights);
  const kernel = [...network.graph.initializers.values()].find(
    ({ dims }) => String(dims) === String([32, 32, 3, 3]),
  );
  if (kernel?.type !== 'float32') throw new Error('Expected the kernel of conv2d_2');
  const own = kernel.data.subarray(filter * 288, (filter + 1) * 288);
  const parts = unzipSync(await readFile(weights));
  const name = 'model.weights.h5';
  const bytes = Buffer.from(parts[name] as Uint8Array);
  for (const [index, value] of own.entries()) {
    const pattern = Buffer.from(Float32Array.of(value).buffer);
    const at = bytes.indexOf(pattern);
    if (at < 0) throw new Error(`Expected ${value} in the weights`);
    bytes.writeFloatLE(value * (index % 2 === 0 ? 4 / 3 : 2 / 3), at);
  }
  await writeFile(path, zipSync({ ...parts, [name]: bytes }, { level: 0 }));
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-diff-'));
  await quickContent(folder, { layers: ['conv2d_1', 'conv2d_2', 'dense_3'] });
  await writeTuned(join(folder, 'tuned.keras'));
});
afterAll(() => rm(folder, { recursive: true }));

const json = async (...args: string[]) => {
  const ended = await run([...args, '--json'], folder);
  expect(ended).toMatchObject({ code: 0 });
  return JSON.parse(ended.stdout);
};

interface Layer {
  readonly name: string;
  readonly units: number;
  readonly changed: {
    unit: number;
    own: boolean;
    below: boolean;
    weights: number;
    picture: number;
  }[];
}

it('one filter that changed is one unit of its layer, and every unit of later layers, and no other', async () => {
  await json('render', 'mnist');
  await json('release', 'v1');
  const tuned = await json('render', 'mnist', '--weights', 'tuned.keras');
  expect(tuned.units).toEqual({ total: 74, fresh: 63, rendered: 11, failed: 0 });

  const { layers } = (await json('diff', 'mnist', 'tuned.keras', '--page', 'tuned')) as { layers: Layer[] };
  expect(layers.map(({ name, units, changed }) => [name, units, changed.length])).toEqual([
    ['conv2d_1', 32, 0],
    ['conv2d_2', 32, 1],
    ['dense_3', 10, 10],
  ]);
  const [own] = layers[1]?.changed ?? [];
  expect(own).toMatchObject({ unit: filter, own: true, below: false });
  // The bias stayed as it was: a little less than a third.
  expect(own?.weights).toBeGreaterThan(0.32);
  expect(own?.weights).toBeLessThanOrEqual(1 / 3 + 1e-6);
  expect(own?.picture).toBeGreaterThan(0.001);
  for (const unit of layers[2]?.changed ?? [])
    expect(unit).toMatchObject({ own: false, below: true, weights: 0 });
  const distances = layers[2]?.changed.map(({ picture }) => picture) ?? [];
  expect(distances).toEqual(distances.toSorted((a, b) => b - a));
  expect(distances[0]).toBeGreaterThan(0);
});

it('a release is compared by what the store kept of it', async () => {
  const { layers } = (await json('diff', 'mnist@v1', 'tuned.keras')) as { layers: Layer[] };
  expect(layers.map(({ changed }) => changed.length)).toEqual([0, 1, 10]);
  expect(layers[1]?.changed[0]).toMatchObject({ own: true, below: false, weights: null });
  const same = await run(['diff', 'mnist', 'mnist@v1'], folder);
  expect(same.stdout).toBe('All 74 units of mnist and mnist@v1 are the same.\n');
});

it('is told as a table, and kept for a page with the pictures of both', async () => {
  const told = await run(['diff', 'mnist', 'tuned.keras'], folder);
  expect(told.stdout).toMatch(/^conv2d_2 +32 +1 +1 +0\.33\d* +0\.33\d* +0 +1 +0\.\d+$/m);
  expect(told.stdout).toMatch(/\n11 units of 74 changed from mnist to tuned\.keras\.\n$/);
  const kept = changes.parse(JSON.parse(await readFile(join(folder, 'content/changes/tuned.json'), 'utf8')));
  expect(kept).toMatchObject({ before: 'mnist', after: 'tuned.keras' });
  await json('gc');
  await json('publish');
  expect((await json('verify')).problems).toEqual([]);
  const index = galleryIndex.parse(
    JSON.parse(await readFile(join(folder, 'content/gallery/index.json'), 'utf8')),
  );
  const [page] = index.changes ?? [];
  const read = galleryChanges.parse(
    JSON.parse(await readFile(join(folder, 'content/gallery', page?.file ?? ''), 'utf8')),
  );
  expect(Object.keys(read.pictures)).toHaveLength(22);
  expect((await json('publish')).files).toEqual({ written: 0, removed: 0 });
  const other = await run(['diff', 'tuned.keras', 'mnist@v1', '--page', 'tuned'], folder);
  expect(other).toMatchObject({ code: 2, stdout: '' });
  expect(other.stderr).toMatch(/: \/changes\/tuned\/ was published as 'mnist → tuned\.keras' and stays/);
  // The same two states again: what was rendered since is shown.
  await json('diff', 'mnist', 'tuned.keras', '--page', 'tuned');
});

it.each([
  [['diff', 'mnist'], 2, /^phosphene: missing required argument 'after'/],
  [['diff', 'mnist', 'mnist@v9'], 2, /^phosphene: There is no release 'mnist@v9' in content\/releases; /],
  [['diff', 'mnist', 'none.keras'], 1, /^phosphene: Expected .*none\.keras/],
  [['diff', 'mnist', 'tuned.keras', '--page', 'A b'], 2, /^phosphene: Expected --page to be small letters/],
] as const)('%j ends with %i and one sentence', async (args, code, sentence) => {
  const ended = await run(args, folder);
  expect(ended).toMatchObject({ code, stdout: '' });
  expect(ended.stderr).toMatch(sentence);
  expect(ended.stderr.trim().split('\n')).toHaveLength(1);
});
