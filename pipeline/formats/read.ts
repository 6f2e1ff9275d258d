/** The rim of the readers: bytes from disk, and one sentence for everything that a path can be besides a file. */

import { readFile } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, normalize, sep } from 'node:path';
import { PhospheneError } from '../error.ts';
import type { ModelFile } from './file.ts';

/**
 * Reads a model file; files beside it (shards) are read when a format asks for them.
 * @param onRead Told the path of each of them.
 * @throws PhospheneError if there is no such file, or it is a folder, or it cannot be read.
 */
export async function readModelFile(
  path: string,
  onRead: (path: string) => void = () => {},
): Promise<ModelFile> {
  const bytes = await read(path);
  onRead(path);
  return {
    name: basename(path),
    bytes,
    sibling: async (name) => {
      const below = normalize(name);
      if (isAbsolute(below) || below === '..' || below.startsWith(`..${sep}`) || below.includes('\0')) {
        throw new PhospheneError(
          `Expected '${basename(path)}' to name weight files in its own folder, found '${name.slice(0, 200)}': nothing outside that folder is read.`,
        );
      }
      const place = join(dirname(path), below);
      const shard = await read(place);
      onRead(place);
      return shard;
    },
  };
}

async function read(path: string): Promise<Uint8Array> {
  try {
    // Not a Buffer, whose slices are views where those of a Uint8Array are copies.
    const { buffer, byteOffset, length } = await readFile(path);
    return new Uint8Array(buffer, byteOffset, length);
  } catch (cause) {
    throw new PhospheneError(sentence(path, cause), { cause });
  }
}

function sentence(path: string, cause: unknown): string {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return `Expected a model file at '${path}', found nothing there: check the path.`;
  }
  if (code === 'EISDIR')
    return `Expected a model file at '${path}', found a folder: name the file inside it.`;
  if (code === 'EACCES' || code === 'EPERM') {
    return `Expected to read the model file '${path}', but its permissions forbid it: make it readable.`;
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return `Expected to read the model file '${path}', but the system refused: ${why}.`;
}
