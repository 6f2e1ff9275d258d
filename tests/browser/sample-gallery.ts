/**
 * A gallery as `publish` writes it, without a network: the pictures are drawn from formulas, the same ones each time.
 * It holds what a site must bear: dead units, class scores right and wrong, colour, and names made to break pages.
 */

import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import {
  type GalleryIndex,
  type GalleryLayer,
  type GalleryModel,
  galleryIndex,
  galleryLayer,
  type LayerSummary,
  type UnitRecord,
} from '../../content/schema.ts';
import { encodeSheet, sheetsOf, tileOf } from '../../pipeline/publish/wall.ts';

export interface SampleFolders {
  /** As content/. */
  readonly content: string;
  /** As public/. */
  readonly public: string;
}

interface LayerPlan {
  readonly slug: string;
  readonly name: string;
  readonly kind: LayerSummary['kind'];
  readonly units: number;
  /** Pixels that one value sees, and how fine the patterns are. */
  readonly fieldPx: number | null;
  readonly map: readonly number[];
  /** Side of its pictures; the model's input where it is left out. */
  readonly sidePx?: number;
}

export const hostileNames = [
  `<script>alert(1)</script>"'`,
  '</title><img src=x onerror=alert(2)>\u202egnitset\u202c שלום \u200f&amp;',
  'long/'.repeat(60),
] as const;

const greyLayers: readonly LayerPlan[] = [
  { slug: 'conv2d_1', name: 'conv2d_1', kind: 'conv', units: 32, fieldPx: 3, map: [26, 26] },
  { slug: 'conv2d_3', name: 'conv2d_3', kind: 'conv', units: 24, fieldPx: 10, map: [10, 10] },
  { slug: 'dense_1', name: 'dense_1', kind: 'dense', units: 64, fieldPx: null, map: [] },
  { slug: 'dense_3', name: 'dense_3', kind: 'scores', units: 10, fieldPx: null, map: [] },
];

const colourLayers: readonly LayerPlan[] = [
  {
    slug: 'block1_conv1',
    name: 'block1_conv1',
    kind: 'conv',
    units: 12,
    fieldPx: 3,
    map: [64, 64],
    sidePx: 64,
  },
  ...hostileNames.map(
    (name, place): LayerPlan => ({
      slug: `hostile-${place}`,
      name,
      kind: 'conv',
      units: 3,
      fieldPx: 40,
      map: [32, 32],
      sidePx: 128,
    }),
  ),
];

/** As many units as a page must bear within its budget. */
const wideLayer: LayerPlan = {
  slug: 'wide',
  name: 'wide',
  kind: 'conv',
  units: 512,
  fieldPx: 8,
  map: [8, 8],
  sidePx: 16,
};

const frameSteps = [0, 1, 2, 4, 8, 16, 32, 64];

/** mulberry32: numbers of 0..1, the same for the same seed. */
function numbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A few ripples under soft windows, −1..1, one value a pixel. */
function pattern(random: () => number, sidePx: number, fieldPx: number | null): Float32Array {
  const ripples = Array.from({ length: 3 }, () => ({
    angle: random() * Math.PI,
    cycles: (fieldPx === null ? 2 : sidePx / Math.max(fieldPx * 1.6, 5)) * (0.7 + random()),
    phase: random() * 2 * Math.PI,
    x: random(),
    y: random(),
    spread: fieldPx === null ? 0.2 + 0.2 * random() : 3,
  }));
  const values = new Float32Array(sidePx * sidePx);
  for (let place = 0; place < values.length; place++) {
    const [x, y] = [(place % sidePx) / sidePx, Math.floor(place / sidePx) / sidePx];
    values[place] = ripples.reduce((sum, ripple) => {
      const along = x * Math.cos(ripple.angle) + y * Math.sin(ripple.angle);
      const away = ((x - ripple.x) ** 2 + (y - ripple.y) ** 2) / ripple.spread ** 2;
      return sum + (Math.sin(2 * Math.PI * ripple.cycles * along + ripple.phase) * Math.exp(-away)) / 2;
    }, 0);
  }
  return values;
}

interface Drawing {
  readonly picture: Buffer;
  readonly strip: Buffer;
}

