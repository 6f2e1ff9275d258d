import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { AxeBuilder } from '@axe-core/playwright';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { HtmlValidate } from 'html-validate';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { indexJson, layerJson, pageNames, searchJson, unitJson } from '../../content/schema.ts';
import { buildSite } from './build.ts';
import { launchChromium } from './chromium.ts';
import { hostileNames, type SampleFolders, writeSampleGallery } from './sample-gallery.ts';
import { type Host, serve } from './serve.ts';

const bases = ['', '/some/gallery'] as const;
type Base = (typeof bases)[number];

let folder = '';
let gallery: SampleFolders;
let browser: Browser;
const hosts = new Map<Base, Host>();

const built = (base: Base): string => join(folder, base === '' ? 'root' : 'below');
const host = (base: Base): Host => hosts.get(base) as Host;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-site-'));
  gallery = { content: join(folder, 'content'), public: join(folder, 'public') };
  await writeSampleGallery(gallery);
  for (const base of bases) {
    await buildSite(gallery, built(base), base);
    hosts.set(base, await serve(built(base), base));
  }
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  for (const { close } of hosts.values()) await close();
  if (folder !== '') await rm(folder, { recursive: true });
});

async function filesOf(base: Base, extension: string): Promise<string[]> {
  const entries = await readdir(built(base), { recursive: true });
  return entries.filter((path) => path.endsWith(extension)).sort();
}

