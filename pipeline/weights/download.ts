/**
 * One file over HTTP to its place on the disk. Only a whole file whose checksum is right gets the file's own name; what
 * has arrived before lies beside it as `<file>.part-<number>` while it is being fetched and as `<file>.part` in
 * between, and what it is a part of in a note of that name and `.json`.
 */

import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import { setTimeout as startTimer } from 'node:timers';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { PhospheneError } from '../error.ts';
import { codeOf, jsonOrUndefined, refusal, writeWhole } from '../files.ts';
import { byteCount, duration, oneLine } from '../words.ts';
import { reachabilityOf, reasonOf } from './network-error.ts';
import type { ChecksumAlgorithm, DownloadFiles, PartialFile } from './partial.ts';

/** A file that is fetched. */
export interface Download {
  readonly url: string;
  readonly bytes: number;
  /** `md5:` or `sha256:` and the hex digits. */
  readonly checksum: string;
}

/** What happens meanwhile; `file` is the file's name. */
export type DownloadEvent =
  /** `heldBytes` were there from an earlier run. */
  | {
      readonly kind: 'download-started';
      readonly file: string;
      readonly host: string;
      readonly heldBytes: number;
      readonly bytes: number;
    }
  /** As many bytes of the file are there now; fewer than before where it had to start over. */
  | { readonly kind: 'downloading'; readonly file: string; readonly heldBytes: number }
  /** The next attempt begins after `waitMs`. */
  | {
      readonly kind: 'download-interrupted';
      readonly file: string;
      readonly reason: string;
      readonly waitMs: number;
    }
  | { readonly kind: 'downloaded'; readonly file: string; readonly bytes: number };

/** How long a download bears with a bad line. */
export interface Patience {
  /** A connection that brings nothing for so long is given up. */
  readonly stallMs: number;
  /** Waits before the attempts after the first; anew after each attempt that brought a hundredth of the file. */
  readonly waitsMs: readonly number[];
}

export const defaultPatience: Patience = { stallMs: 30_000, waitsMs: [1_000, 4_000, 15_000] };

export interface DownloadEffects {
  fetch(url: string, init: RequestInit): Promise<Response>;
  readonly files: DownloadFiles;
  readonly patience: Patience;
  readonly signal: AbortSignal;
  emit(event: DownloadEvent): void;
}

/**
 * Fetches a file to `place`, going on from what an earlier attempt or run has left there.
 * @throws PhospheneError naming the file, why it did not come, and what to do instead.
 * @throws The signal's reason when it is aborted; what has arrived stays.
 */
export async function download(wanted: Download, place: string, effects: DownloadEffects): Promise<void> {
  const { files } = effects;
  try {
    await files.makeFolder(dirname(place));
    const part = await Part.find(place, wanted, files);
    try {
      await complete(part, wanted, effects);
    } catch (error) {
      await part.release().catch(() => undefined);
      throw error instanceof Refusal ? refused(wanted, part, error.message) : error;
    }
    await part.finish();
  } catch (error) {
    throw refusal(error, place);
  }
  effects.emit({ kind: 'downloaded', file: basename(place), bytes: wanted.bytes });
}

