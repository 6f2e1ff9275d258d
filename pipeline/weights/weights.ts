/**
 * From a model's content file to a model file on this machine. Most lie beside their content file; those that are too
 * large for that are kept in a folder of their own, and fetched when somebody asks for the model by name.
 */

import { join } from 'node:path';
import { type LayeredFile, type ModelFile, shownPath } from '../content.ts';
import { PhospheneError } from '../error.ts';
import { wantedNames } from '../pattern.ts';
import { byteCount } from '../words.ts';
import { checksumOf, type DownloadEffects, download } from './download.ts';

/** A model whose file lies on this machine. */
export interface ModelOnHand extends ModelFile {
  readonly weightsFile: string;
}

export interface WeightsEffects extends DownloadEffects {
  /** Where weights are kept; made where there is none. */
  readonly folder: string;
}

export interface WantedWeights {
  /** Names or patterns of the layers that are wanted; all that the content file names by default. */
  readonly layers?: readonly string[] | undefined;
}

/**
 * The model with its file, fetched if it has to be.
 * @throws PhospheneError where the file is not what it should be, cannot be had, or must be put there by people; with
 *   exit code 2 for layers that the model does not have.
 */
export async function fetchWeights(
  model: ModelFile,
  wanted: WantedWeights,
  effects: WeightsEffects,
): Promise<ModelOnHand> {
  const found = await findWeights(model, wanted, effects);
  if (found !== undefined) return found;
  const { file, url, bytes, checksum } = chosen(model, wanted);
  const place = join(effects.folder, file);
  if (url === undefined || bytes === undefined || checksum === undefined) {
    const source = model.content.source === undefined ? '' : ` (${model.content.source})`;
    throw new PhospheneError(
      `Expected the weights of '${model.slug}'${source} at ${shownPath(place)}, found nothing there: put a model file there, or give one with --weights FILE`,
    );
  }
  await download({ url, bytes, checksum }, place, effects);
  return { ...model, weightsFile: place };
}

/**
 * The model with its file if that lies on this machine; undefined where it would have to be fetched.
 * @throws PhospheneError as `fetchWeights` does.
 */
export async function findWeights(
  model: ModelFile,
  wanted: WantedWeights,
  { folder, files, signal }: Pick<WeightsEffects, 'folder' | 'files' | 'signal'>,
): Promise<ModelOnHand | undefined> {
  if (typeof model.weights === 'string') return { ...model, weightsFile: model.weights };
  const { file, bytes, checksum } = chosen(model, wanted);
  const place = join(folder, file);
  const info = await files.info(place);
  if (info === undefined) return undefined;
  const wrong = (found: string, expected: string): PhospheneError =>
    new PhospheneError(
      `Expected ${shownPath(place)} to be the known file of that name (${expected}), found another (${found}): remove it so that it can be fetched, or give it with --weights FILE if it is the one that you mean`,
    );
  if (info.isFolder) throw wrong('a folder', 'a file');
  if (bytes !== undefined && info.bytes !== bytes) throw wrong(`${info.bytes} bytes`, `${bytes} bytes`);
  if (checksum !== undefined) {
    const found = await checksumOf(place, checksum, files, signal);
    if (found !== checksum) throw wrong(found, checksum);
  }
  return { ...model, weightsFile: place };
}

/** What would have to be done to have a model's weights, as a phrase. */
export function whatIsMissing(model: ModelFile, wanted: WantedWeights, folder: string): string {
  const { file, url, bytes } = chosen(model, wanted);
  if (url === undefined || bytes === undefined) return `${shownPath(join(folder, file))} is missing`;
  return `${file} (${byteCount(bytes)}) is not downloaded yet`;
}

/** The first of a model's kept files that has all wanted layers. */
function chosen(model: ModelFile, { layers }: WantedWeights): LayeredFile {
  const files = typeof model.weights === 'string' ? [] : model.weights;
  const names = [...new Set(files.flatMap((file) => file.layers ?? []))];
  const wanted = names.length === 0 ? [] : [...wantedNames(model, names, layers)];
  const found = files.find((file) => wanted.every((name) => file.layers?.includes(name)));
  if (found !== undefined) return found;
  throw new PhospheneError(
    `content/models/${model.slug}.json: expected 'weights' to have a file with all of ${wanted.slice(0, 8).join(', ')}, found none; name fewer layers`,
    { exitCode: 2 },
  );
}