/** Opens a page and collects all that goes wrong on it. A request cut off by going to another page is not wrong. */
async function open(
  path: string,
  options: BrowserContextOptions = {},
  base: Base = '',
): Promise<{ page: Page; wrong: string[] }> {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('dialog', (dialog) => {
    wrong.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText;
    if (reason !== 'net::ERR_ABORTED') wrong.push(`${request.url()} ${reason}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) wrong.push(`${response.url()} ${response.status()}`);
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(host(base).address)) wrong.push(`foreign ${request.url()}`);
  });
  await page.goto(host(base).address + path);
  return { page, wrong };
}

const focused = (page: Page): Promise<string> =>
  page.evaluate(() => new URL((document.activeElement as HTMLAnchorElement).href).pathname);

const shift = (page: Page, picture: string): Promise<number> =>
  page.evaluate((selector) => {
    const image = document.querySelector(selector) as HTMLElement;
    return new DOMMatrix(getComputedStyle(image).transform).e / image.getBoundingClientRect().width;
  }, picture);

describe('the files of the site', () => {
  it('are valid HTML, without inline style or handlers', { timeout: 60_000 }, async () => {
    const validator = new HtmlValidate({
      extends: ['html-validate:recommended', 'html-validate:a11y'],
      rules: {
        // The compiler's own style, and titles that hold names from model files.
        'doctype-style': 'off',
        'long-title': 'off',
        // A region that scrolls by keyboard needs the role.
        'prefer-native-element': 'off',
        'no-inline-style': ['error', { allowedProperties: [] }],
      },
    });
    const found: string[] = [];
    for (const path of await filesOf('', '.html')) {
      // The units of the wide layer are all alike.
      if (/^colour.wide.\d\d/.test(path) || /\d\d.embed/.test(path)) continue;
      const html = await readFile(join(built(''), path), 'utf8');
      const { results } = await validator.validateString(html);
      for (const { messages } of results)
        found.push(
          ...messages.map(
            ({ ruleId, message, line, column }) => `${path}:${line}:${column} ${ruleId} ${message}`,
          ),
        );
      const bare = html.replace(/="[^"]*"/g, '=""');
      if (/<[^>]*\son[a-z]+=/.test(bare)) found.push(`${path} has an event handler`);
      if (/<script(?![^>]*\ssrc=)|<style/.test(bare)) found.push(`${path} has an inline script or style`);
      if (!html.includes('http-equiv="Content-Security-Policy"')) found.push(`${path} has no policy`);
    }
    expect(found).toEqual([]);
  });

  it.each(bases)('link only to what is there, below %o', async (base) => {
    const missing = new Set<string>();
    const known = new Map<string, string>();
    const pages = await filesOf(base, '.html');
    for (const path of pages) known.set(path, await readFile(join(built(base), path), 'utf8'));
    for (const [path, html] of known) {
      for (const [, link = ''] of html.matchAll(/\s(?:href|src)="([^"]*)"/g)) {
        const [address = '', fragment] = link.replace(/\?[^#]*/, '').split('#');
        if (!link.startsWith('#') && !address.startsWith(`${base}/`))
          missing.add(`${path}: ${link} leads away`);
        const below = decodeURIComponent(address.slice(base.length + 1));
        const file =
          address === '' ? path : below === '' || below.endsWith('/') ? `${below}index.html` : below;
        const found =
          known.has(file) ||
          (await access(join(built(base), file)).then(
            () => true,
            () => false,
          ));
        if (!found) missing.add(`${path}: ${link}`);
        if (fragment !== undefined && !known.get(file)?.includes(`id="${fragment}"`))
          missing.add(`${path}: ${link}`);
      }
    }
    // A page and a frame a unit, nine layers, two models, home, search, compare, about, changes, and the page for what is not there.
    expect(pages).toHaveLength(2 * (151 + 512) + 9 + 2 + 6);
    expect([...missing]).toEqual([]);
  });

  it.each(bases)(
    'hold a record and two pictures for each unit, and the pictures lie nowhere else, below %o',
    async (base) => {
      const records = (await filesOf(base, '.json')).filter((path) => /\d\.json$/.test(path));
      expect(records).toHaveLength(151 + 512);
      const pictures = await filesOf(base, '.webp');
      expect(pictures.filter((path) => !path.includes('wall-'))).toEqual(
        records
          .flatMap((path) => [path.replace('.json', '.strip.webp'), path.replace('.json', '.webp')])
          .sort(),
      );
      for (const path of records) unitJson.parse(JSON.parse(await readFile(join(built(base), path), 'utf8')));
      const [first, last] = ['0', '31'].map(async (unit) =>
        unitJson.parse(JSON.parse(await readFile(join(built(base), `sample/conv2d_1/${unit}.json`), 'utf8'))),
      );
      expect((await first)?.neighbours).toEqual({ previous: null, next: `${base}/sample/conv2d_1/1.json` });
      expect((await last)?.neighbours).toEqual({ previous: `${base}/sample/conv2d_1/30.json`, next: null });
      expect((await first)?.image).toEqual({ url: `${base}/sample/conv2d_1/0.webp`, width: 28, height: 28 });
      expect((await first)?.cite).toBe(
        `Unit 0 of conv2d_1 in Sample digits. Phosphene gallery, rendered 2026-11-21, ${base}/sample/conv2d_1/0/`,
      );
    },
  );

  it('hold an index, a list a layer and a schema that both follow', async () => {
    const read = async (path: string): Promise<unknown> =>
      JSON.parse(await readFile(join(built(bases[1]), path), 'utf8'));
    const { models } = indexJson.parse(await read('index.json'));
    expect(models.map(({ slug, layers }) => [slug, layers.length])).toEqual([
      ['sample', 4],
      ['colour', 5],
    ]);
    const address = models[0]?.layers[0]?.record ?? '';
    expect(address).toBe(`${bases[1]}/sample/conv2d_1/index.json`);
    const layer = layerJson.parse(await read(address.slice(bases[1].length + 1)));
    expect(layer.units).toHaveLength(32);
    const ajv = new Ajv2020({ allowUnionTypes: true, strict: false });
    ajv.addSchema((await read('schema.json')) as object, 'gallery');
    for (const [name, value] of [
      ['index', await read('index.json')],
      ['layer', layer],
      ['unit', await read('sample/dense_3/4.json')],
    ] as const) {
      const fits = ajv.getSchema(`gallery#/$defs/${name}`);
      expect([name, fits?.(value), fits?.errors]).toEqual([name, true, null]);
    }
    searchJson.parse(await read('search.json'));
  });

  it('stay small, gzipped: 12 kB a unit, 40 kB a layer, 12 kB all style, 15 kB script a page', async () => {
    const gzipped = async (path: string): Promise<number> =>
      gzipSync(await readFile(join(built(''), path))).length;
    const sums = { unit: 0, layer: 0, script: 0 };
    for (const path of await filesOf('', '.html')) {
      const depth = path.split('/').length;
      if (depth === 4) sums.unit = Math.max(sums.unit, await gzipped(path));
      if (depth === 3) sums.layer = Math.max(sums.layer, await gzipped(path));
      const scripts = new Set<string>();
      const html = await readFile(join(built(''), path), 'utf8');
      for (const [, src = ''] of html.matchAll(/<script[^>]*\ssrc="\/([^"]*)"/g))
        await addScript(src, scripts);
      const sizes = await Promise.all([...scripts].map(gzipped));
      sums.script = Math.max(
        sums.script,
        sizes.reduce((sum, size) => sum + size, 0),
      );
    }
    const styles = await Promise.all((await filesOf('', '.css')).map(gzipped));
    expect(sums.unit).toBeLessThan(12_000);
    expect(sums.layer).toBeLessThan(40_000);
    expect(sums.script).toBeLessThan(15_000);
    expect(styles.reduce((sum, size) => sum + size, 0)).toBeLessThan(12_000);
  });
});

