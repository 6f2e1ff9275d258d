/** What is to be shown, as jobs: for each wanted layer of a model its recipe, its picture size, its units' fingerprints. */

import { createHash } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import type { ModelContent } from '../content/schema.ts';
import type { ModelFile } from './content.ts';
import { PhospheneError } from './error.ts';
import { loadNetwork } from './formats/index.ts';
import { readModelFile } from './formats/read.ts';
import { foldBatchNormalization } from './network/fold.ts';
import { renderableLayers } from './network/inspect.ts';
import type { Layer, Network } from './network/network.ts';
import { type LayerSize, layerSizes } from './network/picture-size.ts';
import { matches, wantedNames } from './pattern.ts';
import type { Planes } from './picture/display.ts';
import { withStartPicture } from './picture/start-picture.ts';
import { resolveRecipe } from './recipe/resolve.ts';
import { resolveScaling, type Scaling } from './recipe/scaling.ts';
import type { Recipe } from './recipe/schema.ts';
import type { PictureSize } from './recipe/size.ts';
import { slugs } from './slug.ts';
import { type FingerprintParts, fingerprintLayer } from './store/fingerprint.ts';
import type { ModelOnHand } from './weights/weights.ts';

/** What the command line may change of what the content files say. */
export interface PlanOptions {
  /** Names or patterns (`conv*`); all that the content file names by default. */
  readonly layers?: readonly string[];
  /** Unit numbers; all by default. */
  readonly units?: readonly number[];
  /** A preset's name or a recipe, for all layers; or each layer's own, resolved: without one it is left out. */
  readonly recipe?: RecipeReference | ((layer: Layer) => Recipe | undefined);
  /** The folder of the file that holds it; the working folder by default. */
  readonly recipeFolder?: string;
  readonly steps?: number;
  readonly sizePx?: number;
  readonly seed?: number;
}

/** A preset's name, or a recipe as people write it. */
export type RecipeReference = string | Readonly<Record<string, unknown>>;

export interface UnitPlan {
  readonly unit: number;
  readonly label?: string;
  readonly fingerprint: string;
  /** What the fingerprint is the hash of. */
  readonly madeFrom: FingerprintParts;
}

export interface LayerPlan {
  readonly layer: Layer;
  readonly slug: string;
  /** Place among the layers of the network, from 0. */
  readonly index: number;
  readonly recipe: Recipe;
  /** What the recipe starts from, where that is a file. */
  readonly startPicture?: Planes;
  /** Of the layer's pictures. */
  readonly size: PictureSize;
  readonly units: readonly UnitPlan[];
}

export interface ModelPlan {
  readonly slug: string;
  readonly content: ModelContent;
  readonly network: Network;
  /** Of the model file's bytes. */
  readonly sha256: string;
  /** Paths of all files that the plan was made from: the model's, and pictures that recipes start from. */
  readonly files: readonly string[];
  readonly scaling: Scaling;
  readonly seed: number;
  readonly layers: readonly LayerPlan[];
}

export const DEFAULT_SEED = 0;

/** Units whose fingerprints are made at once: as many as keep all threads busy. */
const unitsAtOnce = 32;

/** A model file that has been read. */
export interface OpenModel {
  /** As the file says it. */
  readonly network: Network;
  /** Of the file's bytes. */
  readonly sha256: string;
  /** Paths of all files that were read: the model file, and those beside it that it names. */
  readonly files: readonly string[];
}

/**
 * Reads a model file.
 * @param lambdas What its Lambda layers compute, by their names.
 * @throws PhospheneError if it cannot be read or holds nothing that can be shown.
 */
export async function openModel(path: string, lambdas?: ModelContent['lambdas']): Promise<OpenModel> {
  const files: string[] = [];
  const file = await readModelFile(path, (read) => void files.push(read));
  const network = await loadNetwork(file, { lambdas });
  return { network, files, sha256: createHash('sha256').update(file.bytes).digest('hex') };
}

/**
 * Plans the units of a model. Renders nothing.
 * @param opened The model's file, where it has been read already.
 * @throws PhospheneError (exit code 2) for unknown layers, units and recipes; (1) for a model file that cannot be read.
 */
