/**
 * What a build made for a layer, all below /<model>/<layer>/ but pictures, is kept under a key of all that it is made
 * from: the layer's file, what the index says of its model, the code of the site, its base and its host. A later build
 * takes what has the same key, and makes the rest.
 */

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AstroConfig, AstroIntegration } from 'astro';
import type { GalleryIndex, GalleryModel, LayerSummary } from '../../content/schema.ts';
import { layerFile, readGallery } from '../lib/gallery.ts';
import { notesFolder } from '../lib/notes.ts';
import { clear, linkWhole } from './links.ts';
import { pictureSizes, picturesOf, placePictures } from './pictures.ts';

const keptModule = 'virtual:kept-layers';

interface KeptLayer {
  /** `<model>/<layer>`, as in the address and below the cache. */
  readonly path: string;
  readonly key: string;
  readonly model: string;
  readonly layer: LayerSummary;
}

/** Changes with all besides the gallery that pages are made from. */
async function codeKey(config: AstroConfig): Promise<string> {
  const root = fileURLToPath(config.root);
  const sources = await readdir(join(root, 'src'), { recursive: true, withFileTypes: true });
  const paths = sources
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
  const hash = createHash('sha256');
  for (const path of [...paths, 'content/schema.ts', 'astro.config.mjs', 'package-lock.json'].sort()) {
    hash.update(path).update(await readFile(join(root, path)).catch(() => ''));
  }
  // Class names of picture sizes are in the style sheet, whose name is in every page.
  hash.update(JSON.stringify([config.base, config.site, await pictureSizes()]));
  return hash.digest('hex');
}

/** Names and texts of the notes in a folder, in one order. */
async function notesBelow(folder: string): Promise<string[]> {
  const files = existsSync(folder) ? (await readdir(folder)).sort() : [];
  return Promise.all(files.map(async (name) => `${name}\n${await readFile(join(folder, name), 'utf8')}`));
}

async function layersOf(
  model: GalleryModel,
  { moved = [], gone = [] }: GalleryIndex,
  code: string,
): Promise<KeptLayer[]> {
  const { layers, ...head } = model;
  // Pages of a layer lead to the layers beside it.
  const about = JSON.stringify([code, head, layers.map(({ slug, name }) => [slug, name])]);
  return Promise.all(
    layers.map(async (layer) => {
      const { slug } = layer;
      const bytes = await readFile(layerFile(model.slug, layer));
      const hash = createHash('sha256').update(about).update(bytes);
      // Units that it had once have pages among its own.
      const once = [
        moved.filter(({ from }) => from.startsWith(`${model.slug}/${slug}/`)),
        gone.filter((note) => note.model.slug === model.slug && note.layer?.slug === slug),
      ];
      hash.update(JSON.stringify(once));
      for (const note of await notesBelow(join(notesFolder(), model.slug, slug))) hash.update(note);
      const key = hash.digest('hex').slice(0, 32);
      return { path: `${model.slug}/${slug}`, key, model: model.slug, layer };
    }),
  );
}

const shown = ({ models, releases = [] }: GalleryIndex): GalleryModel[] => [...models, ...releases];

export function keptLayers(): AstroIntegration {
  let cache = '';
  let site = '';
  let pictures = '';
  let layers: readonly KeptLayer[] = [];
  let kept: readonly KeptLayer[] = [];
  const folderOf = ({ path, key }: KeptLayer): string => join(cache, path, key);
  return {
    name: 'phosphene:kept-layers',
    hooks: {
      'astro:config:setup': ({ command, updateConfig }) => {
        updateConfig({
          vite: {
            // What is kept stays where it is; the rest is removed below.
            ...(command === 'build' ? { build: { emptyOutDir: false } } : {}),
            plugins: [
              {
                name: keptModule,
                resolveId: (id) => (id === keptModule ? id : undefined),
                load: (id) =>
                  id === keptModule
                    ? `export const kept = ${JSON.stringify(kept.map(({ path }) => path))};`
                    : undefined,
              },
            ],
          },
        });
      },
      'astro:config:done': async ({ config }) => {
        cache = join(fileURLToPath(config.cacheDir), 'layers');
        site = fileURLToPath(config.outDir);
        pictures = join(fileURLToPath(config.publicDir), 'gallery');
        const gallery = await readGallery();
        const code = await codeKey(config);
        layers =
          gallery === undefined
            ? []
            : (await Promise.all(shown(gallery).map((model) => layersOf(model, gallery, code)))).flat();
      },
      'astro:build:start': () => {
        kept = layers.filter((layer) => existsSync(folderOf(layer)));
        const stay = new Set(kept.map(({ path }) => path)).add('.git');
        clear(site, (path) => stay.has(path));
      },
      'astro:build:done': async () => {
        const isKept = new Set(kept);
        for (const layer of layers) {
          const [pages, folder] = [join(site, layer.path), folderOf(layer)];
          if (!isKept.has(layer)) linkWhole(pages, folder, () => true);
          const places = { gallery: pictures, site, layer: layer.path, pages: folder };
          placePictures(await picturesOf(layer.model, layer.layer), places);
        }
        // Only what this gallery is made of stays: the cache does not grow with every change.
        const wanted = new Set(layers.map(folderOf));
        for (const model of names(cache)) {
          for (const layer of names(join(cache, model))) {
            for (const key of names(join(cache, model, layer))) {
              const folder = join(cache, model, layer, key);
              if (!wanted.has(folder)) rmSync(folder, { recursive: true });
            }
          }
        }
      },
    },
  };
}

const names = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