/** A script and all that it imports. */
async function addScript(path: string, known: Set<string>): Promise<void> {
  if (known.has(path)) return;
  known.add(path);
  const code = await readFile(join(built(''), path), 'utf8');
  for (const [, name = ''] of code.matchAll(/from"\.\/([^"]+)"|import"\.\/([^"]+)"/g))
    if (name !== '') await addScript(join(dirname(path), name), known);
}

describe('without a gallery', () => {
  it('the home page says how to make one', async () => {
    const target = join(folder, 'empty');
    await buildSite({ content: join(folder, 'nowhere'), public: join(folder, 'nowhere') }, target);
    expect(await readFile(join(target, 'index.html'), 'utf8')).toContain('npm run gallery');
  });

  it('that can be read, the build ends with one sentence that names the file', async () => {
    const broken = join(folder, 'broken');
    await mkdir(join(broken, 'gallery'), { recursive: true });
    await writeFile(join(broken, 'gallery', 'index.json'), '{"version": 2, "models": []}');
    await expect(buildSite({ content: broken, public: broken }, join(folder, 'never'))).rejects.toThrow(
      /Expected .*broken.gallery.index\.json as `phosphene publish` writes it, found: .*version.* Publish again\./,
    );
  });
});

describe.each(bases)('a visitor, below %o', (base) => {
  it('goes from the home page to a layer and a unit, plays its strip, and walks on by keyboard', async () => {
    const { page, wrong } = await open('/', { reducedMotion: 'no-preference' }, base);
    await page.getByRole('link', { name: 'Sample digits', exact: true }).click();
    await page.getByRole('link', { name: 'conv2d_1', exact: true }).click();
    await page.getByRole('link', { name: /unit 3: activation/ }).click();
    await page.waitForURL(`**${base}/sample/conv2d_1/3/`);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('Unit 3');

    const slider = page.getByRole('slider', { name: 'Frame' });
    expect(await slider.inputValue()).toBe('7');
    await page.getByRole('button', { name: 'Play' }).click();
    await page.waitForFunction(() => document.querySelector('input')?.value === '2');
    expect(await shift(page, '.stage .lit img')).toBeCloseTo(-2 / 8, 3);
    await page.getByRole('button', { name: 'Pause' }).click();
    await slider.focus();
    await page.keyboard.press('Home');
    expect(await slider.getAttribute('aria-valuetext')).toMatch(/^Step 0: objective 0\.0/);
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    expect(await slider.getAttribute('aria-valuetext')).toMatch(/^Step 4: objective /);
    expect(await page.locator('output').textContent()).toMatch(/^Step 4: /);
    expect(await shift(page, '.stage .lit img')).toBeCloseTo(-3 / 8, 3);

    await slider.blur();
    await page.keyboard.press('ArrowRight');
    await page.waitForURL(`**${base}/sample/conv2d_1/4/`);
    await page.keyboard.press('ArrowLeft');
    await page.waitForURL(`**${base}/sample/conv2d_1/3/`);
    await page.getByRole('link', { name: 'conv2d_1', exact: true }).click();
    await page.waitForURL(`**${base}/sample/conv2d_1/#unit-3`);
    await page.waitForLoadState('networkidle');
    expect(wrong).toEqual([]);
    await page.context().close();
  });
});

