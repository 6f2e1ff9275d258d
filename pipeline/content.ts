/** What people wrote in content/models: one JSON file a model, the file's name is the model's slug. */

import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { type KeptFile, type ModelContent, modelContent, pageNames } from '../content/schema.ts';
import { PhospheneError } from './error.ts';
import { suggestion } from './nearest.ts';
import { parseJson, parseStrict } from './strict.ts';

export interface ModelFile {
  /** The file's name without `.json`, as in the address. */
  readonly slug: string;
  /** Absolute path of the content file. */
  readonly file: string;
  readonly content: ModelContent;
  /** Absolute path of the model file, or the kept files to choose from. */
  readonly weights: string | readonly LayeredFile[];
}

/** A kept file, and the names of its layers where the content file says them. */
export interface LayeredFile extends KeptFile {
  readonly layers?: readonly string[];
}

/** What an address can hold without being escaped; `@` is kept for releases. */
const slugPattern = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

/**
 * The models of a content folder in the order of their names; only those of `slugs`, where any are given.
 * @param contentDir The folder that holds `models/`.
 * @throws PhospheneError (exit code 2) for a folder without models, an unknown slug, or a file that is wrong.
 */
export async function readModels(contentDir: string, slugs: readonly string[] = []): Promise<ModelFile[]> {
  const folder = resolve(contentDir, 'models');
  const known = (await filesOf(folder)).map((name) => basename(name, '.json')).sort();
  if (known.length === 0) {
    throw new PhospheneError(
      `Expected at least one <model>.json in ${shownPath(folder)}, found none; write one or give the folder with --content`,
      { exitCode: 2 },
    );
  }
  for (const slug of slugs) {
    if (!known.includes(slug)) {
      throw new PhospheneError(
        `There is no model '${slug}' in ${shownPath(folder)}${suggestion(slug, known)}`,
        { exitCode: 2 },
      );
    }
  }
  const wanted = slugs.length === 0 ? known : known.filter((slug) => slugs.includes(slug));
  return Promise.all(wanted.map((slug) => readModel(join(folder, `${slug}.json`))));
}

/** The model of a content folder that names this model file; content files that are wrong are passed over. */
export async function modelOfFile(contentDir: string, path: string): Promise<ModelFile | undefined> {
  const folder = resolve(contentDir, 'models');
  const wanted = resolve(path);
  for (const name of (await filesOf(folder).catch(() => [])).sort()) {
    const model = await readModel(join(folder, name)).catch((error: unknown) => {
      if (error instanceof PhospheneError) return undefined;
      throw error;
    });
    if (model?.weights === wanted) return model;
  }
  return undefined;
}

/** Whether a content folder has a model of this name. */
export async function hasModel(contentDir: string, slug: string): Promise<boolean> {
  const names: readonly string[] = await filesOf(resolve(contentDir, 'models')).catch(() => []);
  return names.includes(`${slug}.json`);
}

async function readModel(file: string): Promise<ModelFile> {
  const slug = basename(file, '.json');
  const what = shownPath(file);
  if (!slugPattern.test(slug)) {
    throw new PhospheneError(
      `${what}: the file's name becomes the model's address: expected small letters, digits and single '-', '_', '.' between them`,
      { exitCode: 2 },
    );
  }
  if (pageNames.includes(slug)) {
    throw new PhospheneError(
      `${what}: the file's name becomes the model's address, and /${slug} is a page of the gallery itself: call the file otherwise`,
      { exitCode: 2 },
    );
  }
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new PhospheneError(`${what}: expected a file that can be read, found ${String(cause)}`, {
      exitCode: 2,
      cause,
    });
  });
  const { classes, ...written } = parseStrict(modelContent, parseJson(text, what), what);
  const content: ModelContent =
    classes === undefined ? written : { ...written, classes: await classNames(classes, file) };
  return { slug, file, content, weights: weightsOf(content.weights, file) };
}

function weightsOf(weights: ModelContent['weights'], file: string): ModelFile['weights'] {
  if (typeof weights === 'string') return resolve(dirname(file), weights);
  return Array.isArray(weights) ? weights : [weights];
}

/** The names themselves, or those in a text file with one name a line. */
async function classNames(classes: string[] | string, file: string): Promise<string[]> {
  if (typeof classes !== 'string') return classes;
  const path = resolve(dirname(file), classes);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new PhospheneError(
      `${shownPath(file)}: 'classes' must be a list of names or a text file with one a line, found no file ${shownPath(path)} that can be read`,
      { exitCode: 2, cause },
    );
  });
  return text
    .replace(/^\uFEFF|\s+$/g, '')
    .split('\n')
    .map((name) => name.trim());
}

async function filesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => name.endsWith('.json') && !name.startsWith('.'));
  } catch (cause) {
    throw new PhospheneError(
      `Expected a folder with the models' JSON files at ${shownPath(folder)}, found none; give the folder above it with --content`,
      { exitCode: 2, cause },
    );
  }
}

/** A path as a person at the terminal would write it: relative where it lies below the working folder. */
export function shownPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near === '' || near.startsWith('..') ? path : near;
}
