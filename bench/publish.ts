/**
 * How fast a model of all of VGG16's units is found unchanged by `render` and `publish`, in how much memory: `node
 * bench/publish.ts [units]`. Its store has pictures of few pixels and lies below the system's folder for temporary
 * files; the network is not read, which takes as long as its file is large.
 */

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { modelContent } from '../content/schema.ts';
import { disk } from '../pipeline/files.ts';
import { publish } from '../pipeline/publish/publish.ts';
import { freeze, releasedModel } from '../pipeline/publish/releases.ts';
import type { PublishModel } from '../pipeline/publish/wanted.ts';
import { DiskStore } from '../pipeline/store/disk.ts';
import type { Rendering } from '../pipeline/store/store.ts';
import { standIn } from './stand-in.ts';

const units = Number(process.argv[2] ?? 13_416);
const perLayer = Math.ceil(units / 16);
const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

const rendering = (unit: number): Rendering =>
  standIn(
    {
      fingerprint: digest(`rendering ${unit}`),
      layer: `layer${Math.floor(unit / perLayer)}`,
      unit: unit % perLayer,
    },
    8,
    unit,
  );

const model: PublishModel = {
  slug: 'vgg16',
  content: { ...modelContent.parse({ title: 'VGG16', weights: 'w.h5' }), classes: [] },
  sha256: digest('file'),
  format: 'keras-h5',
  parameters: 138_357_544,
  input: { channels: 3, heightPx: null, widthPx: null },
  layers: Array.from({ length: 16 }, (_, index) => ({
    slug: `layer${index}`,
    name: `layer${index}`,
    kind: 'conv' as const,
    index,
    units: perLayer,
    picture: { heightPx: 8, widthPx: 8 },
    output: [perLayer, 8, 8],
    receptiveFieldPx: 3,
    wanted: Array.from({ length: Math.min(perLayer, units - index * perLayer) }, (_, unit) => ({
      unit,
      fingerprint: digest(`rendering ${index * perLayer + unit}`),
      weights: digest(`weights ${index * perLayer + unit}`),
    })),
  })),
};

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const [from, before] = [performance.now(), process.cpuUsage()];
  const result = await work();
  const seconds = ((performance.now() - from) / 1000).toFixed(2).padStart(7);
  const { user, system } = process.cpuUsage(before);
  const cpuSeconds = ((user + system) / 1e6).toFixed(2).padStart(7);
  const megabytes = (process.resourceUsage().maxRSS / 1024).toFixed(0).padStart(5);
  process.stdout.write(
    `${what.padEnd(44)} ${seconds} s, ${cpuSeconds} s of processor, at most ${megabytes} MB so far\n`,
  );
  return result;
}

const folder = await mkdtemp(join(tmpdir(), 'phosphene-bench-'));
try {
  const quick = {
    ...disk,
    write: (path: string, bytes: Uint8Array) => disk.write(path, bytes, false),
    flushFolder: async () => {},
  };
  const writer = new DiskStore(join(folder, 'store'), quick);
  await timed('write the store, unflushed', async () => {
    for (let unit = 0; unit < units; unit++) await writer.write(rendering(unit));
  });
  const store = new DiskStore(join(folder, 'store'));
  const all = model.layers.flatMap(({ wanted }) => wanted.map(({ fingerprint }) => fingerprint));
  await timed('render, nothing changed: what is missing', () => store.hasAll(all));
  const run = (models: readonly PublishModel[]) =>
    publish(models, {
      store,
      contentDir: join(folder, 'content'),
      publicDir: join(folder, 'public'),
      signal: new AbortController().signal,
      promises: { today: '2026-11-21', absent: new Map() },
      emit: () => {},
    });
  await timed('publish, all new', () => run([model]));
  const again = await timed('publish, nothing changed', () => run([model]));
  if (again.files.written + again.files.removed > 0) throw new Error('Something was written');
  const there = new Set(all);
  const releases = ['v1', 'v2', 'v3'].map((name, month) =>
    releasedModel(freeze(model, name, `2026-0${month + 1}-01T00:00:00.000Z`, there)),
  );
  await timed('publish, three releases new', () => run([model, ...releases]));
  await timed('publish with three releases, nothing changed', () => run([model, ...releases]));
} finally {
  await rm(folder, { recursive: true });
}
