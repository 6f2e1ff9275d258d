/** Model files on the command line, in place of models of content/models: what is assumed of one can be kept as its content file. */

import { access, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { modelContent } from '../../content/schema.ts';
import { type Assumption, assumeContent } from '../assume.ts';
import { hasModel, shownPath } from '../content.ts';
import { PhospheneError } from '../error.ts';
import { codeOf, disk, refusal } from '../files.ts';
import { type OpenModel, openModel } from '../plan.ts';
import type { ModelOnHand } from '../weights/weights.ts';
import { oneLine } from '../words.ts';
import type { Terminal } from './terminal.ts';

/** A model file that no content file describes, with what is assumed of it. */
export interface AssumedModel {
  readonly model: ModelOnHand;
  readonly opened: OpenModel;
  /** The content file, which is not written yet. */
  readonly content: object;
  readonly reasons: Assumption['reasons'];
}

/** What words of a command line stand for: models of the content folder, model files. */
export interface Meant {
  readonly slugs: readonly string[];
  readonly files: readonly string[];
}

/**
 * Which words of a command line stand for models of the content folder, by name or by content file, and which for
 * model files.
 */
export async function sortWords(words: readonly string[], contentDir: string): Promise<Meant> {
  const slugs: string[] = [];
  const files: string[] = [];
  const folder = resolve(contentDir, 'models');
  for (const word of words) {
    const path = resolve(word);
    if (dirname(path) === folder && path.endsWith('.json')) {
      slugs.push(basename(path, '.json'));
      continue;
    }
    const isSlug = !/[\\/]/.test(word) && (await hasModel(contentDir, word));
    const isFile = !isSlug && (/[\\/.]/.test(word) || (await isThere(word)));
    (isFile ? files : slugs).push(word);
  }
  return { slugs, files };
}

/**
 * Reads a model file and assumes what a content file would say of it.
 * @param lambdas What its Lambda layers compute, by their names.
 * @throws PhospheneError if the file cannot be read or holds nothing that can be shown.
 */
export async function assumeModel(
  path: string,
  contentDir: string,
  lambdas?: Readonly<Record<string, string>>,
): Promise<AssumedModel> {
  const weightsFile = resolve(path);
  const opened = await openModel(path, lambdas);
  const { slug, content: guessed, reasons } = assumeContent(opened.network, weightsFile);
  const folder = resolve(contentDir, 'models');
  const weights = relative(folder, weightsFile).split(sep).join('/');
  const schema = (await isThere(join(contentDir, 'model.schema.json')))
    ? { $schema: '../model.schema.json' }
    : {};
  const { title, ...others } = guessed;
  const written = {
    ...schema,
    title,
    weights,
    ...others,
    ...(lambdas === undefined ? {} : { lambdas }),
  };
  const { classes: _, ...content } = modelContent.parse(written);
  const file = join(folder, `${slug}.json`);
  return {
    model: { slug, file, content, weights: weightsFile, weightsFile },
    opened,
    content: written,
    reasons,
  };
}

/** Says what is assumed: to people on stdout, as an event where stdout is for one JSON document. */
export function tellAssumed(
  { model, content, reasons }: AssumedModel,
  json: boolean,
  terminal: Terminal,
): void {
  const file = shownPath(model.file);
  if (json) {
    terminal.emit({ kind: 'assumed', model: model.slug, file, content, reasons });
    return;
  }
  const width = Math.max(...reasons.map(({ field }) => field.length));
  const lines = [
    `No content file names ${oneLine(shownPath(model.weightsFile))}; this one is assumed:`,
    '',
    JSON.stringify(content, null, 2),
    '',
    ...reasons.map(({ field, reason }) => `${field.padEnd(width)}  ${oneLine(reason)}`),
    '',
  ];
  terminal.print(`${lines.join('\n')}\n`);
}

/**
 * Writes the content file if that is wanted, by option or by a person's answer. Never replaces one.
 * @param wish.ask Whether a person may be asked.
 * @throws PhospheneError (exit code 2) if it is wanted and there is a content file of that name; (1) if it cannot be written.
 */
export async function offerToWrite(
  { model, content }: AssumedModel,
  wish: { readonly write: boolean; readonly ask: boolean },
  terminal: Terminal,
): Promise<void> {
  const file = shownPath(model.file);
  if (!wish.write) {
    if (!wish.ask) return;
    if (await isThere(model.file)) return;
    if (terminal.ask === undefined) {
      terminal.print(`--write keeps it as ${file}, so that phosphene publish shows the model.\n`);
      return;
    }
    if (!(await terminal.ask(`Write ${file}, so that phosphene publish shows the model?`))) return;
  }
  try {
    await disk.makeFolder(dirname(model.file));
    await writeFile(model.file, `${JSON.stringify(content, null, 2)}\n`, { flag: 'wx' });
  } catch (cause) {
    if (codeOf(cause) !== 'EEXIST' || !(await isThere(model.file))) throw refusal(cause, file);
    throw new PhospheneError(
      `--write would make ${file}, but there is one, which names another model file: rename one of the two, or write a content file by hand`,
      { exitCode: 2, cause },
    );
  }
  terminal.emit({ kind: 'written', model: model.slug, file });
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
