/** Releases: pages that stay as they are, whatever is rendered later, with pictures that they share. */

import { access, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Changes, modelContent, unitJson } from '../../content/schema.ts';
import { disk } from '../../pipeline/files.ts';
import { writeChanges } from '../../pipeline/publish/changes.ts';
import { type PublishSummary, publish } from '../../pipeline/publish/publish.ts';
import { freeze, readReleases, releasedModel, writeRelease } from '../../pipeline/publish/releases.ts';
import { verifyPublished } from '../../pipeline/publish/verify.ts';
import type { PublishModel } from '../../pipeline/publish/wanted.ts';
import { MemoryStore } from '../../pipeline/store/memory.ts';
import { fingerprintOf, rendering } from '../store/rendering.ts';
import { buildSite } from './build.ts';
import { launchChromium } from './chromium.ts';
import { type Host, serve } from './serve.ts';

let folder: string;
let host: Host;
let browser: Browser;
const store = new MemoryStore();
const units = 40;

/** A model whose unit u was made from `seeds[u]`. */
function model(seeds: readonly number[]): PublishModel {
  return {
    slug: 'digits',
    content: { ...modelContent.parse({ title: 'Digits', weights: 'w.keras' }), classes: [] },
    sha256: fingerprintOf('file'),
    format: 'keras-zip',
    parameters: 123,
    input: { channels: 1, heightPx: 20, widthPx: 28 },
    layers: [
      {
        slug: 'conv',
        name: 'conv',
        kind: 'conv',
        index: 0,
        units,
        picture: { heightPx: 20, widthPx: 28 },
        output: [units, 26, 26],
        receptiveFieldPx: 3,
        wanted: seeds.map((seed, unit) => ({
          unit,
          fingerprint: rendering(seed).fingerprint,
          weights: fingerprintOf(`weights ${seed}`),
        })),
      },
    ],
  };
}

const contentDir = () => join(folder, 'content');
const publicDir = () => join(folder, 'public');
async function publishAll(seeds: readonly number[]): Promise<PublishSummary> {
  const releases = (await readReleases(disk, contentDir())).map(releasedModel);
  return publish([model(seeds), ...releases], {
    store,
    contentDir: contentDir(),
    publicDir: publicDir(),
    signal: new AbortController().signal,
    promises: { today: '2026-11-21', absent: new Map() },
    emit: () => {},
  });
}
async function release(name: string, seeds: readonly number[]): Promise<boolean> {
  const there = await store.hasAll(seeds.map((seed) => rendering(seed).fingerprint));
  return writeRelease(
    disk,
    contentDir(),
    freeze(model(seeds), name, `2026-0${name[1]}-01T00:00:00.000Z`, there),
  );
}
const seedsAt = (version: number): number[] =>
  Array.from({ length: units }, (_, unit) => (unit < version - 1 ? 100 * version + unit : unit));
/** What `diff` finds between a release and the newest state. */
const changesSince = (before: string): Changes => ({
  version: 1,
  model: 'digits',
  madeAt: '2026-11-21',
  before,
  after: 'digits',
  layers: [
    {
      slug: 'conv',
      name: 'conv',
      units,
      changed: [1, 0].map((unit) => ({
        unit,
        before: rendering(seedsAt(2)[unit] ?? 0).fingerprint,
        after: rendering(seedsAt(3)[unit] ?? 0).fingerprint,
        own: true,
        below: false,
        settings: false,
        weights: null,
        rendered: [true, true],
        picture: 0.25,
        activation: [1, 2],
        dead: [false, false],
      })),
    },
  ],
});
const bytesOf = async (path: string): Promise<number> => {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.webp'));
  const sizes = files.map(async ({ parentPath, name }) => (await readFile(join(parentPath, name))).length);
  return (await Promise.all(sizes)).reduce((sum, bytes) => sum + bytes, 0);
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-releases-'));
  for (const seed of new Set([1, 2, 3, 4].flatMap(seedsAt)))
    await store.write(rendering(seed, { unit: seed % 100 }));
  await release('v1', seedsAt(1));
  await release('v2', seedsAt(2));
  await writeChanges(disk, contentDir(), 'since-v2', changesSince('digits@v2'));
  // Two units are not as the newest release shows them.
  await publishAll(seedsAt(3));
  await buildSite({ content: contentDir(), public: publicDir() }, join(folder, 'site'), '/', 'https://x.org');
  host = await serve(join(folder, 'site'));
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await host?.close();
  await rm(folder, { recursive: true });
});

const json = async (path: string) =>
  unitJson.parse(JSON.parse(await readFile(join(folder, 'site', path), 'utf8')));

/** Opens a page on which everything is there. */
async function open(path: string): Promise<Page> {
  const page = await browser.newPage({ reducedMotion: 'reduce' });
  const wrong: string[] = [];
  page.on('response', (answer) => void (answer.status() >= 400 && wrong.push(answer.url())));
  await page.goto(host.address + path, { waitUntil: 'networkidle' });
  expect(wrong).toEqual([]);
  return page;
}

