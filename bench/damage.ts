/**
 * Flips a bit of, cuts or removes files of a store and of the gallery, one a round, looks whether `verify` finds each,
 * and lets `verify --repair`, `render` and `publish` make all of them again: `node bench/damage.ts [files]`. One line of
 * JSON. Renders MNIST with few steps below the system's folder for temporary files.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { disk } from '../pipeline/files.ts';
import { verifyPublished } from '../pipeline/publish/verify.ts';
import { randomOf } from '../pipeline/recipe/random.ts';
import { DiskStore } from '../pipeline/store/disk.ts';

const count = Number(process.argv[2] ?? 500);
const project = resolve(import.meta.dirname, '..');
const folder = await mkdtemp(join(tmpdir(), 'phosphene-damage-'));
const random = randomOf(7);

async function finish(...args: string[]): Promise<number> {
  const cli = join(project, 'pipeline/cli.ts');
  const child = spawn(process.execPath, [cli, ...args], { cwd: folder, stdio: 'ignore' });
  await once(child, 'close');
  return child.exitCode ?? -1;
}

async function filesOf(): Promise<string[]> {
  const parts = ['.cache/store', 'content/gallery', 'public/gallery'];
  const found = parts.map(async (part) => {
    const entries = await readdir(join(folder, part), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  });
  return (await Promise.all(found)).flat().sort();
}

/** What `verify` says is wrong. */
async function problems(): Promise<string[]> {
  const store = new DiskStore(join(folder, '.cache/store'));
  const found: string[] = [];
  for await (const fingerprint of store.list()) {
    const files = await store.filesOf(fingerprint);
    if (files !== undefined && 'problem' in files) found.push(store.placeOf(fingerprint));
  }
  const places = { contentDir: join(folder, 'content'), publicDir: join(folder, 'public') };
  for await (const { file } of verifyPublished(places, store, disk, () => {})) found.push(file);
  return found;
}

const harms: readonly ((path: string, bytes: Buffer) => Promise<void>)[] = [
  (path, bytes) => {
    const place = Math.floor(random.uniform() * bytes.length);
    bytes.writeUInt8(bytes.readUInt8(place) ^ (1 << Math.floor(random.uniform() * 8)), place);
    return writeFile(path, bytes);
  },
  (path, bytes) => truncate(path, Math.floor(random.uniform() * bytes.length)),
  (path) => rm(path),
];

try {
  await mkdir(join(folder, 'content/models'), { recursive: true });
  const content = {
    title: 'MNIST',
    weights: join(project, 'content/weights/mnist.keras'),
    layers: ['conv2d_1', 'conv2d_2', 'dense_3'],
    recipe: { preset: 'mnist-filters', steps: 2 },
  };
  await writeFile(join(folder, 'content/models/mnist.json'), JSON.stringify(content));
  for (const args of [['render'], ['release', 'v1'], ['publish']]) {
    if ((await finish(...args)) !== 0) throw new Error(`phosphene ${args[0]} failed`);
  }
  const all = await filesOf();
  let [found, rounds] = [0, 0];
  const missed: string[] = [];
  // Each alone: what hides behind another damage would not count.
  for (let at = 0; at < count; at++) {
    const path = all[Math.floor(random.uniform() * all.length)] as string;
    const bytes = await readFile(path);
    await harms[at % harms.length]?.(path, Buffer.from(bytes));
    if ((await problems()).length > 0) found++;
    else missed.push(path);
    await writeFile(path, bytes);
  }
  // All at once: what is repaired and made again is whole. Renderings are made at another time, pictures are the same.
  const before = new Map<string, Buffer>();
  for (const path of all) if (/\.(webp|png)$/.test(path)) before.set(path, await readFile(path));
  const harmed = new Set<string>();
  while (harmed.size < Math.min(count, all.length)) {
    const path = all[Math.floor(random.uniform() * all.length)] as string;
    if (harmed.has(path)) continue;
    await harms[harmed.size % harms.length]?.(path, await readFile(path));
    harmed.add(path);
  }
  const codes: number[] = [];
  do {
    for (const args of [['verify', '--repair'], ['render'], ['publish']]) codes.push(await finish(...args));
    rounds++;
  } while ((await problems()).length > 0 && rounds < 3);
  let alike = 0;
  for (const [path, bytes] of before) if (bytes.equals(await readFile(path))) alike++;
  const left = (await problems()).length;
  const pictures = { alike, of: before.size };
  process.stdout.write(
    `${JSON.stringify({ files: all.length, harmed: count, found, missed, together: harmed.size, rounds, codes, left, pictures })}\n`,
  );
} finally {
  await rm(folder, { recursive: true });
}
