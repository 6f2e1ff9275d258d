import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type GalleryIndex,
  type GalleryLayer,
  galleryIndex,
  galleryLayer,
  modelContent,
} from '../../content/schema.ts';
import type { Event } from '../../pipeline/events.ts';
import { disk, type Files } from '../../pipeline/files.ts';
import { type PublishSummary, publish } from '../../pipeline/publish/publish.ts';
import { pictureFiles } from '../../pipeline/publish/record.ts';
import type { PublishModel } from '../../pipeline/publish/wanted.ts';
import { MemoryStore } from '../../pipeline/store/memory.ts';
import type { Rendering } from '../../pipeline/store/store.ts';
import { fingerprintOf, rendering } from '../store/rendering.ts';

let folder: string;
let store: MemoryStore;
let events: Event[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-publish-'));
  store = new MemoryStore();
  events = [];
});
afterEach(() => rm(folder, { recursive: true }));

/** A model of one layer whose unit u wants the rendering of seed u. */
function model(units: number, changes: Partial<PublishModel> = {}): PublishModel {
  return {
    slug: 'mnist',
    content: { ...modelContent.parse({ title: 'MNIST', weights: 'w.keras' }), classes: ['zero', 'one'] },
    sha256: fingerprintOf('file'),
    format: 'keras-zip',
    parameters: 123,
    input: { channels: 1, heightPx: 20, widthPx: 28 },
    layers: [layer('conv2d', units)],
    ...changes,
  };
}

function layer(slug: string, units: number): PublishModel['layers'][number] {
  return {
    slug,
    name: `${slug} <b>`,
    kind: 'conv',
    index: 0,
    units,
    picture: { heightPx: 20, widthPx: 28 },
    output: [units, 26, 26],
    receptiveFieldPx: 3,
    wanted: Array.from({ length: units }, (_, unit) => ({
      unit,
      fingerprint: rendering(unit).fingerprint,
      weights: fingerprintOf(`weights ${unit}`),
    })),
  };
}

async function keep(...renderings: Rendering[]): Promise<void> {
  for (const each of renderings) await store.write(each);
}

function run(
  models: PublishModel[],
  files?: Files,
  signal = new AbortController().signal,
): Promise<PublishSummary> {
  return publish(models, {
    store,
    contentDir: join(folder, 'content'),
    publicDir: join(folder, 'public'),
    emit: (event) => void events.push(event),
    signal,
    ...(files === undefined ? {} : { files }),
  });
}

async function published(): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  return names
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}
/** Where the layer lies of which the index tells. */
const layerFile = async (slug = 'conv2d'): Promise<string> => {
  const { models } = await readIndex();
  return `content/gallery/${models[0]?.layers.find((layer) => layer.slug === slug)?.file}`;
};
const readLayer = async (slug?: string): Promise<GalleryLayer> =>
  galleryLayer.parse(JSON.parse(await readFile(join(folder, await layerFile(slug)), 'utf8')));
const pictures = (...units: number[]): string[] =>
  units
    .flatMap((unit) => Object.values(pictureFiles(rendering(unit).fingerprint)))
    .map((file) => `public/gallery/${file}`);
const pictureOf = (unit: number): string => join(folder, pictures(unit)[0] ?? '');
/** The sheets of the only layer. */
const sheets = async (): Promise<string[]> =>
  ((await readLayer()).wall?.files ?? []).map((file) => `public/gallery/${file}`);
const readIndex = async (): Promise<GalleryIndex> =>
  galleryIndex.parse(JSON.parse(await readFile(join(folder, 'content/gallery/index.json'), 'utf8')));

