/**
 * A store, or a part of one, as one tar file: a mark, each rendering's two files under its fingerprint, and the number
 * of renderings, which a file that was cut lacks. One rendering at a time is in memory.
 */

import { createReadStream, createWriteStream } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { createTarDecoder, createTarPacker } from 'modern-tar';
import { z } from 'zod';
import { PhospheneError } from '../error.ts';
import { codeOf, disk, jsonOrUndefined, refusal, temporaryName } from '../files.ts';
import { decodeExact } from '../picture/encode.ts';
import { checked, type DiskStore, framesFile, metadataFile, type RenderingFiles } from './disk.ts';

const markName = 'phosphene-store.json';
const endName = 'end.json';
const mark = z.object({ format: z.literal('phosphene-store'), version: z.literal(1) });
const end = z.object({ renderings: z.int().min(0) });

/** No rendering is larger: what a stranger's file claims is not believed. */
const largestBytes = { [metadataFile]: 2 ** 24, [framesFile]: 2 ** 29, [markName]: 1000, [endName]: 1000 };

export interface Exported {
  readonly renderings: number;
  /** Of the file. */
  readonly bytes: number;
}

/**
 * Writes renderings of a store into a file, in the order given; one that is damaged is left out. The same renderings
 * give the same bytes. The file is there whole or not at all.
 * @param signal Aborts the export: its reason is thrown.
 * @throws PhospheneError where the file cannot be written.
 */
export async function exportRenderings(
  store: DiskStore,
  fingerprints: Iterable<string>,
  path: string,
  signal: AbortSignal,
): Promise<Exported> {
  const temporary = join(dirname(path), temporaryName());
  const { readable, controller } = createTarPacker();
  const written = readable.pipeTo(Writable.toWeb(createWriteStream(temporary, { flush: true })));
  // Whatever goes wrong while writing is told by `add` too; without this it would be told to nobody first.
  written.catch(() => undefined);
  const add = async (name: string, bytes: Uint8Array): Promise<void> => {
    const writer = controller.add({ name, size: bytes.length, mtime: new Date(0) }).getWriter();
    await writer.write(new Uint8Array(bytes));
    await writer.close();
  };
  const addJson = (name: string, value: unknown): Promise<void> =>
    add(name, Buffer.from(`${JSON.stringify(value)}\n`));
  try {
    let renderings = 0;
    await addJson(markName, { format: 'phosphene-store', version: 1 });
    for (const fingerprint of fingerprints) {
      signal.throwIfAborted();
      const files = await store.filesOf(fingerprint);
      if (files === undefined || 'problem' in files) continue;
      await add(`${fingerprint}/${metadataFile}`, files.text);
      await add(`${fingerprint}/${framesFile}`, files.frames);
      renderings++;
    }
    await addJson(endName, { renderings });
    controller.finalize();
    await written;
    await disk.rename(temporary, path);
    return { renderings, bytes: (await disk.info(path))?.bytes ?? 0 };
  } catch (error) {
    controller.error(error);
    await written.catch(() => undefined);
    await disk.remove(temporary).catch(() => undefined);
    throw refusal(error, path);
  }
}

export interface Imported {
  readonly renderings: number;
  /** Those that the store did not have. */
  readonly added: number;
}

/**
 * Takes the renderings of a file into a store. Each is checked whole before it is kept; what the store has stays.
 * @throws PhospheneError for a file that cannot be read, is none of `exportRenderings` or is damaged: what came before
 *   the damage is kept; and where the store cannot be written.
 */
export async function importRenderings(
  store: DiskStore,
  path: string,
  signal: AbortSignal,
): Promise<Imported> {
  let [renderings, added] = [0, 0];
  const damaged = (why: string, cause?: unknown): PhospheneError => {
    const kept =
      added === 0 ? 'nothing was imported' : `only the ${added} renderings before that were imported`;
    return new PhospheneError(
      `${path} is damaged or no export of Phosphene: ${why}; ${kept}, export it again`,
      {
        cause,
      },
    );
  };
  let text: { readonly fingerprint: string; readonly bytes: Buffer } | undefined;
  let place: 'start' | 'renderings' | 'end' = 'start';
  try {
    for await (const { name, bytes } of entriesOf(path, damaged)) {
      signal.throwIfAborted();
      if (place === 'start') {
        const known = mark.safeParse(jsonOrUndefined(bytes.toString('utf8')));
        if (name !== markName || !known.success)
          throw damaged(`it does not begin with '${markName}' of version 1`);
        place = 'renderings';
      } else if (name === endName && text === undefined && place === 'renderings') {
        const told = end.safeParse(jsonOrUndefined(bytes.toString('utf8')));
        if (!told.success || told.data.renderings !== renderings) {
          throw damaged(`it holds ${renderings} renderings, and ends as if it had others`);
        }
        place = 'end';
      } else {
        const [, fingerprint = '', file] = /^([0-9a-f]{64})\/(rendering\.json|frames\.png)$/.exec(name) ?? [];
        const expected = text === undefined ? metadataFile : framesFile;
        if (
          place === 'end' ||
          file !== expected ||
          (text !== undefined && text.fingerprint !== fingerprint)
        ) {
          throw damaged(`it holds '${name}' where it should not`);
        }
        if (text === undefined) {
          text = { fingerprint, bytes };
          continue;
        }
        const files = await wholeRendering(fingerprint, text.bytes, bytes, damaged);
        text = undefined;
        renderings++;
        if (await store.writeFiles(files)) added++;
      }
    }
  } catch (error) {
    if (error instanceof PhospheneError || error === signal.reason) throw error;
    if (['ENOENT', 'EACCES', 'EISDIR', 'EPERM'].includes(codeOf(error) ?? '')) {
      throw new PhospheneError(`Expected a file that can be read at ${path}, found none (${codeOf(error)})`, {
        exitCode: 2,
        cause: error,
      });
    }
    throw damaged('it cannot be read as a tar file', error);
  }
  if (place !== 'end') throw damaged('it ends too early');
  return { renderings, added };
}

async function wholeRendering(
  fingerprint: string,
  text: Buffer,
  frames: Buffer,
  damaged: (why: string, cause?: unknown) => PhospheneError,
): Promise<RenderingFiles> {
  const files = await checked(fingerprint, text, frames);
  if ('problem' in files) throw damaged(`in the rendering ${fingerprint.slice(0, 12)}… ${files.problem}`);
  await decodeExact(frames, files.metadata.channels).catch((cause: unknown) => {
    throw damaged(`the frames of ${fingerprint.slice(0, 12)}… are no picture`, cause);
  });
  return files;
}

async function* entriesOf(
  path: string,
  damaged: (why: string) => PhospheneError,
): AsyncGenerator<{ name: string; bytes: Buffer }> {
  const source = createReadStream(path);
  const { readable, writable } = createTarDecoder({ strict: true });
  const fed = Readable.toWeb(source).pipeTo(writable);
  // An error of either end reaches whoever reads the entries.
  fed.catch(() => undefined);
  try {
    for await (const { header, body } of readable) {
      const kind = header.name.slice(header.name.indexOf('/') + 1);
      const most = Object.entries(largestBytes).find(([name]) => name === kind)?.[1];
      if ((header.type ?? 'file') !== 'file' || most === undefined || header.size > most) {
        throw damaged(`it holds '${header.name}' of ${header.size} bytes, which no export does`);
      }
      yield { name: header.name, bytes: Buffer.from(await new Response(body).arrayBuffer()) };
    }
  } finally {
    source.destroy();
  }
}