describe('the wall of a layer', () => {
  it('hangs in blocks of whole rows where it is large, and in new ones when its width changes', async () => {
    const { page, wrong } = await open('/colour/wide/', { viewport: { width: 390, height: 844 } });
    const blocks = () =>
      page.locator('.wall').evaluate((wall) => ({
        columns: getComputedStyle(wall).gridTemplateColumns.split(' ').length,
        counts: [...wall.children].map((block) => block.querySelectorAll('li').length),
        units: wall.querySelectorAll('li').length,
        lefts: new Set(
          [...wall.querySelectorAll('li')].map((item) => Math.round(item.getBoundingClientRect().x)),
        ).size,
      }));
    const whole = async (): Promise<number> => {
      const { columns, counts, units, lefts } = await blocks();
      expect(counts.length).toBeGreaterThan(1);
      expect(counts.slice(0, -1).filter((count) => count !== counts[0])).toEqual([]);
      expect((counts[0] ?? 0) % columns).toBe(0);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(units);
      expect(lefts).toBe(columns);
      return columns;
    };
    const narrow = await whole();
    await page.setViewportSize({ width: 1280, height: 800 });
    await expect.poll(whole).toBeGreaterThan(narrow);
    expect(wrong).toEqual([]);
    await page.context().close();
  });

  it('hangs in blocks of blocks where it is very large', async () => {
    const { page, wrong } = await open('/', { viewport: { width: 390, height: 844 } });
    await page.route('**/colour/wide/', async (route) => {
      const response = await route.fetch();
      const html = await response.text();
      const [, items = ''] = /<ol class="wall[^>]*>(.*?)<\/ol>/s.exec(html) ?? [];
      await route.fulfill({ response, body: html.replace(items, items.repeat(12)) });
    });
    await page.goto(`${host('').address}/colour/wide/`);
    const found = await page.locator('.wall').evaluate((wall) => ({
      columns: getComputedStyle(wall).gridTemplateColumns.split(' ').length,
      large: wall.childElementCount,
      small: wall.querySelectorAll('.wall > .block > .block').length,
      units: wall.querySelectorAll('.wall > .block > .block > li').length,
      all: wall.querySelectorAll('li').length,
      lefts: new Set(
        [...wall.querySelectorAll('li')].map((item) => Math.round(item.getBoundingClientRect().x)),
      ).size,
    }));
    expect(found.all).toBeGreaterThan(1000);
    expect(found.units).toBe(found.all);
    expect(found.large).toBeLessThan(found.small / 5);
    expect(found.lefts).toBe(found.columns);
    expect(wrong).toEqual([]);
    await page.context().close();
  });

  it('is one stop for the tab key, and arrows, Home and End move in it', async () => {
    const { page, wrong } = await open('/sample/conv2d_1/');
    const at = (unit: number): string => `/sample/conv2d_1/${unit}/`;
    await page.keyboard.press('ArrowRight');
    expect(await focused(page)).toBe(at(0));
    await page.keyboard.press('ArrowRight');
    expect(await focused(page)).toBe(at(1));
    await page.keyboard.press('ArrowDown');
    // Unit 4 is dead and hangs apart: nine live ones a row at this width.
    expect(await focused(page)).toBe(at(11));
    await page.keyboard.press('ArrowUp');
    expect(await focused(page)).toBe(at(1));
    await page.keyboard.press('End');
    expect(await focused(page)).toBe(at(30));
    await page.keyboard.press('Home');
    expect(await focused(page)).toBe(at(0));
    await page.keyboard.press('Tab');
    expect(await focused(page)).toBe(at(4));
    await page.keyboard.press('Shift+Tab');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**${at(0)}`);
    expect(wrong).toEqual([]);
    await page.context().close();
  });

  it('hangs dead units apart, counted and not drawn', async () => {
    const { page } = await open('/sample/conv2d_1/');
    expect(await page.locator('.wall img').count()).toBe(28);
    const section = page.getByRole('region', { name: 'Unlit' });
    expect(await section.locator('p').textContent()).toContain('4 filters of 32');
    expect(await section.locator('a').allTextContents()).toEqual(
      [4, 13, 22, 31].map((unit) => `Dead unit ${unit}`),
    );
    expect(await section.locator('img').count()).toBe(0);
    await section.getByRole('link', { name: 'Dead unit 13' }).click();
    await page.waitForURL('**/13/');
    expect(await page.locator('.lead').textContent()).toContain('This unit is dead');
    expect(await page.locator('.stage img, frame-player').count()).toBe(0);
    await page.context().close();
  });

  it('shows what the network makes of the picture of each class', async () => {
    const { page } = await open('/sample/dense_3/');
    const verdicts = await page.locator('.verdict').allInnerTexts();
    expect(verdicts).toHaveLength(10);
    expect(verdicts[7]).toBe('Seen as 7, p = .998 ✓ right');
    expect(verdicts[4]).toBe('Seen as 9, p = .610 ✗ wrong');
    await page.context().close();
  });

  it('plays the strip of a picture under the pointer, and not where less motion is wanted', async () => {
    const lit = '.wall .lit';
    const { page } = await open('/sample/conv2d_1/', { reducedMotion: 'no-preference' });
    await page.locator('.tile').nth(5).hover();
    await page.locator(lit).waitFor({ state: 'attached' });
    await page.locator(lit).waitFor({ state: 'detached' });
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await page.locator('.tile').nth(6).hover();
    await page.waitForTimeout(300);
    expect(await page.locator(lit).count()).toBe(0);
    await page.context().close();
  });
});

describe('a unit that others quote', () => {
  it('gives link, BibTeX, Markdown, HTML and frame to the clipboard, with whole addresses', async () => {
    const { page, wrong } = await open('/sample/conv2d_1/3/', {
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    const copied = async (name: string): Promise<string> => {
      await page.getByRole('button', { name: `Copy ${name}` }).click();
      await page.getByRole('status').filter({ hasText: 'Copied' }).waitFor({ state: 'attached' });
      return page.evaluate(() => navigator.clipboard.readText());
    };
    const whole = `${host('').address}/sample/conv2d_1/3`;
    expect(await copied('Link')).toBe(`${whole}/`);
    expect(await copied('BibTeX')).toContain(`url          = {${whole}/}`);
    expect(await copied('Markdown')).toContain(`](${whole}.webp)](${whole}/)`);
    expect(await copied('HTML')).toMatch(
      `<a href="${whole}/"><img src="${whole}.webp" alt="Picture that excites`,
    );
    expect(await copied('Embed')).toContain(`<iframe src="${whole}/embed/" title="Unit 3 of conv2d_1`);
    expect(wrong).toEqual([]);
    await page.context().close();
  });

  it('stands in a frame on a foreign page, and plays there', async () => {
    const foreign = await serve(folder);
    const context = await browser.newContext({ viewport: { width: 800, height: 700 } });
    const page = await context.newPage();
    const wrong: string[] = [];
    page.on('console', (message) => wrong.push(message.text()));
    const frame = `<!doctype html><title>Foreign</title><link rel="icon" href="data:,"><iframe src="${host('').address}/sample/conv2d_1/3/embed/?theme=dark" width="320" height="440"></iframe>`;
    await writeFile(join(folder, 'foreign.html'), frame);
    await page.goto(`${foreign.address}/foreign.html`);
    const inside = page.frameLocator('iframe');
    await inside.getByRole('button', { name: 'Play' }).click();
    await inside.locator('.stage .lit').waitFor();
    expect(await inside.locator('html').evaluate((root) => getComputedStyle(root).colorScheme)).toBe('dark');
    const { width, height } = await inside.locator('html').evaluate((root) => ({
      width: root.scrollWidth,
      height: root.scrollHeight,
    }));
    expect([width <= 320, height <= 440]).toEqual([true, true]);
    expect(await inside.getByRole('link').getAttribute('target')).toBe('_blank');
    expect(wrong).toEqual([]);
    await context.close();
    await foreign.close();
  });

  it('leaves out of the frame what the address does not want', async () => {
    const { page, wrong } = await open('/sample/conv2d_1/3/embed/?strip=0&caption=0&theme=light');
    expect(await page.locator('button:visible, input:visible, .caption:visible').count()).toBe(0);
    expect(await page.locator('.stage img').count()).toBe(1);
    expect(wrong).toEqual([]);
    await page.context().close();
  });
});

