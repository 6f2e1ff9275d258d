/** What `publish` wrote, read once and checked against its schema. No gallery is an answer; a broken one is an error. */

import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import {
  type GalleryIndex,
  type GalleryLayer,
  type GalleryModel,
  galleryIndex,
  galleryLayer,
  type LayerSummary,
  type UnitRecord,
} from '../../content/schema.ts';

/** Where `publish` wrote what is known. */
export const galleryFolder = (): string => resolve(process.env['PHOSPHENE_CONTENT'] ?? 'content', 'gallery');

const read = new Map<string, { readonly modifiedMs: number; readonly content: Promise<unknown> }>();

async function readChecked<T>(path: string, schema: z.ZodType<T>): Promise<T> {
  const { mtimeMs } = await stat(path);
  const known = read.get(path);
  if (known?.modifiedMs === mtimeMs) return known.content as Promise<T>;
  const content = readFile(path, 'utf8').then((text) => {
    const result = schema.safeParse(parseJson(text, path));
    if (result.success) return result.data;
    throw new Error(
      `Expected ${path} as \`phosphene publish\` writes it, found: ${z.prettifyError(result.error).replaceAll('\n', ' ')}. Publish again.`,
    );
  });
  read.set(path, { modifiedMs: mtimeMs, content });
  return content;
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`Expected JSON in ${path}, found text that does not parse. Publish again.`);
  }
}

/** The models of the gallery; undefined where nothing has been published. @throws where the index is broken. */
export async function readGallery(): Promise<GalleryIndex | undefined> {
  try {
    return await readChecked(join(galleryFolder(), 'index.json'), galleryIndex);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The file of a layer, as the index names it. */
export const layerFile = (model: string, { slug, file }: LayerSummary): string =>
  join(galleryFolder(), file ?? join(model, `${slug}.json`));

/** All published units of a layer. @throws where the layer's file is missing or broken. */
export async function readLayer(model: string, layer: LayerSummary): Promise<GalleryLayer> {
  return readChecked(layerFile(model, layer), galleryLayer);
}

/** What a page of a layer is made of. */
export interface LayerView {
  readonly model: GalleryModel;
  readonly layer: LayerSummary;
  readonly previous: LayerSummary | undefined;
  readonly next: LayerSummary | undefined;
}

/** What a page of a unit is made of. */
export interface UnitView {
  readonly model: GalleryModel;
  readonly layer: GalleryLayer;
  readonly unit: UnitRecord;
  readonly previous: UnitRecord | undefined;
  readonly next: UnitRecord | undefined;
}

/** The resolved recipe of a unit. @throws where the layer's file does not hold it. */
export function recipeOf(layer: GalleryLayer, unit: UnitRecord): GalleryLayer['recipes'][string] {
  const recipe = layer.recipes[unit.recipe];
  if (recipe !== undefined) return recipe;
  throw new Error(
    `Expected the recipe ${unit.recipe} of unit ${unit.unit} in ${layer.model}/${layer.layer.slug}.json, found ${Object.keys(layer.recipes).join(', ') || 'none'}. Publish again.`,
  );
}
