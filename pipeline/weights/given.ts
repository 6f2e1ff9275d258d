/**
 * Weights that people gave with --weights, for a model whose content file names files to fetch: remembered by the
 * model's name until others are given, so that what was rendered from them is also what is published.
 */

import { join, resolve } from 'node:path';
import { z } from 'zod';
import { type Files, jsonOrUndefined, writeChanged } from '../files.ts';

const note = z.strictObject({ file: z.string().min(1) });

/** No kept file has a name that begins with a dot. */
const place = (folder: string, slug: string): string => join(folder, '.given', `${slug}.json`);

/** A file that was given for a model. */
export interface GivenFile {
  /** Absolute path. */
  readonly file: string;
  /** Where that is written down; without it nothing was given. */
  readonly note: string;
}

/**
 * Remembers `file` for the model `slug`. Returns whether that is news.
 * @param folder Where weights are kept.
 * @throws PhospheneError where it cannot be written down.
 */
export function rememberGiven(slug: string, file: string, folder: string, files: Files): Promise<boolean> {
  const text = `${JSON.stringify({ file: resolve(file) } satisfies z.infer<typeof note>)}\n`;
  return writeChanged(files, place(folder, slug), Buffer.from(text));
}

/** The file that was last given for the model `slug`, be it there or not; undefined where none was. */
export async function givenFile(slug: string, folder: string, files: Files): Promise<GivenFile | undefined> {
  const path = place(folder, slug);
  const bytes = await files.read(path).catch(() => undefined);
  const parsed = note.safeParse(bytes && jsonOrUndefined(bytes.toString('utf8')));
  return parsed.success ? { file: parsed.data.file, note: path } : undefined;
}