export async function planModel(
  model: ModelOnHand,
  options: PlanOptions = {},
  opened?: OpenModel,
): Promise<ModelPlan> {
  const { content, slug } = model;
  const {
    network: read,
    sha256,
    files: ofModel,
  } = opened ?? (await openModel(model.weightsFile, content.lambdas));
  const files = [...ofModel];
  const network = foldBatchNormalization(read);
  const scaling = scalingOf(model, network);
  const sizes = layerSizes(network, options.sizePx ?? content.input.sizePx);
  const seed = options.seed ?? DEFAULT_SEED;
  const addresses = slugs(network.layers.map(({ name }) => name));

  const wanted = wantedLayers(model, network, options.layers);
  const layers: LayerPlan[] = [];
  const leftOut: Layer[] = [];
  for (const layer of wanted) {
    const own = recipeOf(model, layer, options);
    if (own === undefined) {
      leftOut.push(layer);
      continue;
    }
    const index = network.layers.indexOf(layer);
    const size = pictureSize(model, network, layer, sizes(layer), options.sizePx);
    const folder = options.recipe === undefined ? dirname(model.file) : (options.recipeFolder ?? '.');
    const started = await withStartPicture(own, folder, size);
    const { recipe } = started;
    if (own.start.kind === 'image') files.push(resolve(folder, own.start.file));
    const fingerprintOf = await fingerprintLayer(network, layer, recipe, scaling, size);
    const labels = layer.kind === 'scores' ? content.classes : undefined;
    const plannedUnit = async (unit: number): Promise<UnitPlan> => {
      const label = labels?.[unit];
      const { fingerprint, parts } = await fingerprintOf(unit, seed);
      const planned = { unit, fingerprint, madeFrom: parts };
      return label === undefined ? planned : { ...planned, label };
    };
    const units: UnitPlan[] = [];
    const wantedHere = wantedUnits(layer, options.units);
    // A hash takes a copy of what it reads: not of a whole layer at once.
    for (let from = 0; from < wantedHere.length; from += unitsAtOnce) {
      const some = wantedHere.slice(from, from + unitsAtOnce);
      units.push(...(await Promise.all(some.map(plannedUnit))));
    }
    if (units.length > 0)
      layers.push({ layer, slug: addresses[index] as string, index, ...started, size, units });
  }
  if (layers.length === 0 && leftOut.length === 0) {
    throw new PhospheneError(
      `Expected --units to name units of ${wanted.map((layer) => `'${layer.name}' (0 to ${layer.units - 1})`).join(', ')} of '${slug}', found none of them`,
      { exitCode: 2 },
    );
  }
  return { slug, content, network, sha256, files, scaling, seed, layers };
}

function scalingOf({ slug, content }: ModelFile, { input }: Network): Scaling {
  try {
    return resolveScaling(content.input.scaling, input.channels);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PhospheneError(`content/models/${slug}.json: ${reason}`, { exitCode: 2, cause });
  }
}

/** @param asked The side that the command line asks for: it is taken, or refused. */
function pictureSize(
  { slug }: ModelFile,
  { input }: Network,
  { name }: Layer,
  { height, width, free }: LayerSize,
  asked?: number,
): PictureSize {
  if (asked !== undefined && !free && (height !== asked || width !== asked)) {
    throw new PhospheneError(
      `'${name}' of '${slug}' takes pictures of ${width}×${height} px and no others, found a size of ${asked}; leave the size out, or choose other layers with --layers`,
      { exitCode: 2 },
    );
  }
  return { channels: input.channels, height, width };
}

/**
 * The layers that are meant: where nobody names any, those that can be rendered; a layer that is named is tried.
 * @throws PhospheneError (exit code 2) for a name that is none.
 */
export function wantedLayers(model: ModelFile, network: Network, only?: readonly string[]): Layer[] {
  if (only === undefined && model.content.layers === undefined) {
    const renderable = renderableLayers(network);
    if (renderable.length > 0) return renderable;
    const reason = network.gaps[0]?.reason ?? 'it has no convolution and no dense layer';
    throw new PhospheneError(
      `Expected a layer of '${model.slug}' that can be rendered, found none: ${reason}`,
    );
  }
  const names = wantedNames(
    model,
    network.layers.map(({ name }) => name),
    only,
  );
  return network.layers.filter(({ name }) => names.has(name));
}

/** Units beyond the end of a layer are none of it: `--units 0-15` of a layer with 10 units means its 10. */
export function wantedUnits({ units }: Layer, only?: readonly number[]): number[] {
  const all = Array.from({ length: units }, (_, unit) => unit);
  return only === undefined ? all : all.filter((unit) => only.includes(unit));
}

function recipeOf(
  { slug, content }: ModelFile,
  layer: Layer,
  { recipe: given, steps }: PlanOptions,
): Recipe | undefined {
  const where = `content/models/${slug}.json`;
  const own = Object.entries(content.recipes).find(([pattern]) => matches(pattern, layer.name))?.[1];
  const recipe =
    given === undefined
      ? resolveRecipe(own ?? content.recipe, where, layer)
      : typeof given === 'function'
        ? given(layer)
        : resolveRecipe(given, '--recipe', layer);
  return recipe === undefined || steps === undefined ? recipe : { ...recipe, steps };
}