async function complete(part: Part, wanted: Download, effects: DownloadEffects): Promise<void> {
  const { signal, patience, emit } = effects;
  const { url, bytes } = wanted;
  const file = basename(part.place);
  emit({ kind: 'download-started', file, host: new URL(url).host, heldBytes: part.heldBytes, bytes });
  const transfer = new Transfer(wanted, part, effects);
  let mostBytes = part.heldBytes;
  let waits = 0;
  for (;;) {
    const setback = await transfer.attempt();
    if (setback === undefined) return;
    if (part.heldBytes - mostBytes >= bytes / 100) {
      mostBytes = part.heldBytes;
      waits = 0;
    }
    const waitMs = patience.waitsMs[waits++];
    if (waitMs === undefined) throw new Refusal(setback);
    emit({ kind: 'download-interrupted', file, reason: setback, waitMs });
    await wait(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

/** Ends a download for good. */
class Refusal extends Error {}

function refused({ url, bytes }: Download, { place, heldBytes }: Part, reason: string): PhospheneError {
  const goOn = heldBytes > 0 ? `run the same command to go on from ${byteCount(heldBytes)}, or ` : '';
  return new PhospheneError(
    `Expected to download ${basename(place)} (${byteCount(bytes)}), but ${oneLine(reason)}: ${goOn}fetch ${url} by other means and put it at ${place}, or give a file that you have with --weights FILE`,
  );
}

/** One request an attempt, each for what the part still lacks. */
class Transfer {
  readonly #wanted: Download;
  readonly #part: Part;
  readonly #effects: DownloadEffects;
  readonly #host: string;
  /** Whether the server has ever answered: before that, another attempt is of no use. */
  #answered = false;
  /** Whether pieces of several answers did not make the right file. */
  #mismatched = false;
  #toldBytes = Number.POSITIVE_INFINITY;

  constructor(wanted: Download, part: Part, effects: DownloadEffects) {
    this.#wanted = wanted;
    this.#part = part;
    this.#effects = effects;
    this.#host = new URL(wanted.url).host;
  }

  /**
   * Returns undefined when the file is whole and right, and otherwise what came in between.
   * @throws Refusal where the next attempt would end in the same way; the signal's reason; the disk's errors.
   */
  async attempt(): Promise<string | undefined> {
    const part = this.#part;
    const { checksum, bytes } = this.#wanted;
    if (part.heldBytes < bytes) {
      const setback = await this.#request();
      if (setback !== undefined) return setback;
    }
    await part.flush();
    const found = await checksumOf(part.path, checksum, this.#effects.files, this.#effects.signal);
    if (found === checksum) return undefined;
    const { isMixed } = part;
    await part.restart(undefined);
    if (!isMixed || this.#mismatched) {
      throw new Refusal(`what ${this.#host} sends is not the known file (${found}, expected ${checksum})`);
    }
    this.#mismatched = true;
    return 'what has arrived in pieces is not the known file; it is fetched anew';
  }

  async #request(): Promise<string | undefined> {
    const { stallMs } = this.#effects.patience;
    const stalled = new AbortController();
    const timer = startTimer(() => stalled.abort(), stallMs);
    try {
      const signal = AbortSignal.any([this.#effects.signal, stalled.signal]);
      const headers = { 'accept-encoding': 'identity', ...this.#part.rangeHeaders() };
      const response = await this.#online(() =>
        this.#effects.fetch(this.#wanted.url, { headers, signal, redirect: 'follow' }),
      );
      this.#answered = true;
      timer.refresh();
      const reader = response.body?.getReader();
      try {
        const setback = await this.#begin(response);
        if (setback !== undefined || reader === undefined) return setback ?? 'the answer was empty';
        return await this.#receive(reader, () => timer.refresh());
      } finally {
        await reader?.cancel().catch(() => undefined);
      }
    } catch (error) {
      this.#effects.signal.throwIfAborted();
      if (!(error instanceof NetworkFailure)) throw error;
      if (stalled.signal.aborted) return `${this.#host} sent nothing for ${duration(stallMs / 1000)}`;
      const { cause } = error;
      const reason = reasonOf(cause, this.#host);
      if (reachabilityOf(cause) === 'distrusted') throw new Refusal(reason);
      if (reachabilityOf(cause) === 'unreachable' && !this.#answered) throw new Refusal(reason);
      return reason;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reads the head of an answer, and makes the part ready for its body. Returns why there is nothing to receive. */
  async #begin(response: Response): Promise<string | undefined> {
    const part = this.#part;
    const { status } = response;
    const answer = `${this.#host} answered ${status}${response.statusText === '' ? '' : ` (${response.statusText})`}`;
    if (status === 206 || status === 416) {
      const range = /^bytes (?:(\d+)-\d+|\*)\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
      if (range?.[2] !== undefined) this.#checkSize(Number(range[2]));
      const follows = status === 206 && Number(range?.[1]) === part.heldBytes;
      if (follows && part.goesOnWith(validatorOf(response))) return undefined;
      await part.restart(undefined);
      return `the file at ${this.#host} has changed meanwhile; it is fetched anew`;
    }
    if (status === 408 || status === 425 || status === 429 || status >= 500) return answer;
    if (status !== 200) throw new Refusal(answer);
    if (response.headers.get('content-type')?.startsWith('text/html')) {
      throw new Refusal(`${this.#host} sends a page in place of the file`);
    }
    const declared = response.headers.get('content-length');
    if (declared !== null && !response.headers.has('content-encoding')) this.#checkSize(Number(declared));
    await part.restart(validatorOf(response));
    this.#tell();
    return undefined;
  }

  async #receive(
    reader: ReadableStreamDefaultReader<Uint8Array>,
    alive: () => void,
  ): Promise<string | undefined> {
    const part = this.#part;
    const { bytes } = this.#wanted;
    for (;;) {
      const { done, value } = await this.#online(() => reader.read());
      if (done) break;
      alive();
      if (part.heldBytes + value.length > bytes) {
        await part.restart(undefined);
        throw new Refusal(`${this.#host} sends more than the ${byteCount(bytes)} of the file`);
      }
      await part.append(value);
      this.#tell();
    }
    if (part.heldBytes === bytes) return undefined;
    return `${this.#host} ended after ${byteCount(part.heldBytes)}`;
  }

  #checkSize(found: number): void {
    const { bytes } = this.#wanted;
    if (found !== bytes) {
      throw new Refusal(`${this.#host} has another file (${found} bytes, expected ${bytes})`);
    }
  }

  /** Not of every piece: a large file comes in thousands. */
  #tell(): void {
    const { heldBytes } = this.#part;
    const { bytes } = this.#wanted;
    const moved = heldBytes - this.#toldBytes;
    if (moved >= 0 && moved < bytes / 1000 && heldBytes < bytes) return;
    this.#toldBytes = heldBytes;
    this.#effects.emit({
      kind: 'downloading',
      file: basename(this.#part.place),
      heldBytes,
    });
  }

  /** Tells a failure of the network from all others. */
  async #online<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call();
    } catch (cause) {
      throw new NetworkFailure('', { cause });
    }
  }
}

class NetworkFailure extends Error {}

/** What tells one version of a file at a server from another; undefined where the server says nothing of use. */
function validatorOf({ headers }: Response): string | undefined {
  const tag = headers.get('etag');
  // A weak tag does not promise equal bytes (RFC 9110, 13.1.5).
  return tag?.startsWith('"') ? tag : (headers.get('last-modified') ?? undefined);
}

const note = z.object({ url: z.string(), checksum: z.string(), validator: z.string().optional() });

/** Bytes that nobody has added to for so long belong to a run that was killed. */
const abandonedMs = 120_000;

/**
 * The bytes that have arrived, from the first on, and the version of the file that they belong to. No two runs write
 * to the same part: taking one over is a rename, in which one of them succeeds.
 */
class Part {
  readonly place: string;
  readonly path: string;
  readonly #wanted: Download;
  readonly #files: DownloadFiles;
  #heldBytes = 0;
  #validator: string | undefined;
  #isMixed = false;
  #file: PartialFile | undefined;

  private constructor(place: string, wanted: Download, files: DownloadFiles) {
    this.place = place;
    this.path = `${place}.part-${randomBytes(6).toString('hex')}`;
    this.#wanted = wanted;
    this.#files = files;
  }

  /** Takes over what an earlier run has left of this very file; an empty part where there is nothing of use. */
  static async find(place: string, wanted: Download, files: DownloadFiles): Promise<Part> {
    const part = new Part(place, wanted, files);
    const released = `${basename(place)}.part`;
    for (const name of (await files.names(dirname(place))).sort()) {
      if (name.endsWith('.json') || !(name === released || name.startsWith(`${released}-`))) continue;
      const path = join(dirname(place), name);
      const info = await files.info(path);
      if (info === undefined) continue;
      if (name !== released && Date.now() - info.changedMs < abandonedMs) continue;
      if (part.#heldBytes === 0) await part.#takeOver(path, info.bytes);
      await removePart(files, path);
    }
    return part;
  }

  async #takeOver(path: string, heldBytes: number): Promise<void> {
    const text = await this.#files.read(`${path}.json`).catch(() => undefined);
    const left = note.safeParse(jsonOrUndefined(text?.toString('utf8') ?? ''));
    const { url, checksum, bytes } = this.#wanted;
    if (!left.success || left.data.url !== url || left.data.checksum !== checksum || heldBytes > bytes)
      return;
    try {
      await this.#files.rename(path, this.path);
      await this.#files.rename(`${path}.json`, `${this.path}.json`);
    } catch (error) {
      // Another run was first.
      if (codeOf(error) === 'ENOENT') return;
      throw error;
    }
    this.#heldBytes = heldBytes;
    this.#validator = left.data.validator;
    this.#isMixed = heldBytes > 0;
  }

  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** What asks a server for the rest, if the file there is still the one that the part belongs to. */
  rangeHeaders(): Record<string, string> {
    if (this.#heldBytes === 0) return {};
    const range = { range: `bytes=${this.#heldBytes}-` };
    return this.#validator === undefined ? range : { ...range, 'if-range': this.#validator };
  }

  /** Whether bytes of several answers or runs are put together. */
  get isMixed(): boolean {
    return this.#isMixed;
  }

  /**
   * Whether an answer with the rest may be put behind what is held. Servers that say nothing of versions are believed:
   * the checksum has the last word.
   */
  goesOnWith(validator: string | undefined): boolean {
    const fits = this.#validator === undefined || validator === undefined || this.#validator === validator;
    this.#isMixed ||= fits;
    return fits;
  }

  /** Forgets all bytes; those to come are of the version with this validator. */
  async restart(validator: string | undefined): Promise<void> {
    this.#heldBytes = 0;
    this.#validator = validator;
    this.#isMixed = false;
    await (await this.#opened()).empty();
    const { url, checksum } = this.#wanted;
    const text = JSON.stringify({ url, checksum, ...(validator === undefined ? {} : { validator }) });
    await writeWhole(this.#files, `${this.path}.json`, Buffer.from(`${text}\n`));
  }

  async append(bytes: Uint8Array): Promise<void> {
    await (await this.#opened()).write(bytes, this.#heldBytes);
    this.#heldBytes += bytes.length;
  }

  /** Returns when all bytes are on the disk. */
  async flush(): Promise<void> {
    await this.#file?.flush();
  }

  /** Leaves what has arrived to a later run. */
  async release(): Promise<void> {
    await this.#file?.close();
    if (this.#heldBytes === 0) return removePart(this.#files, this.path);
    const released = `${this.place}.part`;
    await this.#files.rename(`${this.path}.json`, `${released}.json`);
    await this.#files.rename(this.path, released);
  }

  /** Gives the whole file its name. */
  async finish(): Promise<void> {
    await this.#file?.close();
    await this.#files.rename(this.path, this.place);
    await removePart(this.#files, this.path);
    await this.#files.flushFolder(dirname(this.place));
  }

  async #opened(): Promise<PartialFile> {
    this.#file ??= await this.#files.openPartial(this.path);
    return this.#file;
  }
}

async function removePart(files: DownloadFiles, path: string): Promise<void> {
  await files.remove(path);
  await files.remove(`${path}.json`);
}

/** The checksum of a file, written as `expected` is: the same algorithm's name, then the hex digits. */
export async function checksumOf(
  path: string,
  expected: string,
  files: DownloadFiles,
  signal: AbortSignal,
): Promise<string> {
  const algorithm: ChecksumAlgorithm = expected.startsWith('md5:') ? 'md5' : 'sha256';
  return `${algorithm}:${await files.digest(path, algorithm, signal)}`;
}