describe('a list of units', () => {
  it('is collected, sent on by its address, and read by somebody else', async () => {
    const { page, wrong } = await open('/sample/conv2d_1/3/');
    const list = page.locator('[data-list]');
    await page.getByRole('button', { name: 'Add to your list' }).click();
    expect(await list.textContent()).toBe('Compare (1)');
    await page.goto(`${host('').address}/sample/dense_3/7/`);
    await page.getByRole('button', { name: 'Add to your list' }).click();
    await list.click();
    await page.waitForURL('**/compare/?u=sample/conv2d_1/3&u=sample/dense_3/7');
    await page.getByRole('textbox', { name: 'Add a unit' }).fill(`${host('').address}/colour/hostile-0/1/`);
    await page.keyboard.press('Enter');
    await page.getByText('hostile-0').or(page.getByText('<script>')).first().waitFor();
    const address = page.url();
    expect(wrong).toEqual([]);
    await page.context().close();

    const other = await open(address.slice(host('').address.length));
    await other.page.locator('compare-table dl').nth(2).waitFor();
    expect(await other.page.locator('compare-table li').count()).toBe(3);
    expect(await other.page.getByText('7, p = .998').count()).toBe(1);
    await other.page.getByRole('slider').fill('0');
    await other.page.locator('compare-table .lit').nth(2).waitFor({ state: 'attached' });
    await other.page.getByRole('button', { name: 'Remove sample/conv2d_1/3' }).click();
    expect(await other.page.locator('compare-table li').count()).toBe(2);
    expect(other.page.url()).toContain('?u=sample/dense_3/7&u=colour/hostile-0/1');
    expect(other.wrong).toEqual([]);
    await other.page.context().close();
  });

  it('says of a unit that is not there that it is not', async () => {
    const { page } = await open('/compare/?u=sample/conv2d_1/999');
    await page.getByText('Not in this gallery.').waitFor();
    await page.context().close();
  });
});