describe('publish', () => {
  it('writes index, layers and pictures in the form of content/schema.ts', async () => {
    await keep(rendering(0), rendering(1));
    const summary = await run([model(2)]);
    expect(summary).toMatchObject({
      models: 1,
      layers: 1,
      units: { total: 2, published: 2, missing: 0, damaged: 0, dead: 0 },
      pictures: { encoded: 2, kept: 0 },
    });
    const all = [
      'content/gallery/.encoded/index.json',
      'content/gallery/.encoded/mnist/conv2d.json',
      'content/gallery/index.json',
      await layerFile(),
      ...pictures(0, 1),
      ...(await sheets()),
    ];
    expect(await published()).toEqual(all.sort());
    const { units, recipes } = await readLayer();
    const one = rendering(1);
    expect(units[1]).toEqual({
      unit: 1,
      image: { file: pictureFiles(one.fingerprint).image, widthPx: 28, heightPx: 20 },
      strip: {
        file: pictureFiles(one.fingerprint).strip,
        frames: one.frames.map(({ step, objective }) => ({ step, objective })),
      },
      recipe: Object.keys(recipes)[0],
      seed: 0,
      objective: {
        name: 'mean linear',
        curve: one.curve.map((value, step) => [step, Number(value.toPrecision(7))]),
      },
      measures: one.measures,
      fingerprint: one.fingerprint,
      engine: 'cpu',
      device: 'a processor',
      seconds: 0.25,
      renderedAt: '2026-01-02T03:04:05.678Z',
    });
    expect(Object.values(recipes)).toEqual([one.recipe]);
    expect((await readIndex()).models[0]).toMatchObject({
      slug: 'mnist',
      title: 'MNIST',
      parameters: 123,
      input: { channels: 1, heightPx: 20, widthPx: 28, scaling: '0..1' },
      classes: ['zero', 'one'],
      layers: [{ slug: 'conv2d', name: 'conv2d <b>', units: 2, published: 2, dead: 0 }],
    });
  });

  it('shows the last frame as the picture, pixel for pixel, and all frames in the strip', async () => {
    await keep(rendering(0));
    await run([model(1)]);
    const path = pictureOf(0);
    const picture = await sharp(path).toColourspace('b-w').raw().toBuffer();
    expect(picture.equals(rendering(0).frames.at(-1)?.pixels ?? new Uint8Array())).toBe(true);
    const strip = await sharp(path.replace('.webp', '.strip.webp')).metadata();
    expect(strip).toMatchObject({ width: 4 * 28, height: 20 });
  });

  it('gives a unit the label that the plan gives it now', async () => {
    await keep(rendering(0));
    const labelled = (label: string): PublishModel =>
      model(1, {
        layers: [
          {
            ...layer('conv2d', 1),
            wanted: [{ unit: 0, label, fingerprint: rendering(0).fingerprint, weights: fingerprintOf('0') }],
          },
        ],
      });
    await run([labelled('zero')]);
    expect((await readLayer()).units[0]?.label).toBe('zero');
    expect(await run([labelled('null')])).toMatchObject({ pictures: { encoded: 0 } });
    expect((await readLayer()).units[0]?.label).toBe('null');
    await run([model(1)]);
    expect((await readLayer()).units[0]).not.toHaveProperty('label');
  });

  it("calls the class that a network saw by today's name, and renders nothing for a new one", async () => {
    const prediction = { unit: 1, label: 'as it was', probability: 0.9, right: false };
    await keep(rendering(0, { measures: { ...rendering(0).measures, prediction } }));
    const named = (...classes: string[]): PublishModel => {
      const { classes: _, ...content } = model(1).content;
      return model(1, { content: classes.length === 0 ? content : { ...content, classes } });
    };
    const seen: unknown[] = [];
    for (const each of [named('zero', 'one'), named('null', 'eins'), named()]) {
      await run([each]);
      seen.push((await readLayer()).units[0]?.measures.prediction);
    }
    const { label: _, ...nameless } = prediction;
    expect(seen).toEqual([{ ...nameless, label: 'one' }, { ...nameless, label: 'eins' }, nameless]);
  });

  it('refers to one recipe from all units that share it, whatever the order of its fields', async () => {
    const { steps, ...rest } = rendering(1).recipe;
    await keep(
      rendering(0),
      rendering(1, { recipe: { steps, ...rest } }),
      rendering(2, { recipe: { steps: 9 } }),
    );
    await run([model(3)]);
    const { recipes, units } = await readLayer();
    expect(Object.keys(recipes)).toHaveLength(2);
    expect(units[0]?.recipe).toBe(units[1]?.recipe);
    expect(recipes[units[2]?.recipe ?? '']).toEqual({ steps: 9 });
  });

  it('counts what the store does not have, publishes the rest, and keeps the layer', async () => {
    await keep(rendering(1));
    const summary = await run([model(3)]);
    expect(summary.units).toEqual({ total: 3, published: 1, missing: 2, damaged: 0, dead: 0 });
    expect((await readLayer()).units.map(({ unit }) => unit)).toEqual([1]);
    expect((await readIndex()).models[0]?.layers[0]).toMatchObject({ units: 3, published: 1 });
    expect(events.filter(({ kind }) => kind === 'unpublished')).toEqual(
      [0, 2].map((unit) => ({
        kind: 'unpublished',
        model: 'mnist',
        layer: 'conv2d <b>',
        unit,
        reason: 'missing',
      })),
    );
  });

  it('leaves out what has no picture at all, layers and models, says so, and joins what lies around it', async () => {
    await keep(rendering(0), rendering(1));
    const layers = [layer('a', 1), { ...layer('b', 9), inputs: ['a'] }, { ...layer('c', 2), inputs: ['b'] }];
    const [a, b, c] = layers as [PublishModel['layers'][number], (typeof layers)[1], (typeof layers)[2]];
    const none = { ...b, wanted: b.wanted.slice(5) };
    const summary = await run([
      model(2, { layers: [a, none, c] }),
      model(2, { slug: 'later', layers: [none] }),
    ]);
    expect(summary).toMatchObject({
      models: 1,
      layers: 2,
      units: { total: 11, published: 3, missing: 8 },
    });
    const { models } = await readIndex();
    expect(models.map(({ slug }) => slug)).toEqual(['mnist']);
    expect(models[0]?.layers).toMatchObject([{ slug: 'a' }, { slug: 'c', inputs: ['a'] }]);
    expect((await published()).filter((file) => /\/b\.|later/.test(file))).toEqual([]);
    expect(events.filter(({ kind }) => kind === 'left-out')).toEqual([
      { kind: 'left-out', models: ['later'], reason: 'none of its units is rendered yet' },
    ]);
  });

  it('tells a damaged rendering from a missing one, and removes it so that it is rendered again', async () => {
    await keep(rendering(0));
    store.read = () => Promise.resolve(undefined);
    expect((await run([model(1)])).units).toMatchObject({ published: 0, missing: 0, damaged: 1 });
    expect(await store.has(rendering(0).fingerprint)).toBe(false);
  });

  it('chooses at most 12 living units to stand for the layer, the most active of each stretch', async () => {
    const at = (unit: number): number => (unit === 17 ? 99 : unit % 5);
    const measures = (unit: number) => ({ ...rendering(0).measures, activation: at(unit), dead: unit === 3 });
    await keep(...Array.from({ length: 40 }, (_, unit) => rendering(unit, { measures: measures(unit) })));
    await run([model(40)]);
    const summary = (await readIndex()).models[0]?.layers[0];
    const samples = summary?.samples.map(({ unit }) => unit) ?? [];
    expect(summary?.dead).toBe(1);
    expect(samples).toHaveLength(12);
    expect(samples).toContain(17);
    expect(samples).not.toContain(3);
    expect(samples).toEqual([...samples].sort((a, b) => a - b));
    expect(samples.at(0)).toBeLessThan(4);
    expect(samples.at(-1)).toBeGreaterThan(35);
  });
});

