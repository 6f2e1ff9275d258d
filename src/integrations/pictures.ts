/**
 * The pictures that `publish` writes to public/gallery/<model>/<layer>/ appear beside the pages of their units, at
 * /<model>/<layer>/: linked into dist, so that none lies on the disk twice, and looked up there by the development server.
 */

import { cpSync, createReadStream, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AstroIntegration } from 'astro';
import { wallSheet } from '../../content/schema.ts';
import { readGallery } from '../lib/gallery.ts';
import { linkAll } from './links.ts';

const sizesModule = 'virtual:picture-sizes.css';

/** Pictures up to this side are shown in whole multiples of their pixels, sharp. */
const largestSharpPx = 96;

/** A class for each width of picture in the gallery, because pages carry no inline style. */
export async function pictureSizes(): Promise<string> {
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

/** Each picture beside the page of its unit, and what else lies in public/ as it is. */
function placePublic(from: string, site: string): void {
  if (!existsSync(from)) return;
  for (const name of readdirSync(from)) {
    if (name === 'gallery') linkAll(join(from, name), site, (file) => file.endsWith('.webp'));
    else cpSync(join(from, name), join(site, name), { recursive: true });
  }
}

export function pictures(): AstroIntegration {
  let publicFolder = '';
  let base = '/';
  return {
    name: 'phosphene:pictures',
    hooks: {
      'astro:config:setup': ({ command, updateConfig }) => {
        updateConfig({
          vite: {
            // What lies there is placed below, and not copied before.
            ...(command === 'build' ? { publicDir: false as const } : {}),
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
      'astro:build:done': ({ dir, pages }) => {
        const site = fileURLToPath(dir);
        placePublic(publicFolder, site);
        // Past Astro's logger, which would also tell of each page.
        process.stdout.write(`${pages.length} pages built in ${site}; npm start serves them.\n`);
      },
    },
  };
}
