/**
 * The store on disk: one folder a rendering, `<store>/<aa>/<fingerprint>/`, `aa` the fingerprint's first two digits.
 * It is written under a temporary name beside its place, flushed and renamed: a folder with a fingerprint's name is
 * complete, whenever the writer was killed and however many wrote at once.
 */

import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { measures } from '../../content/schema.ts';
import { PhospheneError } from '../error.ts';
import {
  absent,
  codeOf,
  disk,
  type Files,
  jsonOrUndefined,
  refusal,
  temporaryName,
  temporaryPrefix,
} from '../files.ts';
import { decodeExact, encodeExact } from '../picture/encode.ts';
import { joinStrip, splitStrip } from '../picture/strip.ts';
import { type FingerprintParts, fingerprintOfParts } from './fingerprint.ts';
import type { Rendering, RenderingRecord, Store } from './store.ts';

/** Raised when what lies in a folder is written in another form. Version 2 had no checksum of the metadata. */
const formatVersion = 3;
const readVersions = [2, formatVersion] as const;
export const metadataFile = 'rendering.json';
/** All frames side by side, exact. */
export const framesFile = 'frames.png';

/** A writer that was killed leaves its temporary folder; one of this age has no writer any more. */
const leftoverAgeMs = 60 * 60 * 1000;

/** How metadata end, as `contentsOf` writes them. */
const ending =
  /"files":\{"frames\.png":\{"sha256":"[0-9a-f]{64}","bytes":(\d+)\}\}(?:,"sha256":"[0-9a-f]{64}")?\}\n$/;
/** The checksum of all before it and the last brace. */
const checksum = /,"sha256":"([0-9a-f]{64})"\}\n$/;

const fingerprintPattern = /^[0-9a-f]{64}$/;

const digest = z.string().regex(fingerprintPattern);

const madeFrom = z.object({
  version: z.int(),
  structure: digest,
  weights: digest,
  slice: digest,
  unit: z.int(),
  scaling: digest,
  recipe: digest,
  lastResort: digest,
  size: digest,
  frames: digest,
  seed: z.int(),
}) satisfies z.ZodType<FingerprintParts>;

const metadata = z.object({
  version: z.literal(readVersions),
  fingerprint: digest,
  madeFrom: madeFrom.optional(),
  model: z.string(),
  layer: z.string(),
  unit: z.int().min(0),
  widthPx: z.int().min(1),
  heightPx: z.int().min(1),
  channels: z.union([z.literal(1), z.literal(3)]),
  frames: z.array(z.object({ step: z.int().min(0), objective: z.number() })).min(1),
  curve: z.array(z.number()),
  measures,
  recipe: z.record(z.string(), z.unknown()),
  seed: z.int(),
  engine: z.string(),
  device: z.string(),
  seconds: z.number(),
  renderedAt: z.iso.datetime(),
  files: z.object({ [framesFile]: z.object({ sha256: z.string(), bytes: z.int() }) }),
});
type Metadata = z.infer<typeof metadata>;

/** A rendering as files: the metadata as they are written and as they are meant, and the frames as a PNG. */
export interface RenderingFiles {
  readonly metadata: Metadata;
  readonly text: Buffer;
  readonly frames: Buffer;
}

/** Why a rendering cannot be used, as words that follow its name and a colon. */
export interface Damage {
  readonly problem: string;
}

export class DiskStore implements Store {
  readonly #folder: string;
  readonly #files: Files;
  #prepared: Promise<void> | undefined;

  /** @param folder The store's own folder; made at the first write. */
  constructor(folder: string, files: Files = disk) {
    this.#folder = folder;
    this.#files = files;
  }