describe('search', () => {
  it('is one key away, finds a class, and is walked and opened by keys', async () => {
    const { page, wrong } = await open('/sample/');
    await page.keyboard.press('/');
    await page.waitForURL('**/search/');
    await page.keyboard.type('sample dense_3 7');
    await page.getByText(/place/).waitFor();
    expect(page.url()).toMatch(/\?q=sample%20dense_3%207$/);
    await page.keyboard.press('ArrowDown');
    expect(await focused(page)).toBe('/sample/dense_3/7/');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/sample/dense_3/7/');
    expect(wrong).toEqual([]);
    await page.context().close();
  });
});

describe('the way in', () => {
  it('is walked from home to a unit by keyboard alone', async () => {
    const { page, wrong } = await open('/');
    const tabTo = async (path: string): Promise<void> => {
      for (let stops = 0; stops < 250; stops++) {
        await page.keyboard.press('Tab');
        if ((await page.evaluate(() => document.activeElement?.tagName)) !== 'A') continue;
        if ((await focused(page)) === path) return;
      }
      throw new Error(`Expected the tab key to come to ${path}`);
    };
    await tabTo('/sample/');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/sample/');
    await tabTo('/sample/dense_3/');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/sample/dense_3/');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/sample/dense_3/1/');
    await page.keyboard.press(',');
    expect(await page.locator('output').textContent()).toMatch(/^Step 32: /);
    await page.keyboard.press(' ');
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    expect(wrong).toEqual([]);
    await page.context().close();
  });

  it('is walked by touch on a phone, where the strip plays at a tap', async () => {
    const { page, wrong } = await open('/', {
      viewport: { width: 390, height: 844 },
      hasTouch: true,
      isMobile: true,
      deviceScaleFactor: 3,
    });
    await page.getByRole('link', { name: 'Sample digits', exact: true }).tap();
    await page.getByRole('link', { name: 'conv2d_3', exact: true }).tap();
    await page.locator('.wall .tile').nth(2).tap();
    await page.waitForURL('**/sample/conv2d_3/2/');
    await page.locator('.stage').tap();
    await page.getByRole('button', { name: 'Pause' }).waitFor();
    await page.getByRole('button', { name: 'Next frame' }).tap();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
    expect(wrong).toEqual([]);
    await page.context().close();
  });

  it('is open without scripts: home, model, layer, unit, and every layer from the search page', async () => {
    const { page, wrong } = await open('/', { javaScriptEnabled: false });
    await page.getByRole('link', { name: 'Sample digits', exact: true }).click();
    await page.getByRole('link', { name: 'conv2d_1', exact: true }).click();
    expect(await page.locator('.wall img').count()).toBe(28);
    expect(await page.locator('button:visible, input:visible, select:visible').count()).toBe(0);
    await page.locator('.wall .tile').nth(1).click();
    await page.waitForURL('**/sample/conv2d_1/1/');
    expect(await page.locator('.way code').first().textContent()).toBe('/sample/conv2d_1/1/');
    await page.getByRole('link', { name: 'Search' }).click();
    await page.waitForURL('**/search/');
    expect(await page.locator('button:visible, input:visible').count()).toBe(0);
    await page.getByRole('link', { name: 'dense_3', exact: true }).click();
    await page.waitForURL('**/sample/dense_3/');
    expect(wrong).toEqual([]);
    await page.context().close();
  });
});

it('has nothing at its top that a model could be called by', async () => {
  const models = ['sample', 'colour'];
  for (const name of await readdir(built('')))
    expect([...pageNames, ...models, '_astro'], name).toContain(name);
});