/** The picture at each frame: noise that gives way to the pattern. `channels` × side × side, as WebP. */
async function draw(seed: number, sidePx: number, channels: 1 | 3, fieldPx: number | null): Promise<Drawing> {
  const random = numbers(seed);
  const planes = Array.from({ length: channels }, () => pattern(random, sidePx, fieldPx));
  const noise = planes.map((plane) => plane.map(() => random() * 2 - 1));
  const widthPx = frameSteps.length * sidePx;
  const sheet = Buffer.alloc(widthPx * sidePx * channels);
  frameSteps.forEach((_, frame) => {
    const done = frame / (frameSteps.length - 1);
    planes.forEach((plane, channel) => {
      plane.forEach((value, place) => {
        const mixed = value * done + (noise[channel]?.[place] ?? 0) * 0.35 * (1 - done) ** 2;
        const [x, y] = [frame * sidePx + (place % sidePx), Math.floor(place / sidePx)];
        sheet[(y * widthPx + x) * channels + channel] = Math.min(255, Math.max(0, 127.5 + 110 * mixed));
      });
    });
  });
  const raw = { width: widthPx, height: sidePx, channels };
  const last = { left: widthPx - sidePx, top: 0, width: sidePx, height: sidePx };
  const webp = { quality: 85, lossless: channels === 1, effort: 0 };
  return {
    picture: await sharp(sheet, { raw }).extract(last).webp(webp).toBuffer(),
    strip: await sharp(sheet, { raw }).webp(webp).toBuffer(),
  };
}

function recordOf(model: string, plan: LayerPlan, unit: number, sidePx: number): UnitRecord {
  const random = numbers(unit * 7919 + plan.slug.length);
  const dead = plan.kind !== 'scores' && unit % 9 === 4;
  const peak = dead ? 0 : 2 + 20 * random();
  const start = dead ? -3 : 0.1 * random();
  const values = Array.from(
    { length: 65 },
    (_, step) => start + ((dead ? -0.5 : peak) - start) * (1 - 0.93 ** step),
  );
  const at = (step: number): number => values[step] ?? 0;
  const right = unit !== 4;
  return {
    unit,
    ...(plan.kind === 'scores' ? { label: String(unit) } : {}),
    image: { file: `${model}/${plan.slug}/${unit}.webp`, widthPx: sidePx, heightPx: sidePx },
    strip: {
      file: `${model}/${plan.slug}/${unit}.strip.webp`,
      frames: frameSteps.map((step) => ({ step, objective: at(step) })),
    },
    recipe: 'phosphene',
    seed: 0,
    objective: { name: 'mean of the linear map', curve: values.map((value, step) => [step, value]) },
    measures: {
      activation: peak,
      maxActivation: peak * 2.5,
      initialActivation: Math.max(0, dead ? 0 : start),
      linearActivation: dead ? -0.5 : peak,
      keptUnderShifts: dead ? null : 0.7 + 0.3 * random(),
      keptUnderScales: dead ? null : 0.6 + 0.3 * random(),
      equalContrastActivation: peak * 0.9,
      harshShare: 0.04 * random(),
      highFrequencyShare: 0.2 * random(),
      dead,
      ...(plan.kind === 'scores'
        ? {
            probability: right ? 0.9982 : 0.32,
            prediction: {
              unit: right ? unit : 9,
              label: right ? String(unit) : '9',
              probability: right ? 0.9982 : 0.61,
              right,
            },
          }
        : {}),
    },
    fingerprint: createHash('sha256').update(`${model}/${plan.slug}/${unit}`).digest('hex'),
    engine: 'sample',
    device: 'formula',
    seconds: 0.04,
    renderedAt: '2026-11-21T11:00:00.000Z',
  };
}