describe('publishing again', () => {
  it('writes nothing and opens no frames when nothing changed', async () => {
    await keep(rendering(0), rendering(1));
    await run([model(2)]);
    const before = await stamps();
    store.read = () => Promise.reject(new Error('must not be read'));
    const summary = await run([model(2)]);
    expect(summary).toMatchObject({ pictures: { encoded: 0, kept: 2 }, files: { written: 0, removed: 0 } });
    expect(await stamps()).toEqual(before);
  });

  it('encodes only the unit whose fingerprint changed', async () => {
    await keep(rendering(0), rendering(1), rendering(7));
    await run([model(2)]);
    const changed = layer('conv2d', 2);
    const wanted = [
      { unit: 0, fingerprint: rendering(7).fingerprint, weights: fingerprintOf('7') },
      ...changed.wanted.slice(1),
    ];
    const summary = await run([model(2, { layers: [{ ...changed, wanted }] })]);
    expect(summary.pictures).toEqual({ encoded: 1, kept: 1 });
    const [shown] = (await readLayer()).units;
    expect(shown?.image.file).toBe(pictureFiles(rendering(7).fingerprint).image);
    const picture = await sharp(pictureOf(7)).toColourspace('b-w').raw().toBuffer();
    expect(picture.equals(rendering(7).frames.at(-1)?.pixels ?? new Uint8Array())).toBe(true);
  });

  it.each([
    ['a picture is gone', () => pictures(0)[0], undefined],
    ['a strip was cut', () => pictures(0)[1], 'RIFF'],
    ['the layer file was cut', layerFile, '{"version": 1,'],
    ['the manifest was cut', () => 'content/gallery/.encoded/mnist/conv2d.json', '{'],
    ['the index is gone', () => 'content/gallery/index.json', undefined],
  ])('restores all when %s', async (_, fileOf, text) => {
    await keep(rendering(0), rendering(1));
    await run([model(2)]);
    const before = await contents();
    const file = (await fileOf()) ?? '';
    await (text === undefined ? rm(join(folder, file)) : writeFile(join(folder, file), text));
    await run([model(2)]);
    expect(await contents()).toEqual(before);
  });

  it('removes what nothing refers to: units, layers, models, leftovers, and the folders that become empty', async () => {
    await keep(rendering(0), rendering(1));
    await run([model(2, { layers: [layer('conv2d', 2), layer('dense', 1)] }), model(1, { slug: 'other' })]);
    await writeFile(join(folder, 'public/gallery/pictures/.tmp-1-abc'), 'half');
    await mkdir(join(folder, 'public/fonts'));
    await writeFile(join(folder, 'public/fonts/not-ours.woff2'), '');
    const summary = await run([model(1)]);
    // Two pictures, their sheet, the layer's old file, the layer dense and the model other (two files each), the leftover.
    expect(summary.files.removed).toBe(9);
    const all = [
      'content/gallery/.encoded/index.json',
      'content/gallery/.encoded/mnist/conv2d.json',
      'content/gallery/index.json',
      await layerFile(),
      'public/fonts/not-ours.woff2',
      ...pictures(0),
      ...(await sheets()),
    ];
    expect(await published()).toEqual(all.sort());
    expect(await readdir(join(folder, 'content/gallery'))).toEqual(['.encoded', 'index.json', 'mnist']);
  });

  it('never leaves an index that names what is not there, wherever it is stopped', async () => {
    await keep(...[0, 1, 2, 3].map((unit) => rendering(unit)));
    const full = async (failAt: number): Promise<boolean> => {
      let calls = 0;
      const fail: Files['write'] = (...args) =>
        calls++ === failAt
          ? Promise.reject(Object.assign(new Error(), { code: 'ENOSPC' }))
          : disk.write(...args);
      const error = await run([model(4)], { ...disk, write: fail }).catch((each: unknown) => each);
      if (!(error instanceof Error)) return false;
      expect(error).toMatchObject({ name: 'PhospheneError', exitCode: 1 });
      expect(error.message).toMatch(/^The disk is full: .* could not be written/);
      return true;
    };
    let failures = 0;
    while (await full(failures)) {
      failures++;
      for (const { layers } of (await readIndex().catch(() => undefined))?.models ?? []) {
        for (const each of layers) expect((await readLayer(each.slug)).units).toHaveLength(each.published);
      }
      expect((await published()).filter((name) => name.includes('.tmp-'))).toEqual([]);
      await rm(join(folder, 'content'), { recursive: true, force: true });
      await rm(join(folder, 'public'), { recursive: true, force: true });
    }
    // Eight pictures, their sheet, the layer, its manifest, the index, its manifest.
    expect(failures).toBe(13);
    expect((await readLayer()).units).toHaveLength(4);
  });

  it('shows the old gallery, whole, until the new one is, and then that, whatever happens between', async () => {
    await keep(rendering(0), rendering(7));
    const other = model(1, {
      layers: [
        {
          ...layer('conv2d', 1),
          wanted: [{ unit: 0, fingerprint: rendering(7).fingerprint, weights: fingerprintOf('7') }],
        },
      ],
    });
    await run([model(1)]);
    const before = await contents();
    const stop: Files['rename'] = (from, to) =>
      to.endsWith('index.json') && !to.includes('.encoded')
        ? Promise.reject(new Error('stopped'))
        : disk.rename(from, to);
    await expect(run([other], { ...disk, rename: stop })).rejects.toThrow('stopped');
    expect(await contents()).toMatchObject({ ...before, ...noManifests });
    await run([model(1)]);
    expect(await contents()).toEqual(before);
  });

  it('goes on where it was interrupted: what was encoded stays', async () => {
    await keep(...Array.from({ length: 300 }, (_, unit) => rendering(unit)));
    const stopping = new AbortController();
    let done = 0;
    const stop: Files['rename'] = async (from, to) => {
      await disk.rename(from, to);
      if (to.includes('/pictures/') && ++done === 500) stopping.abort(new Error('asked'));
    };
    await expect(run([model(300)], { ...disk, rename: stop }, stopping.signal)).rejects.toThrow('asked');
    const { pictures: again } = await run([model(300)]);
    expect(again.kept).toBeGreaterThanOrEqual(128);
    expect(again.encoded + again.kept).toBe(300);
    const interrupted = await contents();
    await rm(join(folder, 'content'), { recursive: true });
    await rm(join(folder, 'public'), { recursive: true });
    await run([model(300)]);
    expect(await contents()).toEqual(interrupted);
  });

  it('stops between two units when it is asked to', async () => {
    await keep(...Array.from({ length: 30 }, (_, unit) => rendering(unit)));
    const stopping = new AbortController();
    const stopped = run([model(30)], undefined, stopping.signal);
    stopping.abort(new Error('asked'));
    await expect(stopped).rejects.toThrow('asked');
    expect(events.filter(({ kind }) => kind === 'published').length).toBeLessThan(30);
    await expect(readIndex()).rejects.toThrow();
  });
});

const noManifests = { 'content/gallery/.encoded/mnist/conv2d.json': expect.anything() };

async function contents(): Promise<Record<string, string>> {
  const files = await published();
  const hashes = await Promise.all(
    files.map(async (file) => fingerprintOf(await readFile(join(folder, file)))),
  );
  return Object.fromEntries(files.map((file, index) => [file, hashes[index] ?? '']));
}

async function stamps(): Promise<number[]> {
  return Promise.all((await published()).map(async (file) => (await stat(join(folder, file))).mtimeMs));
}
