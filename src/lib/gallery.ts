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

const folder = (): string => resolve(process.env['PHOSPHENE_CONTENT'] ?? 'content', 'gallery');

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
    return await readChecked(join(folder(), 'index.json'), galleryIndex);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** All published units of a layer. @throws where the layer's file is missing or broken. */
export async function readLayer(model: string, layer: string): Promise<GalleryLayer> {
  return readChecked(join(folder(), model, `${layer}.json`), galleryLayer);
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

interface Route<Params, Props> {
  params: Params;
  props: Props;
}

export async function modelRoutes(): Promise<Route<{ model: string }, { model: GalleryModel }>[]> {
  const gallery = await readGallery();
  return (gallery?.models ?? []).map((model) => ({ params: { model: model.slug }, props: { model } }));
}

export async function layerRoutes(): Promise<Route<{ model: string; layer: string }, LayerView>[]> {
  const models = await modelRoutes();
  return models.flatMap(({ props: { model } }) =>
    model.layers.map((layer, place) => ({
      params: { model: model.slug, layer: layer.slug },
      props: { model, layer, previous: model.layers[place - 1], next: model.layers[place + 1] },
    })),
  );
}

export async function unitRoutes(): Promise<
  Route<{ model: string; layer: string; unit: string }, UnitView>[]
> {
  const layers = await layerRoutes();
  const routes = layers.map(async ({ params, props: { model } }) => {
    const layer = await readLayer(params.model, params.layer);
    return layer.units.map((unit, place) => ({
      params: { ...params, unit: String(unit.unit) },
      props: { model, layer, unit, previous: layer.units[place - 1], next: layer.units[place + 1] },
    }));
  });
  return (await Promise.all(routes)).flat();
}
