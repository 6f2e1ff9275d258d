import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildSite } from './build.ts';
import { type SampleFolders, writeSampleGallery } from './sample-gallery.ts';

let folder = '';
let gallery: SampleFolders;
const site = 'https://gallery.example';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-kept-'));
  gallery = { content: join(folder, 'content'), public: join(folder, 'public') };
  await writeSampleGallery(gallery);
});
afterAll(() => rm(folder, { recursive: true }));

async function hashes(target: string): Promise<Record<string, string>> {
  const entries = await readdir(join(folder, target), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const found = files.sort().map(async (path) => {
    const hash = createHash('sha256').update(await readFile(path));
    return [path.slice(join(folder, target).length + 1), hash.digest('hex')];
  });
  return Object.fromEntries(await Promise.all(found));
}

it('makes the pages of a layer again that changed and leaves the others, with the bytes of a clean build', async () => {
  await buildSite(gallery, join(folder, 'site'), '/', site);
  const age = async (path: string): Promise<number> => (await stat(join(folder, 'site', path))).mtimeMs;
  const before = [await age('sample/conv2d_1/3/index.html'), await age('sample/dense_3/3/index.html')];
  const path = join(gallery.content, 'gallery/sample/dense_3.json');
  await writeFile(path, (await readFile(path, 'utf8')).replaceAll('"seconds":0.04', '"seconds":0.05'));
  // What somebody put there by hand does not stay.
  await writeFile(join(folder, 'site/sample/conv2d_1/stray.html'), 'stray');
  await buildSite(gallery, join(folder, 'site'), '/', site);
  const after = [await age('sample/conv2d_1/3/index.html'), await age('sample/dense_3/3/index.html')];
  expect(after[0]).toBe(before[0]);
  expect(after[1]).toBeGreaterThan(before[1] ?? 0);
  await buildSite(gallery, join(folder, 'clean'), '/', site);
  expect(await hashes('site')).toEqual(await hashes('clean'));
});

it('tells search engines and readers of all pages, where it knows its host', async () => {
  const read = (path: string): Promise<string> => readFile(join(folder, 'clean', path), 'utf8');
  expect(await read('robots.txt')).toContain(`Sitemap: ${site}/sitemap.xml`);
  const maps = [...(await read('sitemap.xml')).matchAll(/<loc>([^<]*)<\/loc>/g)].map(([, map = '']) => map);
  expect(maps).toEqual(
    ['pages.xml', 'sample/sitemap.xml', 'colour/sitemap.xml'].map((map) => `${site}/${map}`),
  );
  const pages = await Promise.all(
    maps.map(async (map) => [...(await read(map.slice(site.length + 1))).matchAll(/<loc>([^<]*)<\/loc>/g)]),
  );
  const files = new Set(Object.keys(await hashes('clean')));
  const missing = pages
    .flat()
    .map(([, page = '']) => `${page.slice(site.length + 1)}index.html`)
    .filter((file) => !files.has(file));
  expect(missing).toEqual([]);
  expect(pages.flat().length).toBeGreaterThan(140);
  expect(await read('releases.xml')).toContain(`<link>${site}/sample/</link>`);
  const unit = await read('sample/dense_3/7/index.html');
  expect(unit).toContain(`<meta property="og:image" content="${site}/sample/dense_3/7.webp">`);
  expect(unit).toContain(`<link rel="canonical" href="${site}/sample/dense_3/7/">`);
});
