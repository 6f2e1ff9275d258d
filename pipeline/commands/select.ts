/** Models on the command line of whatever renders: which are meant, and where their files are. */

import { type ModelFile, modelOfFile, readModels, shownPath } from '../content.ts';
import { PhospheneError } from '../error.ts';
import { type OpenModel, openModel } from '../plan.ts';
import { rememberGiven } from '../weights/given.ts';
import { weightsOnThisMachine } from '../weights/machine.ts';
import { fetchWeights, findWeights, type ModelOnHand, whatIsMissing } from '../weights/weights.ts';
import { oneLine } from '../words.ts';
import { assumeModel, type Meant, sortWords, tellAssumed } from './model-files.ts';
import type { PictureOptions } from './options.ts';
import type { Terminal } from './terminal.ts';

export interface Selection {
  /** Models that have a content file. */
  readonly models: readonly ModelFile[];
  /** Model files that no content file names. */
  readonly undescribed: readonly string[];
}

/**
 * Reads the content files of the models that are meant; of all models where nothing is named.
 * @param meant What the words of the command line stand for.
 * @throws PhospheneError (exit code 2) for an unknown model, or options that do not go with the models.
 */
export async function selectModels(
  { slugs, files }: Meant,
  { content, weights, lambda }: PictureOptions,
  terminal: Terminal,
): Promise<Selection> {
  if (weights !== undefined && files.length > 0) {
    throw new PhospheneError(
      `--weights is for a model of ${shownPath(content)}/models, found the model file ${oneLine(files[0] ?? '')} itself: leave one of the two out`,
      { exitCode: 2 },
    );
  }
  const models = slugs.length > 0 || files.length === 0 ? await readModels(content, slugs) : [];
  const undescribed: string[] = [];
  for (const file of files) {
    const model = await modelOfFile(content, file);
    if (model === undefined) undescribed.push(file);
    else {
      terminal.emit({ kind: 'described', model: model.slug, file, by: shownPath(model.file) });
      if (!models.some(({ slug }) => slug === model.slug)) models.push(model);
    }
  }
  if (lambda !== undefined && undescribed.length === 0) {
    throw new PhospheneError(
      "--lambda is for a model file without a content file, found none on the command line: write the expression into 'lambdas' of the content file",
      { exitCode: 2 },
    );
  }
  if (weights !== undefined && models.length > 1) {
    throw new PhospheneError(
      `--weights is the file of one model, found ${models.length} models: name the one that it is for, e.g. phosphene render ${models[0]?.slug} --weights ${oneLine(weights)}`,
      { exitCode: 2 },
    );
  }
  return { models, undescribed };
}

export interface OnHandOptions extends Pick<PictureOptions, 'weights' | 'layers'> {
  /** Whether people named the models. Only those are fetched: a gallery is rendered without a network. */
  readonly named: boolean;
  /** false: what is not there is left out, and the terminal is told. */
  readonly fetch: boolean;
}

/** The models with their files. @throws PhospheneError where none of them has one, or one cannot be fetched. */
export async function modelsOnHand(
  models: readonly ModelFile[],
  { weights, layers, named, fetch }: OnHandOptions,
  terminal: Terminal,
): Promise<ModelOnHand[]> {
  if (weights !== undefined) return models.map((model) => ({ ...model, weightsFile: weights }));

  const effects = weightsOnThisMachine(terminal.signal, (event) => terminal.emit(event));
  const found: ModelOnHand[] = [];
  const unnamed: string[] = [];
  for (const model of models) {
    if (typeof model.weights !== 'string' && !named) {
      unnamed.push(model.slug);
    } else if (fetch) {
      found.push(await fetchWeights(model, { layers }, effects));
    } else {
      const one = await findWeights(model, { layers }, effects);
      if (one !== undefined) found.push(one);
      else {
        const reason = whatIsMissing(model, { layers }, effects.folder);
        terminal.emit({ kind: 'left-out', models: [model.slug], reason });
      }
    }
  }
  if (unnamed.length > 0) {
    if (unnamed.length === models.length) {
      throw new PhospheneError(
        `Expected the name of a model, found none: the weights of ${unnamed.join(', ')} do not lie beside their content files, and nothing is fetched unasked; e.g. phosphene render ${unnamed[0]}`,
        { exitCode: 2 },
      );
    }
    const reason = 'their weights do not come with the project; phosphene render NAME renders one';
    terminal.emit({ kind: 'left-out', models: unnamed, reason });
  }
  return found;
}

/** What is published of a model whose weights do not come with it has to be rendered from the same file. */
export async function rememberWeights(
  models: readonly ModelOnHand[],
  { weights }: Pick<PictureOptions, 'weights'>,
  terminal: Terminal,
): Promise<void> {
  if (weights === undefined) return;
  const { folder, files } = weightsOnThisMachine(terminal.signal, (event) => terminal.emit(event));
  for (const { slug, weights: named } of models) {
    if (typeof named === 'string') continue;
    if (await rememberGiven(slug, weights, folder, files)) {
      terminal.emit({ kind: 'remembered', model: slug, file: weights });
    }
  }
}

/**
 * The one model that a word means, its file read: a name of content/models, or a model file, of which is assumed what no
 * content file says. Fetches its weights where they can be fetched. Nothing is remembered.
 * @throws PhospheneError as the functions above, and where the file cannot be read.
 */
export async function openSelected(
  word: string,
  options: PictureOptions & { readonly json?: boolean },
  terminal: Terminal,
): Promise<{ readonly model: ModelOnHand; readonly opened: OpenModel }> {
  const { models, undescribed } = await selectModels(
    await sortWords([word], options.content),
    options,
    terminal,
  );
  const [file] = undescribed;
  if (file !== undefined) {
    const assumed = await assumeModel(file, options.content, options.lambda);
    tellAssumed(assumed, options.json === true, terminal);
    return assumed;
  }
  const [model] = await modelsOnHand(models, { ...options, named: true, fetch: true }, terminal);
  if (model === undefined) throw new Error(`Expected '${word}' to be a model on hand`);
  return { model, opened: await openModel(model.weightsFile, model.content.lambdas) };
}
