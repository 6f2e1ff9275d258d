/** What the pipeline does to a disk, as one object, so that a test can hand in a disk that is full or read-only. */

import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PhospheneError } from './error.ts';

/** Paths are absolute or relative to the working folder; failures are Node's own errors with their `code`. */
export interface Files {
  /** Makes a folder and those above it; no error where it exists. */
  makeFolder(path: string): Promise<void>;
  /** Writes a whole file; with `flush` it is on the disk, not only in its cache, before this returns. */
  write(path: string, bytes: Uint8Array, flush: boolean): Promise<void>;
  /** Makes a small file unless there is one of this name; returns whether it did. */
  create(path: string, bytes: Uint8Array): Promise<boolean>;
  /** Puts a folder's own entries on the disk. */
  flushFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  read(path: string): Promise<Buffer>;
  /**
   * A small file and the size of one beside it, at once; undefined where one of them is not there. For looking at
   * thousands: each of the calls above waits its turn among the system's threads, five times as long as it works.
   */
  glance(path: string, beside: string): { readonly bytes: Buffer; readonly besideBytes: number } | undefined;
  /** The size of a file, at once, for the same reason; undefined where there is none. */
  size(path: string): number | undefined;
  /** Names in a folder; none where there is no such folder. */
  names(path: string): Promise<string[]>;
  /** Size and age; undefined where there is nothing at `path`. */
  info(path: string): Promise<FileInfo | undefined>;
  /** Removes a file or a folder with all in it; no error where there is none. */
  remove(path: string): Promise<void>;
  /** Removes a folder if it is empty. */
  removeEmpty(path: string): Promise<void>;
}

export interface FileInfo {
  readonly isFolder: boolean;
  readonly bytes: number;
  /** Milliseconds since 1970 of the last change. */
  readonly changedMs: number;
}

/** The disk of this machine. */
export const disk: Files = {
  makeFolder,
  async write(path, bytes, flush) {
    const file = await open(path, 'w');
    try {
      await file.writeFile(bytes);
      if (flush) await file.sync();
    } finally {
      await file.close();
    }
  },
  async create(path, bytes) {
    try {
      await writeFile(path, bytes, { flag: 'wx' });
      return true;
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    }
  },
  async flushFolder(path) {
    // Windows has no way to flush a folder.
    if (process.platform === 'win32') return;
    const folder = await open(path, 'r');
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  },
  rename,
  read: (path) => readFile(path),
  glance(path, beside) {
    try {
      return { bytes: readFileSync(path), besideBytes: statSync(beside).size };
    } catch (error) {
      if (absent.includes(codeOf(error) ?? '')) return undefined;
      throw error;
    }
  },
  size: (path) => statSync(path, { throwIfNoEntry: false })?.size,
  names: (path) => readdir(path).catch(unlessMissing<string[]>([])),
  async info(path) {
    const found = await stat(path).catch(unlessMissing(undefined));
    return found && { isFolder: found.isDirectory(), bytes: found.size, changedMs: found.mtimeMs };
  },
  remove: (path) => rm(path, { recursive: true, force: true }),
  async removeEmpty(path) {
    await rmdir(path).catch((error: unknown) => {
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT', 'EPERM'].includes(codeOf(error) ?? '')) throw error;
    });
  },
};

/** What the system says of a file that cannot be read because there is none, or none that is whole. */
export const absent: readonly string[] = ['ENOENT', 'ENOTDIR', 'EISDIR', 'EIO'];

/** Not Node's own `recursive`, which never ends where a folder refuses to hold another, as /proc does. */
async function makeFolder(path: string): Promise<void> {
  try {
    await makeOne(path);
  } catch (error) {
    const above = dirname(path);
    if (codeOf(error) !== 'ENOENT' || above === path) throw error;
    // Somebody else may make the folder above meanwhile: then it is there, and one more try decides.
    if ((await disk.info(above)) === undefined) await makeFolder(above);
    await makeOne(path);
  }
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (error) {
    if ((await disk.info(path))?.isFolder !== true) throw error;
  }
}

/** A name beside others that nothing else uses; all such names start with `.tmp-`. */
export function temporaryName(): string {
  return `${temporaryPrefix}${process.pid}-${randomBytes(6).toString('hex')}`;
}
export const temporaryPrefix = '.tmp-';

/**
 * Writes a file so that a reader sees the old one or the new one, never a part. Makes the folder where there is none.
 * @throws PhospheneError where the disk does not take it.
 */
export async function writeWhole(files: Files, path: string, bytes: Uint8Array): Promise<void> {
  const folder = dirname(path);
  const temporary = `${folder}/${temporaryName()}`;
  try {
    await files.makeFolder(folder);
    await files.write(temporary, bytes, false);
    await files.rename(temporary, path);
  } catch (error) {
    await files.remove(temporary).catch(() => undefined);
    throw refusal(error, path);
  }
}

/** `writeWhole` unless the file holds these bytes already. Returns whether it was written. */
export async function writeChanged(files: Files, path: string, bytes: Uint8Array): Promise<boolean> {
  const before = await files.read(path).catch(() => undefined);
  if (before?.equals(bytes)) return false;
  await writeWhole(files, path, bytes);
  return true;
}

/** A file's text as JSON, or undefined where it is none: for files that this project writes and can write again. */
export function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Node's code of a failed call to the system, e.g. `ENOSPC`. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** A failed write as a sentence for people; an error that is none of the disk's stays as it is. */
export function refusal(error: unknown, path: string): unknown {
  const code = codeOf(error);
  if (error instanceof PhospheneError || code === undefined) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new PhospheneError(
      `The disk is full: ${path} could not be written; free some space and run the same command again, all that was done before is kept`,
      { cause: error },
    );
  }
  const reasons: Record<string, string> = {
    EACCES: 'permission denied',
    EPERM: 'not permitted',
    EROFS: 'the file system is read-only',
    ENOTDIR: 'a file stands where a folder should be',
    EEXIST: 'a file stands where a folder should be',
    ENOENT: 'it cannot be made there',
    EFBIG: 'files may not be as large',
    EMFILE: 'too many files are open',
  };
  const reason = reasons[code] ?? code;
  return new PhospheneError(
    `Expected a place that can be written at ${path}, found that it cannot (${reason}): change its permissions or give another folder`,
    { cause: error },
  );
}

function unlessMissing<T>(fallback: T): (error: unknown) => T {
  return (error) => {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error) ?? '')) return fallback;
    throw error;
  };
}