  /**
   * Makes sure that the store can be written, and sweeps what killed writers left. Every `write` does it once by
   * itself; calling it before the work starts tells early.
   * @throws PhospheneError if the folder cannot be written.
   */
  prepare(): Promise<void> {
    this.#prepared ??= this.#prepare().catch((error: unknown) => {
      this.#prepared = undefined;
      throw error;
    });
    return this.#prepared;
  }

  async #prepare(): Promise<void> {
    const probe = join(this.#folder, temporaryName());
    try {
      await this.#files.makeFolder(this.#folder);
      await this.#files.write(probe, new Uint8Array([0]), false);
    } catch (error) {
      throw refusal(error, this.#folder);
    } finally {
      await this.#files.remove(probe).catch(() => undefined);
    }
    await this.#sweep();
  }

  async #sweep(): Promise<void> {
    const now = Date.now();
    const folders = [this.#folder, ...(await this.#shards()).map((shard) => join(this.#folder, shard))];
    for (const folder of folders) {
      for (const name of await this.#files.names(folder)) {
        if (!name.startsWith(temporaryPrefix)) continue;
        const path = join(folder, name);
        const info = await this.#files.info(path);
        if (info !== undefined && now - info.changedMs > leftoverAgeMs) {
          // Another process may be sweeping too.
          await this.#files.remove(path).catch(() => undefined);
        }
      }
    }
  }

  /** Quick: looks at the files' presence, form and size, not at their checksums. */
  async has(fingerprint: string): Promise<boolean> {
    return this.#looksWhole(fingerprint);
  }

  async hasAll(fingerprints: Iterable<string>): Promise<ReadonlySet<string>> {
    const shards = Map.groupBy(fingerprints, (each) => each.slice(0, 2));
    const found = new Set<string>();
    for (const [shard, wanted] of shards) {
      // What is not even a name in its shard costs no look of its own.
      const names = new Set(await this.#files.names(join(this.#folder, shard)));
      for (const each of wanted) if (names.has(each) && this.#looksWhole(each)) found.add(each);
    }
    return found;
  }

  /**
   * Whether a rendering's metadata begin and end as they should and the frames have the size that they say. What lies
   * between was written as one and renamed: only a damaged disk changes it, which reading finds.
   */
  #looksWhole(fingerprint: string): boolean {
    const place = this.placeOf(fingerprint);
    const found = this.#glance(place);
    if (found === undefined) return false;
    const { bytes, besideBytes } = found;
    const starts = readVersions.map((version) => `{"version":${version},"fingerprint":"${fingerprint}",`);
    return (
      starts.includes(bytes.toString('latin1', 0, starts[0]?.length)) &&
      ending.exec(bytes.toString('latin1', Math.max(0, bytes.length - 200)))?.[1] === String(besideBytes)
    );
  }

  #glance(place: string): ReturnType<Files['glance']> {
    try {
      return this.#files.glance(join(place, metadataFile), join(place, framesFile));
    } catch (error) {
      throw unreadable(error, place);
    }
  }

  async read(fingerprint: string): Promise<Rendering | undefined> {
    const files = await this.filesOf(fingerprint);
    if (files === undefined || 'problem' in files) return undefined;
    const { version: _, files: __, frames, ...rest } = files.metadata;
    const strip = await decodeExact(files.frames, rest.channels);
    const pictures = splitStrip(strip, frames.length);
    return {
      ...rest,
      frames: frames.map((frame, index) => ({
        ...frame,
        pixels: pictures[index]?.pixels ?? new Uint8Array(),
      })),
    };
  }

  /**
   * A rendering as it lies on the disk, all checksums right, or what is wrong with it; undefined where there is none.
   * @throws PhospheneError where its files cannot be read.
   */
  async filesOf(fingerprint: string): Promise<RenderingFiles | Damage | undefined> {
    const place = this.placeOf(fingerprint);
    const [text, frames] = await Promise.all(
      [metadataFile, framesFile].map((name) => this.#bytes(join(place, name))),
    );
    if (text === undefined || frames === undefined) {
      if (text === undefined && frames === undefined && (await this.#files.info(place)) === undefined) {
        return undefined;
      }
      return { problem: `${text === undefined ? metadataFile : framesFile} is missing` };
    }
    return checked(fingerprint, text, frames);
  }

  /**
   * @throws PhospheneError where the disk is full or cannot be written; what was there before stays as it was.
   * @throws Error for a rendering that could not be read back: a number that is not finite, frames of a wrong size.
   */
  async write(rendering: Rendering): Promise<void> {
    const { fingerprint } = rendering;
    if ((await this.read(fingerprint)) !== undefined) return;
    await this.#write(fingerprint, await contentsOf(rendering));
  }

  /**
   * Keeps a rendering that another store gave as files. Returns whether it was new.
   * @throws PhospheneError where the store cannot be written.
   */
  async writeFiles({ metadata: { fingerprint }, text, frames }: RenderingFiles): Promise<boolean> {
    const there = await this.filesOf(fingerprint);
    if (there !== undefined && !('problem' in there)) return false;
    await this.#write(fingerprint, [
      [framesFile, frames],
      [metadataFile, text],
    ]);
    return true;
  }

  async #write(
    fingerprint: string,
    contents: readonly (readonly [name: string, bytes: Uint8Array])[],
  ): Promise<void> {
    const place = this.placeOf(fingerprint);
    await this.prepare();

    const shard = join(this.#folder, fingerprint.slice(0, 2));
    const temporary = join(shard, temporaryName());
    try {
      const isNew = (await this.#files.info(shard)) === undefined;
      await this.#files.makeFolder(temporary);
      if (isNew) await this.#files.flushFolder(this.#folder);
      for (const [name, bytes] of contents) await this.#files.write(join(temporary, name), bytes, true);
      await this.#files.flushFolder(temporary);
      await this.#put(temporary, place, fingerprint);
      await this.#files.flushFolder(shard);
    } catch (error) {
      await this.#files.remove(temporary).catch(() => undefined);
      throw refusal(error, this.#folder);
    }
  }

  /** Moves a finished folder to its place; one that another process put there stays, one that is damaged goes. */
  async #put(temporary: string, place: string, fingerprint: string): Promise<void> {
    try {
      await this.#files.rename(temporary, place);
      return;
    } catch (error) {
      // What rename says, system by system, where the place is taken.
      if (!['ENOTEMPTY', 'EEXIST', 'EPERM', 'ENOTDIR'].includes(codeOf(error) ?? '')) throw error;
      if ((await this.#files.info(place)) === undefined) throw error;
    }
    if ((await this.read(fingerprint)) === undefined) {
      await this.remove(fingerprint);
      await this.#files.rename(temporary, place);
    } else {
      await this.#files.remove(temporary);
    }
  }

  /** @throws PhospheneError where the store cannot be written. */
  async remove(fingerprint: string): Promise<void> {
    const place = this.placeOf(fingerprint);
    if ((await this.#files.info(place)) === undefined) return;
    // Renamed first: half removed it would still have its name.
    const aside = join(place, '..', temporaryName());
    try {
      await this.#files.rename(place, aside);
      await this.#files.remove(aside);
    } catch (error) {
      throw refusal(error, this.#folder);
    }
  }

  /** What has a fingerprint's name, damaged or not. */
  async *list(): AsyncGenerator<string> {
    for (const shard of await this.#shards()) {
      const names = await this.#files.names(join(this.#folder, shard));
      yield* names.filter((name) => fingerprintPattern.test(name) && name.startsWith(shard)).sort();
    }
  }

  async *records(): AsyncGenerator<RenderingRecord> {
    for await (const fingerprint of this.list()) {
      const found = this.#metadata(fingerprint);
      if (found === undefined) continue;
      const { version: _, files: __, ...record } = found;
      yield record;
    }
  }

  async #shards(): Promise<string[]> {
    return (await this.#files.names(this.#folder)).filter((name) => /^[0-9a-f]{2}$/.test(name)).sort();
  }

  /** What a rendering takes on the disk, in bytes; 0 where there is none. */
  async bytesOf(fingerprint: string): Promise<number> {
    const infos = await Promise.all(
      [metadataFile, framesFile].map((name) => this.#files.info(join(this.placeOf(fingerprint), name))),
    );
    return infos.reduce((sum, info) => sum + (info?.bytes ?? 0), 0);
  }

  /** The folder of a rendering, there or not. */
  placeOf(fingerprint: string): string {
    if (!fingerprintPattern.test(fingerprint)) {
      throw new TypeError(`Expected a fingerprint of 64 hex digits, got '${fingerprint}'`);
    }
    return join(this.#folder, fingerprint.slice(0, 2), fingerprint);
  }

  #metadata(fingerprint: string): Metadata | undefined {
    const found = this.#glance(this.placeOf(fingerprint));
    const known = found && parsedMetadata(fingerprint, found.bytes);
    if (found === undefined || known === undefined || 'problem' in known) return undefined;
    return found.besideBytes === known.files[framesFile].bytes ? known : undefined;
  }

  async #bytes(path: string): Promise<Buffer | undefined> {
    try {
      return await this.#files.read(path);
    } catch (error) {
      if (absent.includes(codeOf(error) ?? '')) return undefined;
      throw unreadable(error, path);
    }
  }
}

/** What the two files of a rendering hold, if all that can be checked of them is right. */
export async function checked(
  fingerprint: string,
  text: Buffer,
  frames: Buffer,
): Promise<RenderingFiles | Damage> {
  const known = parsedMetadata(fingerprint, text);
  if ('problem' in known) return known;
  const { sha256: expected, bytes } = known.files[framesFile];
  if (frames.length !== bytes)
    return { problem: `${framesFile} has ${frames.length} bytes in place of ${bytes}` };
  if (sha256(frames) !== expected) return { problem: `${framesFile} does not have its checksum` };
  // Both numbers stand at fixed places of every PNG: width and height of what is in it.
  const isSized =
    frames.length >= 24 &&
    frames.readUInt32BE(16) === known.widthPx * known.frames.length &&
    frames.readUInt32BE(20) === known.heightPx;
  if (!isSized) return { problem: `${framesFile} is not as large as ${metadataFile} says` };
  if (known.madeFrom !== undefined && (await fingerprintOfParts(known.madeFrom)) !== fingerprint) {
    return { problem: `${metadataFile} says that it was made from something else` };
  }
  return { metadata: known, text, frames };
}

function parsedMetadata(fingerprint: string, bytes: Buffer): Metadata | Damage {
  const text = bytes.toString('utf8');
  const parsed = metadata.safeParse(jsonOrUndefined(text));
  if (!parsed.success) return { problem: `${metadataFile} is damaged or of an unknown version` };
  if (parsed.data.fingerprint !== fingerprint) return { problem: `${metadataFile} is of another rendering` };
  const sum = checksum.exec(text);
  const isRight =
    sum === null ? parsed.data.version === 2 : sum[1] === sha256(`${text.slice(0, sum.index)}}`);
  return isRight ? parsed.data : { problem: `${metadataFile} does not have its checksum` };
}

const unreadable = (cause: unknown, path: string): PhospheneError =>
  new PhospheneError(
    `Expected files that can be read at ${path}, found that they cannot (${codeOf(cause) ?? String(cause)}): change their permissions`,
    { cause },
  );

/** What goes into the folder of a rendering, by file name; the metadata last. */
async function contentsOf(rendering: Rendering): Promise<[name: string, bytes: Uint8Array][]> {
  const { widthPx, heightPx, channels, frames, ...rest } = rendering;
  const strip = joinStrip(frames.map(({ pixels }) => ({ pixels, widthPx, heightPx, channels })));
  const picture = await encodeExact(strip);
  const described = metadata.safeParse({
    version: formatVersion,
    ...rest,
    widthPx,
    heightPx,
    channels,
    frames: frames.map(({ step, objective }) => ({ step, objective })),
    files: { [framesFile]: { sha256: sha256(picture), bytes: picture.length } },
  });
  if (!described.success) {
    throw new Error(
      `Expected a rendering of layer '${rendering.layer}', unit ${rendering.unit}, that can be read back: ${z.prettifyError(described.error)}`,
      { cause: described.error },
    );
  }
  const body = JSON.stringify(described.data);
  return [
    [framesFile, picture],
    [metadataFile, Buffer.from(`${body.slice(0, -1)},"sha256":"${sha256(body)}"}\n`)],
  ];
}

function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
