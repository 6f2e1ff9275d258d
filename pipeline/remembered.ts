/**
 * What was worked out of model files, remembered until anything that it was worked out of changes: the files, what was
 * asked, or the program itself. Reading a file of half a gigabyte to find that nothing is to be done takes many seconds;
 * so a file is known by what the system says of it, as git knows it, and only else by its bytes.
 */

import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { disk, type Files, jsonOrUndefined, writeChanged } from './files.ts';

const note = z.strictObject({
  /** Hash of the program and of what was asked. */
  asked: z.string(),
  /** What each file was, by its path. */
  files: z.record(z.string(), z.string()),
  value: z.json(),
  /** Of the canonical JSON of all of the above. */
  sha256: z.string(),
});

export class Remembered {
  readonly #folder: string;
  readonly #files: Files;
  /** Milliseconds since 1970 after which a file must not have changed: it may be another than the one that was read. */
  readonly #unchangedSinceMs: number;

  /**
   * To be made before the files are read.
   * @param settledMs How long before that a file must have changed. Clocks of file systems tick at most so slowly.
   */
  constructor(folder = join('.cache', 'remembered'), files: Files = disk, settledMs = 3_000) {
    this.#folder = folder;
    this.#files = files;
    this.#unchangedSinceMs = Date.now() - settledMs;
  }

  /**
   * What was kept under this name, if the same is asked of the same files by the same program; else undefined.
   * @param asked Plain data.
   */
  async recall<T>(name: string, asked: unknown, shape: z.ZodType<T>): Promise<T | undefined> {
    const bytes = await this.#files.read(this.#place(name)).catch(() => undefined);
    const found = note.safeParse(bytes && jsonOrUndefined(bytes.toString('utf8')));
    if (!found.success) return undefined;
    const { sha256, ...kept } = found.data;
    if (sha256 !== digestOf(kept) || kept.asked !== (await askedOf(asked))) return undefined;
    for (const [path, known] of Object.entries(kept.files)) {
      if ((await identityOf(path))?.text !== known) return undefined;
    }
    const value = shape.safeParse(kept.value);
    return value.success ? value.data : undefined;
  }

  /**
   * Keeps a value, plain data, that was worked out of these files; what was kept under its name is forgotten. A file that
   * changed while it was read, or a moment before, may not be the one that was read: then nothing is kept, nor where the
   * disk refuses.
   */
  async keep(name: string, asked: unknown, paths: readonly string[], value: unknown): Promise<void> {
    const files: Record<string, string> = {};
    for (const path of paths) {
      const identity = await identityOf(path);
      if (identity === undefined || identity.changedMs > this.#unchangedSinceMs) return;
      files[path] = identity.text;
    }
    const kept = { asked: await askedOf(asked), files, value };
    const text = `${JSON.stringify({ ...kept, sha256: digestOf(kept) })}\n`;
    await writeChanged(this.#files, this.#place(name), Buffer.from(text)).catch(() => undefined);
  }

  #place(name: string): string {
    return join(this.#folder, `${name}.json`);
  }
}

/** What the system says of a file; its change time no program can set. */
async function identityOf(path: string): Promise<{ text: string; changedMs: number } | undefined> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return { text: [dev, ino, size, mtimeNs, ctimeNs].join(' '), changedMs: Number(ctimeNs / 1_000_000n) };
  } catch {
    return undefined;
  }
}

const digestOf = (value: unknown): string =>
  createHash('sha256')
    .update(canonicalize(value) ?? '')
    .digest('hex');

const askedOf = async (asked: unknown): Promise<string> => digestOf([await programText(), asked]);

let program: Promise<string> | undefined;

/** Hash of this program's own files: another version of it may find something else. */
function programText(): Promise<string> {
  program ??= hashOfProgram();
  return program;
}

async function hashOfProgram(): Promise<string> {
  const top = join(import.meta.dirname, '..');
  const names = (await readdir(import.meta.dirname, { recursive: true })).filter((name) =>
    name.endsWith('.ts'),
  );
  const paths = [
    ...names.sort().map((name) => join(import.meta.dirname, name)),
    join(top, 'content', 'schema.ts'),
    join(top, 'package.json'),
  ];
  const hash = createHash('sha256');
  for (const bytes of await Promise.all(paths.map((path) => readFile(path)))) hash.update(bytes).update('\0');
  return hash.digest('hex');
}
