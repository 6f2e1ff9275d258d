/** What a visitor finds at addresses of an earlier gallery. */

import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Changes, modelContent } from '../../content/schema.ts';
import { disk } from '../../pipeline/files.ts';
import { writeChanges } from '../../pipeline/publish/changes.ts';
import { publish } from '../../pipeline/publish/publish.ts';
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

function layer(slug: string, units: readonly number[]): PublishModel['layers'][number] {
  return {
    slug,
    name: slug,
    kind: 'conv',
    index: 0,
    units: units.length,
    picture: { heightPx: 20, widthPx: 28 },
    output: [units.length, 26, 26],
    receptiveFieldPx: 3,
    wanted: units.map((seed, unit) => ({
      unit,
      fingerprint: rendering(seed).fingerprint,
      weights: fingerprintOf(`weights ${seed}`),
    })),
  };
}

function model(slug: string, ...layers: PublishModel['layers']): PublishModel {
  return {
    slug,
    content: { ...modelContent.parse({ title: slug, weights: 'w.keras' }), classes: [] },
    sha256: fingerprintOf('file'),
    format: 'keras-zip',
    parameters: 123,
    input: { channels: 1, heightPx: 20, widthPx: 28 },
    layers,
  };
}

const places = () => ({ contentDir: join(folder, 'content'), publicDir: join(folder, 'public') });
const publishAll = (models: PublishModel[], today: string) =>
  publish(models, {
    store,
    ...places(),
    signal: new AbortController().signal,
    promises: { today, absent: new Map() },
    emit: () => {},
  });
const compared = (name: string): Changes => ({
  version: 1,
  model: 'old',
  madeAt: '2026-11-01',
  before: 'old',
  after: `${name}.keras`,
  layers: [],
});
const build = () =>
  buildSite({ content: join(folder, 'content'), public: join(folder, 'public') }, join(folder, 'site'));

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-addresses-'));
  for (let seed = 0; seed < 20; seed++) await store.write(rendering(seed));
  for (const name of ['a', 'b', 'c']) await writeChanges(disk, places().contentDir, name, compared(name));
  await publishAll([model('old', layer('conv', [0, 1, 2, 3]), layer('dense', [4, 5, 6]))], '2026-11-01');
  await build();
  await Promise.all(['a', 'b'].map((name) => rm(join(folder, `content/changes/${name}.json`))));
  await writeFile(
    join(folder, 'content/addresses.json'),
    JSON.stringify({
      moved: { old: 'new', 'old/conv': 'new/conv2d', 'changes/a': 'changes/c' },
      gone: { 'old/dense': 'It said <b>nothing</b>.', 'changes/b': 'It compared nothing.' },
    }),
  );
  // A filter was put in before the others.
  const grown = [model('new', layer('conv2d', [0, 1, 2, 3]))];
  await publishAll(grown, '2026-11-10');
  await publishAll([model('new', layer('conv2d', [9, 0, 1, 2, 3]))], '2026-11-20');
  await build();
  host = await serve(join(folder, 'site'));
  browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  await host?.close();
  await rm(folder, { recursive: true });
});

it.each([
  ['/old/', '/new/'],
  ['/old/conv/', '/new/conv2d/'],
  ['/old/conv/3/', '/new/conv2d/3/'],
  ['/old/conv/3/embed/', '/new/conv2d/3/embed/'],
  ['/changes/a/', '/changes/c/'],
])('%s leads to %s', async (from, to) => {
  const page = await browser.newPage();
  await page.goto(host.address + from);
  await page.waitForURL(host.address + to);
  await page.close();
  const html = await readFile(join(folder, `site${from}index.html`), 'utf8');
  expect(html).toContain(`<link rel="canonical" href="${to.replace('embed/', '')}">`);
});

it('a page of changes that is gone says until when and why', async () => {
  const page = await browser.newPage();
  await page.goto(`${host.address}/changes/b/`);
  await page.getByText('Was shown here until 10 November 2026.').waitFor();
  expect(await page.getByText('It compared nothing.').count()).toBe(1);
  expect(await page.title()).toBe('old → b.keras of What changed · Phosphene');
  await page.close();
});

it('files beside a page that moved are there too: those of where it is now', async () => {
  for (const name of ['3.webp', '3.strip.webp', '3.json']) {
    const [old, now] = ['old/conv', 'new/conv2d'].map((path) => readFile(join(folder, 'site', path, name)));
    expect((await old)?.equals((await now) as Buffer)).toBe(true);
  }
});

it('a page of what is gone says until when and why, and shows the last picture', async () => {
  const page = await browser.newPage();
  for (const path of ['/old/dense/', '/old/dense/1/', '/old/dense/1/embed/']) {
    await page.goto(host.address + path);
    await page.getByText('Was shown here until 10 November 2026.').waitFor();
    expect(await page.getByText('It said <b>nothing</b>.').count()).toBe(1);
  }
  expect(await page.title()).toBe('Unit 1 of dense of old · Phosphene');
  const wide = await page
    .locator('article img')
    .evaluate((image) => (image as HTMLImageElement).naturalWidth);
  expect(wide).toBe(28);
  await page.close();
  const record = JSON.parse(await readFile(join(folder, 'site/old/dense/1.json'), 'utf8'));
  expect(record).toMatchObject({
    unit: 1,
    gone: { until: '2026-11-10' },
    image: { url: '/old/dense/1.webp' },
  });
});

it('a unit whose number means another one now says so, and where that is', async () => {
  const page = await browser.newPage();
  await page.goto(`${host.address}/new/conv2d/2/`);
  const told = page.getByText('Until 20 November 2026 this address showed another unit');
  expect(await told.textContent()).toMatch(/which is now unit 3\.$/);
  expect(await page.getByText('Until 20 November 2026 this was unit 1.').count()).toBe(1);
  await page.close();
});

it('all is as it was when nothing changed, and verified', async () => {
  const read = () => readFile(join(folder, 'content/addresses.lock'), 'utf8');
  const before = await read();
  const again = await publishAll([model('new', layer('conv2d', [9, 0, 1, 2, 3]))], '2027-01-01');
  expect(again).toMatchObject({ files: { written: 0, removed: 0 }, pictures: { encoded: 0 } });
  expect(await read()).toBe(before);
  const problems = await Array.fromAsync(verifyPublished(places(), store, disk, () => {}));
  expect(problems).toEqual([]);
  await access(join(folder, 'public/gallery/pictures'));
});
