/**
 * From a model's content file to a model file on this machine. Most lie beside their content file; those that are too
 * large for that are kept in a folder of their own, and fetched when somebody asks for the model by name. A file that
 * somebody gave in place of those goes before them.
 */

import { basename, join } from 'node:path';
import { z } from 'zod';
import { type LayeredFile, type ModelFile, shownPath } from '../content.ts';
import { PhospheneError } from '../error.ts';
import { wantedNames } from '../pattern.ts';
import type { Remembered } from '../remembered.ts';
import { byteCount } from '../words.ts';
import { checksumOf, type DownloadEffects, type DownloadEvent, download } from './download.ts';
import { givenFile } from './given.ts';

/** A model whose file lies on this machine. */
export interface ModelOnHand extends ModelFile {
  readonly weightsFile: string;
}

export type WeightsEvent =
  | DownloadEvent
  /** A model's weights are those that somebody gave; `note` is where that is written down, `isThere` whether they are. */
  | {
      readonly kind: 'given';
      readonly model: string;
      readonly file: string;
      readonly note: string;
      readonly isThere: boolean;
    };

export interface WeightsEffects extends DownloadEffects {
  /** Where weights are kept; made where there is none. */
  readonly folder: string;
  emit(event: WeightsEvent): void;
  /** Where it is remembered which kept files were found to be right. */
  readonly remembered?: Remembered;
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
  const [{ file, url, bytes, checksum }] = choices(model, wanted);
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
  effects: Pick<WeightsEffects, 'folder' | 'files' | 'signal' | 'emit' | 'remembered'>,
): Promise<ModelOnHand | undefined> {
  if (typeof model.weights === 'string') return { ...model, weightsFile: model.weights };
  const { folder, files, emit } = effects;
  const given = await givenFile(model.slug, folder, files);
  if (given !== undefined) {
    const isThere = (await files.info(given.file)) !== undefined;
    emit({
      kind: 'given',
      model: model.slug,
      file: shownPath(given.file),
      note: shownPath(given.note),
      isThere,
    });
    if (isThere) return { ...model, weightsFile: given.file };
  }
  for (const kept of choices(model, wanted)) {
    const place = join(folder, kept.file);
    if (await isKept(kept, place, effects)) return { ...model, weightsFile: place };
  }
  return undefined;
}

/** Whether a kept file is in its place. @throws PhospheneError where something else is. */
async function isKept(
  { bytes, checksum }: LayeredFile,
  place: string,
  { files, signal, remembered }: Pick<WeightsEffects, 'files' | 'signal' | 'remembered'>,
): Promise<boolean> {
  const info = await files.info(place);
  if (info === undefined) return false;
  const wrong = (found: string, expected: string): PhospheneError =>
    new PhospheneError(
      `Expected ${shownPath(place)} to be the known file of that name (${expected}), found another (${found}): remove it so that it can be fetched, or give it with --weights FILE if it is the one that you mean`,
    );
  if (info.isFolder) throw wrong('a folder', 'a file');
  if (bytes !== undefined && info.bytes !== bytes) throw wrong(`${info.bytes} bytes`, `${bytes} bytes`);
  if (checksum !== undefined) {
    const name = `weights.${basename(place)}`;
    if ((await remembered?.recall(name, checksum, z.literal(true))) === true) return true;
    const found = await checksumOf(place, checksum, files, signal);
    if (found !== checksum) throw wrong(found, checksum);
    await remembered?.keep(name, checksum, [place], true);
  }
  return true;
}

/** What would have to be done to have a model's weights, as a phrase. */
export function whatIsMissing(model: ModelFile, wanted: WantedWeights, folder: string): string {
  const [{ file, url, bytes }] = choices(model, wanted);
  if (url === undefined || bytes === undefined) return `${shownPath(join(folder, file))} is missing`;
  return `${file} (${byteCount(bytes)}) is not downloaded yet`;
}

/** A model's kept files that have all wanted layers; the first of them is the one to fetch. */
function choices(model: ModelFile, { layers }: WantedWeights): readonly [LayeredFile, ...LayeredFile[]] {
  const files = typeof model.weights === 'string' ? [] : model.weights;
  const names = [...new Set(files.flatMap((file) => file.layers ?? []))];
  const wanted = names.length === 0 ? [] : [...wantedNames(model, names, layers)];
  const [first, ...others] = files.filter((file) => wanted.every((name) => file.layers?.includes(name)));
  if (first !== undefined) return [first, ...others];
  throw new PhospheneError(
    `content/models/${model.slug}.json: expected 'weights' to have a file with all of ${wanted.slice(0, 8).join(', ')}, found none; name fewer layers`,
    { exitCode: 2 },
  );
}