describe('how a wall hangs', () => {
  const three = (value: number): number => Number(value.toPrecision(3));
  const seen = (page: Page): Promise<string[]> =>
    page.locator('.wall .tile').evaluateAll((tiles) => tiles.map((tile) => tile.textContent?.trim() ?? ''));

  it('follows order, share and number, and its address brings the same wall back', async () => {
    const { page, wrong } = await open('/sample/conv2d_1/');
    const gallery = JSON.parse(
      await readFile(join(folder, 'content/gallery/sample/conv2d_1.json'), 'utf8'),
    ) as { units: { unit: number; measures: { activation: number; dead: boolean } }[] };
    const strongest = gallery.units
      .filter(({ measures }) => !measures.dead)
      // Tiles carry three digits; what is equal in them hangs as in the model.
      .sort((a, b) => three(b.measures.activation) - three(a.measures.activation))
      .map(({ unit }) => String(unit));
    await page.getByLabel('Order').selectOption({ label: 'Most excited first' });
    expect(await seen(page)).toEqual(strongest);
    await page.getByLabel('Show the top').fill('25');
    expect(await seen(page)).toEqual(strongest.slice(0, 7));
    expect(await page.locator('.controls output').textContent()).toMatch(/^7 of 28, activation ≥ \d+/);
    await page.reload();
    expect(await seen(page)).toEqual(strongest.slice(0, 7));
    await page.getByLabel('Show the top').fill('100');
    await page.getByLabel('Find').fill('3, 17');
    expect((await seen(page)).sort()).toEqual(['17', '3']);
    expect(wrong).toEqual([]);
    await page.context().close();
  });

  it('shows of each sheet the place that belongs to the unit, whatever the size of the tiles', async () => {
    const { page } = await open('/sample/conv2d_1/');
    for (const size of ['56', '112']) {
      await page.getByLabel('Size').fill(size);
      const off = await page.locator('.wall .tile').evaluateAll((tiles) =>
        tiles.slice(0, 20).map((tile, place) => {
          const frame = tile.querySelector('span') as Element;
          const sheet = (frame.firstElementChild as Element).getBoundingClientRect();
          const { x, y, width } = frame.getBoundingClientRect();
          return Math.hypot(x - sheet.x - (place % 8) * width, y - sheet.y - Math.floor(place / 8) * width);
        }),
      );
      expect(Math.max(...off)).toBeLessThan(0.01);
      const widthPx = await page
        .locator('.wall .tile > span')
        .first()
        .evaluate((frame) => frame.clientWidth);
      expect(widthPx).toBe(Number(size));
    }
    await page.context().close();
  });

  it('gives large tiles pictures of their own, and pixel art none', async () => {
    const { page, wrong } = await open('/colour/hostile-0/');
    await page.getByLabel('Size').fill('200');
    await page.waitForFunction(() => document.querySelectorAll('.tile .sharp').length === 3);
    await page.goto(`${host('').address}/sample/conv2d_1/`);
    await page.waitForTimeout(300);
    expect(await page.locator('.tile .sharp').count()).toBe(0);
    expect(wrong).toEqual([]);
    await page.context().close();
  });
});

describe('the wall of the home page', () => {
  it('moves until it is held still', async () => {
    const { page, wrong } = await open('/', { reducedMotion: 'no-preference' });
    await page.locator('depth-wall .lit').first().waitFor({ state: 'attached' });
    await page.getByRole('button', { name: 'Hold still' }).click();
    await page.waitForFunction(() => document.querySelector('depth-wall .lit') === null);
    await page.waitForTimeout(3000);
    expect(await page.locator('depth-wall .lit').count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Let it move' }).count()).toBe(1);
    expect(wrong).toEqual([]);
    await page.context().close();
  });

  it('is still, without a button, where less motion is wanted', async () => {
    const { page } = await open('/');
    expect(await page.getByRole('button').count()).toBe(0);
    await page.context().close();
  });
});

describe('without a network', () => {
  it.each(bases)('brings visited pages back, below "%s"', async (base) => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const { address, close } = await serve(built(base), base);
    await page.goto(`${address}/sample/conv2d_1/3/`);
    await page.evaluate(async () => void (await navigator.serviceWorker.ready));
    await page.goto(`${address}/sample/conv2d_1/`);
    await page.waitForLoadState('networkidle');
    await close();
    for (const path of ['/sample/conv2d_1/3/', '/sample/conv2d_1/', '/sample/conv2d_1/?show=dead']) {
      await page.goto(address + path);
      const pictures = await page.evaluate(async () => {
        const visible = [...document.images].filter(
          (image) => image.getBoundingClientRect().top < innerHeight,
        );
        await Promise.all(visible.map((image) => image.decode()));
        return visible.map((image) => image.naturalWidth);
      });
      expect(pictures.length, path).toBeGreaterThan(0);
      expect(Math.min(...pictures), path).toBeGreaterThan(0);
    }
    await expect(page.goto(`${address}/sample/conv2d_1/4/`)).rejects.toThrow('ERR_FAILED');
    await context.close();
  });
});

