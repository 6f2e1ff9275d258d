/**
 * The two folders of the gallery: what is known, below content/gallery, and pictures, below public/gallery. A run says of
 * every file that something refers to it; the others go in the end. Paths are relative to their folder.
 */

import { join } from 'node:path';
import type { z } from 'zod';
import {
  type GalleryChanges,
  type GalleryIndex,
  type GalleryLayer,
  galleryIndex,
} from '../../content/schema.ts';
import { type Files, jsonOrUndefined, writeChanged } from '../files.ts';
import {
  type Encoded,
  type indexManifest,
  type Manifest,
  manifestOf,
  readManifest,
  sha256,
  writeManifest,
} from './manifest.ts';
import { pictureFiles } from './record.ts';
import { removeOthers } from './sweep.ts';

export const indexFile = 'index.json';
/** Pictures of units that are gone, and of pages of changes, are in no layer's manifest: these are theirs. */
export const goneFile = 'gone.json';
export const changesFile = 'changes.json';

/** A file's name below content/gallery that tells its content. */
export const namedBy = (path: string, sum: string): string => `${path}.${sum.slice(0, 12)}.json`;

export class GalleryFiles {
  readonly files: Files;
  readonly contentDir: string;
  readonly #content: string;
  readonly #public: string;
  readonly #contentKept = new Set<string>();
  readonly #publicKept = new Set<string>();
  written = 0;

  constructor(files: Files, contentDir: string, publicDir: string) {
    this.files = files;
    this.contentDir = contentDir;
    this.#content = join(contentDir, 'gallery');
    this.#public = join(publicDir, 'gallery');
  }

  /** Says that something refers to these files below content/gallery. */
  keep(...paths: readonly string[]): void {
    for (const path of paths) this.#contentKept.add(path);
  }

  /** The same of pictures. */
  keepPictures(...paths: readonly string[]): void {
    for (const path of paths) this.#publicKept.add(path);
  }

  /** A file below content/gallery as it lies there; undefined where it cannot be read. */
  async bytes(path: string): Promise<Buffer | undefined> {
    return this.files.read(join(this.#content, path)).catch(() => undefined);
  }

  /** The same as what it holds; undefined where that has not today's form. */
  async read<T>(schema: z.ZodType<T>, path: string): Promise<T | undefined> {
    const bytes = await this.bytes(path);
    return schema.safeParse(jsonOrUndefined(bytes?.toString('utf8') ?? '')).data;
  }

  index(): Promise<GalleryIndex | undefined> {
    return this.read(galleryIndex, indexFile);
  }

  /** Of a layer's file, or of pictures that belong to no layer. */
  manifest(file: string): Promise<Manifest> {
    return readManifest(this.files, join(this.#content, manifestOf(file)));
  }

  /** Returns whether it had to be written. */
  writeManifest(file: string, manifest: Manifest): Promise<boolean> {
    return writeManifest(this.files, join(this.#content, manifestOf(file)), manifest);
  }

  /** Writes a file below content/gallery under a name that tells its content. */
  async writeNamed(
    path: string,
    content: GalleryLayer | GalleryChanges,
  ): Promise<{ readonly name: string; readonly sha256: string }> {
    const bytes = Buffer.from(`${JSON.stringify(content)}\n`);
    const sum = sha256(bytes);
    const name = namedBy(path, sum);
    this.keep(name);
    await this.#write(join(this.#content, name), bytes);
    return { name, sha256: sum };
  }

  /** Switches from the last gallery to this one. */
  async writeIndex(index: GalleryIndex): Promise<void> {
    const bytes = Buffer.from(`${JSON.stringify(index)}\n`);
    await this.#write(join(this.#content, indexFile), bytes);
    const sum = { sha256: sha256(bytes) } satisfies z.infer<typeof indexManifest>;
    const manifest = Buffer.from(`${JSON.stringify(sum)}\n`);
    await this.#write(join(this.#content, manifestOf(indexFile)), manifest);
    this.keep(indexFile, manifestOf(indexFile));
  }

  picture(path: string): Promise<Buffer> {
    return this.files.read(join(this.#public, path));
  }

  writePicture(path: string, bytes: Uint8Array): Promise<void> {
    return this.#write(join(this.#public, path), bytes);
  }

  /** Bytes of a picture; undefined where it is not there. */
  pictureSize(path: string): number | undefined {
    return this.files.size(join(this.#public, path));
  }

  /** Whether both pictures of a unit lie where they belong, in the size that they were written in. */
  hasPictures({ fingerprint, imageBytes, stripBytes }: Encoded): boolean {
    const { image, strip } = pictureFiles(fingerprint);
    return this.pictureSize(image) === imageBytes && this.pictureSize(strip) === stripBytes;
  }

  async #write(path: string, bytes: Uint8Array): Promise<void> {
    if (await writeChanged(this.files, path, bytes)) this.written++;
  }

  /** Removes what nothing refers to; returns how many files that were. */
  async sweep(): Promise<number> {
    const ofContent = await removeOthers(this.files, this.#content, this.#contentKept);
    return ofContent + (await removeOthers(this.files, this.#public, this.#publicKept));
  }
}
