/**
 * The pictures that `publish` writes to public/gallery/<model>/<layer>/ appear beside the pages of their units, at
 * /<model>/<layer>/: moved in dist, so that none lies on the disk twice, and looked up there by the development server.
 */

import { createReadStream } from 'node:fs';
import { mkdir, readdir, rename, rmdir } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AstroIntegration } from 'astro';
import { wallSheet } from '../../content/schema.ts';
import { readGallery } from '../lib/gallery.ts';

const sizesModule = 'virtual:picture-sizes.css';

/** Pictures up to this side are shown in whole multiples of their pixels, sharp. */
const largestSharpPx = 96;

/** A class for each width of picture in the gallery, because pages carry no inline style. */
async function pictureSizes(): Promise<string> {
  const gallery = await readGallery();
  const samples = gallery?.models.flatMap(({ layers }) => layers.flatMap((layer) => layer.samples)) ?? [];
  const widths = [...new Set(samples.map(({ widthPx }) => widthPx))].filter((px) => px <= largestSharpPx);
  const sharp = widths.map((px) => `.px-${px}{--snap:${px}px;--rendering:pixelated}`);
  return [...sharp, ...sheetPlaces()].join('\n');
}

/** Where on its sheet a unit of a wall is: a class a place, for the same reason. */
function sheetPlaces(): string[] {
  const { columns, unitsPerSheet } = wallSheet;
  const place = (at: number): string => `.s${at}{--x:${at % columns};--y:${Math.floor(at / columns)}}`;
  return Array.from({ length: unitsPerSheet }, (_, at) => place(at));
}

async function moveBesidePages(site: string): Promise<void> {
  const from = join(site, 'gallery');
  const entries = await readdir(from, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith('.webp'));
  const paths = files.map((file) => relative(from, join(file.parentPath, file.name)));
  for (const folder of new Set(paths.map(dirname))) await mkdir(join(site, folder), { recursive: true });
  for (const path of paths) await rename(join(from, path), join(site, path));
  const folders = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  folders.sort((a, b) => b.length - a.length);
  // A model may be called `gallery`: what still holds something stays.
  for (const folder of [...folders, from]) await rmdir(folder).catch(() => undefined);
}

export function pictures(): AstroIntegration {
  let publicFolder = '';
  let base = '/';
  return {
    name: 'phosphene:pictures',
    hooks: {
      'astro:config:setup': ({ updateConfig }) => {
        updateConfig({
          vite: {
            plugins: [
              {
                name: sizesModule,
                resolveId: (id) => (id === sizesModule ? id : undefined),
                load: (id) => (id === sizesModule ? pictureSizes() : undefined),
              },
            ],
          },
        });
      },
      'astro:config:done': ({ config }) => {
        publicFolder = fileURLToPath(config.publicDir);
        base = config.base.replace(/\/?$/, '/');
      },
      'astro:server:setup': ({ server }) => {
        server.middlewares.use((request, response, next) => {
          const { pathname } = new URL(request.url ?? '/', 'http://localhost');
          const path = decodeURIComponent(pathname).replace(base, '/');
          if (!/^(\/[^/]+){2}\/(\d+(\.strip)?|wall-\d+)\.webp$/.test(path) || path.split('/').includes('..'))
            return next();
          const file = createReadStream(join(publicFolder, 'gallery', path));
          file.once('error', () => next());
          file.once('open', () => {
            response.setHeader('content-type', 'image/webp');
            file.pipe(response);
          });
        });
      },
      'astro:build:done': async ({ dir, pages }) => {
        const site = fileURLToPath(dir);
        await moveBesidePages(site);
        // Past Astro's logger, which would also tell of each page.
        process.stdout.write(`${pages.length} pages built in ${site}; npm start serves them.\n`);
      },
    },
  };
}
