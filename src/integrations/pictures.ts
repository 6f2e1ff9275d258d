/**
 * The pictures that `publish` writes to public/gallery appear beside the pages of their units, at /<model>/<layer>/, and
 * the sheets of walls at /pictures/: linked into dist, so that none lies on the disk twice, and looked up there by the
 * development server.
 */

import { cpSync, createReadStream, existsSync, mkdirSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AstroIntegration } from 'astro';
import { type GalleryIndex, type GalleryLayer, type LayerSummary, wallSheet } from '../../content/schema.ts';
import { readChanges } from '../lib/changes.ts';
import { forwardsOf, layerAt, placeOf } from '../lib/forwards.ts';
import { layerFile, readGallery } from '../lib/gallery.ts';
import { linkOne, mirror } from './links.ts';

const sizesModule = 'virtual:picture-sizes.css';

/** Pictures up to this side are shown in whole multiples of their pixels, sharp. */
const largestSharpPx = 96;

/** A class for each width of picture in the gallery, because pages carry no inline style. */
export async function pictureSizes(): Promise<string> {
  const gallery = await readGallery();
  const models = [...(gallery?.models ?? []), ...(gallery?.releases ?? [])];
  const samples = models.flatMap(({ layers }) => layers.flatMap((layer) => layer.samples));
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

/** Not checked against its schema, which takes longer than all else here: pages were made from it. */
async function layerAsWritten(model: string, layer: LayerSummary): Promise<GalleryLayer> {
  return JSON.parse(await readFile(layerFile(model, layer), 'utf8')) as GalleryLayer;
}

/** The pictures of a layer, each by where it lies below public/gallery. */
export interface LayerPictures {
  /** By the name that each has beside the pages of its unit. */
  readonly ofUnits: ReadonlyMap<string, string>;
  /** Those that are served as they lie: the sheets of its wall. */
  readonly shared: readonly string[];
}

export async function picturesOf(model: string, layer: LayerSummary): Promise<LayerPictures> {
  const { units, wall } = await layerAsWritten(model, layer);
  const sheets = wall?.files ?? [];
  // Those of releases are shared: each is served from one place.
  if (model.includes('@')) {
    const shared = units.flatMap(({ image, strip }) => [image.file, strip.file]);
    return { ofUnits: new Map(), shared: [...shared, ...sheets] };
  }
  const named = units.flatMap(({ unit, image, strip }): [string, string][] => [
    [`${unit}.webp`, image.file],
    [`${unit}.strip.webp`, strip.file],
  ]);
  return { ofUnits: new Map(named), shared: sheets };
}

/** Puts a layer's pictures below the site; `pages`: what else shall be beside its units' pictures. */
export function placePictures(
  { ofUnits, shared }: LayerPictures,
  places: { readonly gallery: string; readonly site: string; readonly layer: string; readonly pages: string },
): void {
  const files = [...ofUnits].map(([name, file]): [string, string] => [name, join(places.gallery, file)]);
  mirror(places.pages, join(places.site, places.layer), new Map(files));
  for (const file of shared) {
    mkdirSync(dirname(join(places.site, file)), { recursive: true });
    linkOne(join(places.gallery, file), join(places.site, file));
  }
}

/** Pictures of units that were published once: that of where each is now, or the last one. */
async function placeOld(gallery: GalleryIndex, pictures: string, site: string): Promise<void> {
  const place = (at: string, image: string, strip: string): void => {
    mkdirSync(dirname(join(site, at)), { recursive: true });
    linkOne(join(pictures, image), join(site, `${at}.webp`));
    linkOne(join(pictures, strip), join(site, `${at}.strip.webp`));
  };
  const known = new Map<string, LayerPictures>();
  for (const { from, to } of forwardsOf(gallery)) {
    const unit = to.split('/')[2];
    if (unit === undefined) continue;
    const { model, layer } = layerAt(gallery, to);
    const key = `${model.slug}/${layer.slug}`;
    const { ofUnits } = known.get(key) ?? (await picturesOf(model.slug, layer));
    known.set(key, { ofUnits, shared: [] });
    place(from, ofUnits.get(`${unit}.webp`) ?? '', ofUnits.get(`${unit}.strip.webp`) ?? '');
  }
  for (const note of gallery.gone ?? []) {
    if (note.picture !== undefined) place(placeOf(note), note.picture.file, note.picture.strip);
  }
}

/** The pictures of pages that tell what changed. */
async function placeChanges(pictures: string, site: string): Promise<void> {
  for (const { changes } of await readChanges()) {
    for (const { file } of Object.values(changes.pictures)) {
      mkdirSync(dirname(join(site, file)), { recursive: true });
      linkOne(join(pictures, file), join(site, file));
    }
  }
}

/** What lies in public/ beside the gallery, as it is. */
function placePublic(from: string, site: string): void {
  for (const name of existsSync(from) ? readdirSync(from) : []) {
    if (name !== 'gallery') cpSync(join(from, name), join(site, name), { recursive: true });
  }
}

/** Where, below public/gallery, the picture at an address lies; undefined where there is none. */
async function fileAt(path: string): Promise<string | undefined> {
  if (path.startsWith('/pictures/')) return path.slice(1);
  const [, slug, layerSlug, unit, strip] = /^\/([^/]+)\/([^/]+)\/(\d+)(\.strip)?\.webp$/.exec(path) ?? [];
  const model = (await readGallery())?.models.find((other) => other.slug === slug);
  const layer = model?.layers.find((other) => other.slug === layerSlug);
  if (model === undefined || layer === undefined) return undefined;
  const { units } = await layerAsWritten(model.slug, layer);
  const record = units.find((other) => other.unit === Number(unit));
  return strip === undefined ? record?.image.file : record?.strip.file;
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
        server.middlewares.use(async (request, response, next) => {
          const { pathname } = new URL(request.url ?? '/', 'http://localhost');
          const path = decodeURIComponent(pathname).replace(base, '/');
          const found = path.endsWith('.webp') && !path.includes('..') ? await fileAt(path) : undefined;
          if (found === undefined) return next();
          const file = createReadStream(join(publicFolder, 'gallery', found));
          file.once('error', () => next());
          file.once('open', () => {
            response.setHeader('content-type', 'image/webp');
            file.pipe(response);
          });
        });
      },
      'astro:build:done': async ({ dir, pages }) => {
        const site = fileURLToPath(dir);
        placePublic(publicFolder, site);
        const gallery = await readGallery();
        if (gallery !== undefined) await placeOld(gallery, join(publicFolder, 'gallery'), site);
        await placeChanges(join(publicFolder, 'gallery'), site);
        // Past Astro's logger, which would also tell of each page.
        process.stdout.write(`${pages.length} pages built in ${site}; npm start serves them.\n`);
      },
    },
  };
}