function layerOf(model: string, plan: LayerPlan, index: number, sidePx: number): GalleryLayer {
  const units = Array.from({ length: plan.units }, (_, unit) => recordOf(model, plan, unit, sidePx));
  const alive = units.filter(({ measures }) => !measures.dead);
  return {
    version: 1,
    model,
    layer: {
      slug: plan.slug,
      name: plan.name,
      kind: plan.kind,
      index,
      units: plan.units,
      published: units.length,
      dead: units.length - alive.length,
      picture: { heightPx: sidePx, widthPx: sidePx },
      output: [plan.units, ...plan.map],
      receptiveFieldPx: plan.fieldPx,
      samples: alive.slice(0, 12).map(({ unit, image }) => ({ unit, ...image })),
    },
    recipes: {
      phosphene: {
        name: 'phosphene',
        objective: { kind: 'mean', of: 'linear' },
        transforms: [{ kind: 'jitter', pixels: 4 }],
        optimiser: { kind: 'adam', beta1: 0.9, normEpsilon: 0.00001 },
        steps: 64,
        regularisers: [],
      },
    },
    units,
  };
}

async function writeModel(
  folders: SampleFolders,
  model: Omit<GalleryModel, 'layers'>,
  plans: readonly LayerPlan[],
): Promise<GalleryModel> {
  const { slug, input } = model;
  const layers = plans.map((plan, index) => layerOf(slug, plan, index, plan.sidePx ?? input.widthPx ?? 224));
  const gallery = join(folders.content, 'gallery');
  await mkdir(join(gallery, slug), { recursive: true });
  for (const [place, content] of layers.entries()) {
    const pictures = join(folders.public, 'gallery', slug, content.layer.slug);
    await mkdir(pictures, { recursive: true });
    const drawn = new Map<number, Buffer>();
    for (const { unit } of content.units) {
      const { picture, strip } = await draw(
        place * 1000 + unit,
        content.layer.picture.widthPx,
        input.channels === 1 ? 1 : 3,
        content.layer.receptiveFieldPx,
      );
      await writeFile(join(pictures, `${unit}.webp`), picture);
      await writeFile(join(pictures, `${unit}.strip.webp`), strip);
      drawn.set(unit, picture);
    }
    const sheets = sheetsOf(content.units);
    const tile = tileOf({
      widthPx: content.layer.picture.widthPx,
      heightPx: content.layer.picture.heightPx,
    });
    for (const [sheet, units] of sheets.entries()) {
      const bytes = await encodeSheet(
        units.map(({ unit }) => drawn.get(unit) ?? Buffer.alloc(0)),
        tile,
      );
      await writeFile(join(pictures, `wall-${sheet}.webp`), bytes);
    }
    const files = sheets.map((_, sheet) => `${slug}/${content.layer.slug}/wall-${sheet}.webp`);
    // One layer is as galleries were before there were sheets.
    const wall = content.layer.slug === 'dense_1' ? {} : { wall: { tile, files } };
    await writeFile(
      join(gallery, slug, `${content.layer.slug}.json`),
      JSON.stringify(galleryLayer.parse({ ...content, ...wall })),
    );
  }
  return { ...model, layers: layers.map(({ layer }) => layer) };
}

/** Writes the sample gallery: the models `sample` (grey, 28 px) and `colour` (any size: pictures of 64 and 128 px). */
export async function writeSampleGallery(folders: SampleFolders): Promise<GalleryIndex> {
  const known = {
    sha256: '0'.repeat(64),
    format: 'keras-zip',
    source: 'Drawn from formulas.',
    licence: 'CC0-1.0',
  };
  const grey = await writeModel(
    folders,
    {
      ...known,
      slug: 'sample',
      title: 'Sample digits',
      summary: 'A gallery without a network, for the tests of the site.',
      parameters: 887530,
      input: { channels: 1, heightPx: 28, widthPx: 28, scaling: '0..1' },
      classes: [...'0123456789'],
    },
    greyLayers,
  );
  const colour = await writeModel(
    folders,
    {
      ...known,
      slug: 'colour',
      title: `Colour & "names" <b>bold</b>`,
      parameters: 14714688,
      input: { channels: 3, heightPx: null, widthPx: null, scaling: 'caffe' },
    },
    [...colourLayers, wideLayer],
  );
  const index: GalleryIndex = { version: 1, models: [grey, colour] };
  await writeFile(join(folders.content, 'gallery', 'index.json'), JSON.stringify(galleryIndex.parse(index)));
  return index;
}
