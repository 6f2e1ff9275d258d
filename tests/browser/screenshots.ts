/** Pictures of the built site (dist, or the folder given), to be looked at: `npm run screenshots`. */

import { mkdir, readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pageNames } from '../../content/schema.ts';
import { launchChromium } from './chromium.ts';
import { serve } from './serve.ts';

const site = resolve(process.argv[2] ?? process.env['PHOSPHENE_OUT'] ?? 'dist');
const target = resolve('.cache', 'screenshots');
const sizes = [
  { widthPx: 1280, heightPx: 800 },
  { widthPx: 390, heightPx: 844 },
  { widthPx: 2560, heightPx: 1440 },
];

/** More than this below the first screen shows nothing new. */
const tallestPx = 6000;

/** The first model's first and last layer, and a unit of each. */
async function pagesOf(folder: string): Promise<Record<string, string>> {
  const folders = async (path: string): Promise<string[]> =>
    (await readdir(join(folder, path), { withFileTypes: true }))
      .filter((entry) => entry.isDirectory() && !entry.name.startsWith('_'))
      .map(({ name }) => name)
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  const pages: Record<string, string> = {
    home: '/',
    search: '/search/',
    about: '/about/',
    changes: '/changes/',
    missing: '/no-such-place/',
  };
  const compared: string[] = [];
  for (const model of (await folders('/')).filter((name) => !pageNames.includes(name))) {
    pages[model] = `/${model}/`;
    const layers = await folders(`/${model}`);
    for (const layer of new Set([...layers.slice(0, 1), ...layers.slice(-1)])) {
      const units = await folders(`/${model}/${layer}`);
      pages[`${model}-${layer}`] = `/${model}/${layer}/`;
      for (const unit of units.slice(3, 4)) {
        const place = `${model}/${layer}/${unit}`;
        compared.push(place);
        pages[place.replaceAll('/', '-')] = `/${place}/`;
        pages[`${place.replaceAll('/', '-')}-embed`] = `/${place}/embed/`;
      }
    }
  }
  pages['compare'] = `/compare/?${compared.map((place) => `u=${place}`).join('&')}`;
  return pages;
}

const host = await serve(site);
const browser = await launchChromium();
await mkdir(target, { recursive: true });
for (const [name, path] of Object.entries(await pagesOf(site))) {
  for (const { widthPx, heightPx } of sizes) {
    for (const colorScheme of ['dark', 'light'] as const) {
      const page = await browser.newPage({
        viewport: { width: widthPx, height: heightPx },
        colorScheme,
        reducedMotion: 'reduce',
      });
      await page.goto(host.address + path);
      await page.evaluate(async () => {
        for (const image of document.images) image.loading = 'eager';
        await Promise.all([...document.images].map((image) => image.decode().catch(() => undefined)));
      });
      const tallPx = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.screenshot({
        path: join(target, `${name}-${widthPx}-${colorScheme}.png`),
        fullPage: true,
        clip: { x: 0, y: 0, width: widthPx, height: Math.min(tallPx, tallestPx) },
      });
      await page.close();
    }
  }
}
await browser.close();
await host.close();
