/**
 * How long the site of VGG16's whole list takes to build, 13,416 units with stand-in pictures: `node bench/site.ts
 * [folder] [--once]`. Built clean, again after one layer changed, and that once more clean, to compare all bytes. One line of
 * JSON each. Pictures are stand-ins, because only their number and size matter here.
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { link, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import {
  type GalleryIndex,
  type GalleryLayer,
  galleryIndex,
  galleryLayer,
  type LayerSummary,
  type UnitRecord,
} from '../content/schema.ts';
import { encodeSheet } from '../pipeline/publish/wall.ts';

const folder = resolve(process.argv.slice(2).find((word) => !word.startsWith('-')) ?? '.cache/bench/site');
const content = join(folder, 'content');
const publicDir = join(folder, 'public');
const target = join(folder, 'dist');
const cache = join(folder, 'cache');

const widths = [64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512];
const names = ['1_1', '1_2', '2_1', '2_2', '3_1', '3_2', '3_3', '4_1', '4_2', '4_3', '5_1', '5_2', '5_3'];
const convolutions = names.map((name, index) => ({
  slug: `block${name.replace('_', '_conv')}`,
  kind: 'conv' as const,
  units: widths[index] as number,
}));
const layers: readonly { slug: string; kind: LayerSummary['kind']; units: number }[] = [
  ...convolutions,
  { slug: 'fc1', kind: 'dense', units: 4096 },
  { slug: 'fc2', kind: 'dense', units: 4096 },
  { slug: 'predictions', kind: 'scores', units: 1000 },
];

const sidePx = 128;
const steps = [0, 1, 2, 4, 8, 16, 32, 64];

function recordOf(slug: string, kind: LayerSummary['kind'], unit: number, salt: number): UnitRecord {
  const peak = 5 + ((unit * 7919 + salt) % 1000) / 50;
  const at = (step: number): number => Number((peak * (1 - 0.93 ** step)).toPrecision(7));
  const label = kind === 'scores' ? { label: `class number ${unit}` } : {};
  return {
    unit,
    ...label,
    image: { file: `vgg16/${slug}/${unit}.webp`, widthPx: sidePx, heightPx: sidePx },
    strip: {
      file: `vgg16/${slug}/${unit}.strip.webp`,
      frames: steps.map((step) => ({ step, objective: at(step) })),
    },
    recipe: 'phosphene',
    seed: 0,
    objective: {
      name: 'mean linear',
      curve: Array.from({ length: 65 }, (_, step): [number, number] => [step, at(step)]),
    },
    measures: {
      activation: peak,
      maxActivation: peak * 3,
      initialActivation: 0.1,
      linearActivation: peak,
      keptUnderShifts: 0.97,
      harshShare: 0.03,
      dead: unit % 97 === 5 && kind !== 'scores',
      ...(kind === 'scores'
        ? { prediction: { unit, label: `class number ${unit}`, probability: 0.99, right: true } }
        : {}),
    },
    fingerprint: createHash('sha256').update(`${slug}/${unit}/${salt}`).digest('hex'),
    engine: 'stand-in',
    device: 'none',
    seconds: 1.5,
    renderedAt: '2026-11-21T11:00:00.000Z',
  };
}

/** A layer as `publish` writes it; `salt` changes every unit of it. */
function layerOf({ slug, kind, units }: (typeof layers)[number], index: number, salt: number): GalleryLayer {
  const records = Array.from({ length: units }, (_, unit) => recordOf(slug, kind, unit, salt));
  const alive = records.filter(({ measures }) => !measures.dead);
  return galleryLayer.parse({
    version: 1,
    model: 'vgg16',
    layer: {
      slug,
      name: slug,
      kind,
      index,
      units,
      published: units,
      dead: units - alive.length,
      picture: { heightPx: sidePx, widthPx: sidePx },
      output: kind === 'conv' ? [units, 64, 64] : [units],
      receptiveFieldPx: kind === 'conv' ? 3 + 12 * index : null,
      samples: alive.slice(0, 12).map(({ unit, image }) => ({ unit, ...image })),
    },
    recipes: {
      phosphene: {
        name: 'phosphene',
        objective: { kind: 'mean', of: 'linear' },
        parameterisation: { kind: 'sphere', contrast: 48, lowPass: 0.3, colourRate: 2 },
        transforms: [{ kind: 'jitter', pixels: 4 }],
        optimiser: { kind: 'adam', beta1: 0.9, beta2: 0.999, normalise: 'rms' },
        rate: { kind: 'constant', value: 0.05 },
        steps: 64,
        regularisers: [],
      },
    },
    wall: {
      tile: { widthPx: 96, heightPx: 96 },
      files: Array.from(
        { length: Math.ceil(alive.length / 32) },
        (_, sheet) => `vgg16/${slug}/wall-${sheet}.webp`,
      ),
    },
    units: records,
  });
}