it('the newest page says so, leads to the unit in each release, and gives readers the link that stays', async () => {
  const page = await open('/digits/conv/7/');
  const link = page.locator('a[rel=bookmark]');
  expect(await link.getAttribute('href')).toBe('/digits@v2/conv/7/');
  expect(await page.getByText('In each release:').textContent()).toMatch(/In each release: v2, v1\./);
  const quoted = await page.locator('copy-texts code').allTextContents();
  for (const text of quoted) expect(text).toContain('https://x.org/digits@v2/conv/7/');
  expect(await json('digits/conv/7.json')).toMatchObject({
    permanent: 'https://x.org/digits@v2/conv/7/',
    cite: expect.stringContaining('https://x.org/digits@v2/conv/7/'),
  });
  await page.close();
});

it('a unit that changed since is not quoted by a release that shows another picture', async () => {
  const page = await open('/digits/conv/1/');
  expect(await page.getByText('No release shows it just so.').count()).toBe(1);
  expect(await page.getByText('v2 (another picture), v1 (another picture)').count()).toBe(1);
  expect(await json('digits/conv/1.json')).not.toHaveProperty('permanent');
  await page.close();
});

it('release pages stand by themselves: layer, unit, frame, record, and the picture that was there', async () => {
  for (const path of ['/digits@v1/', '/digits@v1/conv/', '/digits@v1/conv/1/', '/digits@v1/conv/1/embed/']) {
    const page = await open(path);
    expect(
      await page
        .locator('img')
        .first()
        .evaluate((image) => (image as HTMLImageElement).naturalWidth),
    ).toBeGreaterThan(0);
    if (!path.endsWith('embed/')) {
      expect(await page.getByText(/Release v1 of 1 January 2026/).count()).toBe(1);
    }
    await page.close();
  }
  const [v1, v2, now] = await Promise.all(
    ['digits@v1', 'digits@v2', 'digits'].map((slug) => json(`${slug}/conv/1.json`)),
  );
  expect([v1, v2, now].map((record) => record?.fingerprint)).toEqual([
    rendering(1).fingerprint,
    rendering(1).fingerprint,
    rendering(301).fingerprint,
  ]);
  expect(v1?.image.url).toBe(v2?.image.url);
  await access(join(folder, 'site', new URL(v1?.image.url ?? '').pathname));
});

it('the wall of a release sharpens and plays pictures from where they lie', async () => {
  const page = await browser.newPage({ deviceScaleFactor: 2 });
  const failed: string[] = [];
  page.on('response', (answer) => void (answer.status() >= 400 && failed.push(answer.url())));
  await page.goto(`${host.address}/digits@v1/conv/`, { waitUntil: 'networkidle' });
  await page.locator('.wall .tile').first().hover();
  await page.waitForLoadState('networkidle');
  expect(failed).toEqual([]);
  await page.close();
});

it('what changed is led to from the home page, its model, its release and the feed, and shows both pictures', async () => {
  for (const path of ['/', '/digits/', '/digits@v2/', '/changes/']) {
    const page = await open(path);
    const link = page.getByRole('main').getByRole('link', { name: 'digits@v2 → digits' });
    expect(await link.getAttribute('href')).toBe('/changes/since-v2/');
    await page.close();
  }
  const html = await readFile(join(folder, 'site/digits@v1/index.html'), 'utf8');
  expect(html).not.toContain('/changes/');
  const feed = await readFile(join(folder, 'site/releases.xml'), 'utf8');
  expect(feed).toContain('<link>https://x.org/changes/since-v2/</link>');
  const page = await open('/changes/since-v2/');
  expect(await page.locator('main li img').count()).toBe(4);
  const units = page.locator('main li a');
  expect(await units.evaluateAll((links) => links.map((link) => link.getAttribute('href')))).toEqual([
    '/digits/conv/1/',
    '/digits/conv/0/',
  ]);
  await page.close();
});

it('ten releases that differ in few units take little more room than one', async () => {
  const one = await bytesOf(join(publicDir(), 'gallery'));
  for (let version = 3; version <= 9; version++) await release(`v${version}`, seedsAt(Math.min(version, 4)));
  const summary = await publishAll(seedsAt(3));
  const ten = await bytesOf(join(publicDir(), 'gallery'));
  expect(ten / one).toBeLessThan(1.25);
  // What is new of them are the units of version 4.
  expect(summary.pictures.encoded).toBeLessThanOrEqual(3 * 6);
});

it('a release never changes: the same again is no release, and another of its name is refused', async () => {
  expect(await release('v1', seedsAt(1))).toBe(false);
  await expect(release('v1', seedsAt(2))).rejects.toThrow(
    /^'digits@v1' was released on 2026-01-01 with something else, and a release stays as it is: choose another name$/,
  );
});

it('is verified with the rest, and cannot be dropped', async () => {
  const places = { contentDir: contentDir(), publicDir: publicDir() };
  expect(await Array.fromAsync(verifyPublished(places, store, disk, () => {}))).toEqual([]);
  await rm(join(contentDir(), 'releases/digits@v2.json'));
  await expect(publishAll(seedsAt(3))).rejects.toThrow(/addresses\.lock promises digits@v2 with 40 units/);
});
