/**
 * How long the commands themselves take where nothing is to be done, with a model file read or not: `node
 * bench/unchanged.ts FILE`, e.g. of all of VGG16, as `node bench/vgg16.ts` writes it with random weights. Its store has
 * pictures of few pixels and lies below the system's folder for temporary files.
 */

import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { readModels } from '../pipeline/content.ts';
import { disk } from '../pipeline/files.ts';
import { planModel } from '../pipeline/plan.ts';
import { DiskStore } from '../pipeline/store/disk.ts';
import { standIn } from './stand-in.ts';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('Expected a model file, e.g. .cache/bench/vgg16-random.h5');
const cli = resolve(import.meta.dirname, '../pipeline/cli.ts');
const folder = await mkdtemp(join(tmpdir(), 'phosphene-unchanged-'));

function run(what: string, ...args: string[]): void {
  const from = performance.now();
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], { cwd: folder });
  const seconds = ((performance.now() - from) / 1000).toFixed(2).padStart(7);
  if (status !== 0) throw new Error(`phosphene ${args.join(' ')} ended with ${status}: ${stderr}`);
  process.stdout.write(`${what.padEnd(40)} ${seconds} s  ${stdout}`);
}

try {
  await mkdir(join(folder, 'content/models'), { recursive: true });
  const content = { title: 'VGG16', weights: resolve(file), input: { scaling: 'caffe' } };
  await writeFile(join(folder, 'content/models/vgg16.json'), JSON.stringify(content));
  const [model] = await readModels(join(folder, 'content'));
  if (model === undefined) throw new Error('Expected the model that was just written');
  const { layers } = await planModel({ ...model, weightsFile: resolve(file) });
  const quick = {
    ...disk,
    write: (path: string, bytes: Uint8Array) => disk.write(path, bytes, false),
    flushFolder: async () => {},
  };
  const store = new DiskStore(join(folder, '.cache/store'), quick);
  for (const { layer, units } of layers) {
    for (const { unit, fingerprint, madeFrom } of units) {
      await store.write(standIn({ fingerprint, madeFrom, layer: layer.name, unit }, 8, unit % 256));
    }
  }
  run('render, the file read', 'render');
  for (let time = 0; time < 3; time++) run('render, nothing changed', 'render');
  run('publish, all new', 'publish');
  for (let time = 0; time < 3; time++) run('publish, nothing changed', 'publish');
} finally {
  await rm(folder, { recursive: true });
}