describe('the portable copy', () => {
  it.each(bases)('leads to a file with every link, built below "%s"', async (base) => {
    const copy = `${built(base)}-portable`;
    const files = new Set(await readdir(copy, { recursive: true }));
    const pages = [...files].filter((file) => file.endsWith('.html'));
    expect(pages).toHaveLength((await filesOf(base, '.html')).length);
    const broken: string[] = [];
    for (const page of pages) {
      const html = await readFile(join(copy, page), 'utf8');
      for (const [, link = ''] of html.matchAll(/ (?:href|src)="([^"#?:]+)[^":]*"/g)) {
        if (!files.has(join(dirname(page), decodeURIComponent(link)))) broken.push(`${page}: ${link}`);
      }
    }
    expect(broken).toEqual([]);
  });

  it('opens from a file, with its pictures and its way from page to page', async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(pathToFileURL(join(`${built('')}-portable`, 'index.html')).href);
    await page.getByRole('link', { name: 'Sample digits', exact: true }).click();
    await page.getByRole('link', { name: 'conv2d_1', exact: true }).click();
    await page.locator('.wall .tile').nth(1).click();
    await page.waitForURL('**/sample/conv2d_1/1/index.html');
    const picture = page.locator('.stage img').first();
    expect(
      await picture.evaluate((image: HTMLImageElement) => image.decode().then(() => image.naturalWidth)),
    ).toBe(28);
    expect(await page.evaluate(() => getComputedStyle(document.body).fontFamily)).not.toBe(
      '"Times New Roman"',
    );
    await context.close();
  });
});

describe('without scripts', () => {
  it('pages read well: pictures, a still filmstrip with its steps, and no control that does nothing', async () => {
    const { page, wrong } = await open('/sample/conv2d_1/3/', { javaScriptEnabled: false });
    const film = page.getByRole('img', { name: 'The picture at steps 0, 1, 2, 4, 8, 16, 32, 64' });
    await film.scrollIntoViewIfNeeded();
    const box = await film.boundingBox();
    expect((box?.width ?? 0) / (box?.height ?? 1)).toBeCloseTo(8, 1);
    const steps = await page.locator('[data-frame]').allTextContents();
    expect(steps.map((words) => words.split(' ')[0])).toEqual(['0', '1', '2', '4', '8', '16', '32', '64']);
    expect(await page.locator('button:visible, input:visible').count()).toBe(0);
    await page.getByRole('link', { name: /^Next: / }).click();
    await page.waitForURL('**/4/');
    expect(wrong).toEqual([]);
    await page.context().close();
  });
});

describe('names from model files', () => {
  it.each([0, 1, 2])('are shown as they are and do nothing: hostile name %d', async (place) => {
    const name = hostileNames[place] ?? '';
    const { page, wrong } = await open(`/colour/hostile-${place}/`);
    expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe(
      name.replace(/\p{Cf}/gu, '').slice(0, 300),
    );
    expect(
      await page.evaluate(
        () => document.querySelectorAll('main script:not([src]), main img[src="x"]').length,
      ),
    ).toBe(0);
    await page.locator('.tile').first().click();
    await page.waitForURL('**/0/');
    await page.waitForLoadState('networkidle');
    expect(wrong).toEqual([]);
    await page.context().close();
  });
});

const kinds = [
  '/',
  '/sample/',
  '/sample/conv2d_1/',
  '/sample/dense_3/',
  '/sample/dense_3/4/',
  '/sample/dense_3/4/embed/',
  '/sample/dense_1/13/',
  '/colour/',
  '/colour/hostile-2/',
  '/colour/wide/',
  '/colour/hostile-1/1/',
  '/search/',
  '/compare/?u=sample/dense_3/7&u=sample/dense_1/13',
  '/about/',
  '/404.html',
];

it.each(kinds)(
  '%s fits a phone, does not move while it loads, and has no barrier that axe finds, dark or light',
  async (path) => {
    const { page, wrong } = await open(path, { viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
    const { widthPx, shifted } = await page.evaluate(
      () =>
        new Promise<{ widthPx: number; shifted: number }>((resolve) => {
          let shifted = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries())
              shifted += (entry as PerformanceEntry & { value: number }).value;
          }).observe({ type: 'layout-shift', buffered: true });
          setTimeout(() => resolve({ widthPx: document.documentElement.scrollWidth, shifted }), 300);
        }),
    );
    expect(widthPx).toBe(390);
    const vanished = await page
      .locator('.tile, .stage')
      .evaluateAll(
        (tiles) => tiles.filter((tile) => tile.checkVisibility() && tile.clientWidth === 0).length,
      );
    expect(vanished).toBe(0);
    expect(shifted).toBeLessThan(0.01);
    const barriers = async (axe: AxeBuilder): Promise<string[]> =>
      (await axe.analyze()).violations.map(({ id, nodes }) => `${id} ${nodes[0]?.html}`);
    expect(await barriers(new AxeBuilder({ page }))).toEqual([]);
    await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' });
    expect(await barriers(new AxeBuilder({ page }).withRules(['color-contrast']))).toEqual([]);
    expect(wrong).toEqual([]);
    await page.context().close();
  },
);