async function writeLayer(index: number, salt: number): Promise<GalleryLayer> {
  const plan = layers[index] as (typeof layers)[number];
  const layer = layerOf(plan, index, salt);
  await mkdir(join(content, 'gallery', 'vgg16'), { recursive: true });
  await writeFile(join(content, 'gallery', 'vgg16', `${plan.slug}.json`), JSON.stringify(layer));
  return layer;
}

async function writeGallery(): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  const noise = Buffer.from(
    Uint8Array.from({ length: sidePx * sidePx * 3 }, (_, at) => (at * 2654435761) >>> 24),
  );
  const picture = await sharp(noise, { raw: { width: sidePx, height: sidePx, channels: 3 } })
    .blur(2)
    .webp({ quality: 90 })
    .toBuffer();
  const tiles = Array.from({ length: 32 }, () => picture);
  const sheet = await encodeSheet(tiles, { widthPx: 96, heightPx: 96 });
  const written = [];
  for (const [index, { slug, units }] of layers.entries()) {
    written.push(await writeLayer(index, 0));
    const pictures = join(publicDir, 'gallery', 'vgg16', slug);
    await mkdir(pictures, { recursive: true });
    const first = join(pictures, '0.webp');
    await writeFile(first, picture);
    await writeFile(join(pictures, 'wall-0.webp'), sheet);
    for (let place = 1; place < units / 32; place++) {
      await link(join(pictures, 'wall-0.webp'), join(pictures, `wall-${place}.webp`));
    }
    // Links stand for files: what counts is that each has a name of its own.
    await link(first, join(pictures, '0.strip.webp'));
    for (let unit = 1; unit < units; unit++) {
      await link(first, join(pictures, `${unit}.webp`));
      await link(first, join(pictures, `${unit}.strip.webp`));
    }
  }
  const index: GalleryIndex = {
    version: 1,
    models: [
      {
        slug: 'vgg16',
        title: 'VGG16',
        sha256: '0'.repeat(64),
        format: 'keras-h5',
        parameters: 138357544,
        input: { channels: 3, heightPx: 224, widthPx: 224, scaling: 'caffe' },
        layers: written.map(({ layer }) => layer),
      },
    ],
  };
  await writeFile(join(content, 'gallery', 'index.json'), JSON.stringify(galleryIndex.parse(index)));
}

/** Seconds by the clock and of all cores together, and the most memory that the process held, MB. */
async function build(name: string): Promise<void> {
  const started = performance.now();
  const child = spawn(process.execPath, ['node_modules/astro/bin/astro.mjs', 'build', '--silent'], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: {
      ...process.env,
      ASTRO_TELEMETRY_DISABLED: '1',
      PHOSPHENE_CONTENT: content,
      PHOSPHENE_PUBLIC: publicDir,
      PHOSPHENE_OUT: target,
      PHOSPHENE_CACHE: cache,
    },
  });
  let peakKb = 0;
  let ticks = 0;
  const timer = setInterval(async () => {
    const [status, stat] = await Promise.all(
      ['status', 'stat'].map((name) => readFile(`/proc/${child.pid}/${name}`, 'utf8').catch(() => '')),
    );
    peakKb = Math.max(peakKb, Number(/VmHWM:\s+(\d+)/.exec(status ?? '')?.[1] ?? 0));
    const [user, system] = (stat ?? '')
      .replace(/^.*\) /, '')
      .split(' ')
      .slice(11, 13)
      .map(Number);
    ticks = Math.max(ticks, (user ?? 0) + (system ?? 0));
  }, 50);
  const code = await new Promise((ended) => child.once('exit', ended));
  clearInterval(timer);
  if (code !== 0) throw new Error(`The build ended with ${code}`);
  const seconds = Number(((performance.now() - started) / 1000).toFixed(1));
  process.stdout.write(
    `${JSON.stringify({ build: name, seconds, cpuSeconds: ticks / 100, peakMb: Math.round(peakKb / 1024) })}\n`,
  );
}

/** One hash of each file of the site, pictures aside. */
async function hashes(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const entry of await readdir(target, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found.set(
      path,
      createHash('sha256')
        .update(await readFile(path))
        .digest('hex'),
    );
  }
  return found;
}

await writeGallery();
await build('clean');
// Only what is to be looked at, as by Lighthouse.
if (process.argv.includes('--once')) process.exit();
await writeLayer(12, 1);
await build('one layer changed');
const changed = await hashes();
for (const made of [cache, target]) await rm(made, { recursive: true, force: true });
await build('the same, clean');
const clean = await hashes();
const differing = [...clean].filter(([path, hash]) => changed.get(path) !== hash).map(([path]) => path);
const same = differing.length === 0 && changed.size === clean.size;
process.stdout.write(
  `${JSON.stringify({ files: clean.size, identical: same, differing: differing.slice(0, 5) })}\n`,
);
