/**
 * The gallery held against the store and against what was written: every file's checksum, every record's schema, every
 * picture's rendering, and nothing that nothing refers to.
 */

import { join } from 'node:path';
import { galleryIndex, galleryLayer } from '../../content/schema.ts';
import { type Files, jsonOrUndefined } from '../files.ts';
import type { Store } from '../store/store.ts';
import { changesFile, goneFile, indexFile, namedBy } from './gallery-files.ts';
import { type Encoded, indexManifest, manifestOf, readManifest, sha256 } from './manifest.ts';
import { pictureFiles } from './record.ts';
import { sheetFile } from './wall.ts';

export interface PublishedProblem {
  /** The file's path. */
  readonly file: string;
  readonly problem: string;
  /** Whether publishing makes it again once it is removed. */
  readonly removable: boolean;
}

/**
 * Looks at every file of content/gallery and public/gallery; nothing where no gallery was published.
 * @param onFile Called for each file that is there.
 */
export async function* verifyPublished(
  places: { readonly contentDir: string; readonly publicDir: string },
  store: Store,
  files: Files,
  onFile: () => void,
): AsyncGenerator<PublishedProblem> {
  const contentGallery = join(places.contentDir, 'gallery');
  const publicGallery = join(places.publicDir, 'gallery');
  const known = new Set<string>();
  const read = async (path: string): Promise<Buffer | undefined> => {
    known.add(path);
    const bytes = await files.read(path).catch(() => undefined);
    if (bytes !== undefined) onFile();
    return bytes;
  };
  const wrong = (file: string, problem: string, removable = true): PublishedProblem => ({
    file,
    problem,
    removable,
  });

  const indexPath = join(contentGallery, indexFile);
  const index = await read(indexPath);
  const manifestPath = join(contentGallery, manifestOf(indexFile));
  const sums = indexManifest.safeParse(jsonOrUndefined((await read(manifestPath))?.toString('utf8') ?? ''));
  if (index === undefined && !sums.success && (await files.names(contentGallery)).length === 0) return;
  if (!sums.success) yield wrong(manifestPath, 'is missing or damaged');
  const parsed = galleryIndex.safeParse(jsonOrUndefined(index?.toString('utf8') ?? ''));
  if (!parsed.success) yield wrong(indexPath, 'is missing, damaged or of another version');
  else if (sums.success && index !== undefined && sha256(index) !== sums.data.sha256) {
    yield wrong(indexPath, 'does not have its checksum');
  }

  let allRead = true;
  const shown = parsed.success ? [...parsed.data.models, ...(parsed.data.releases ?? [])] : [];
  const layerFiles = new Map(
    shown.flatMap(({ slug, layers }) =>
      layers.map((layer) => [`${slug}/${layer.slug}.json`, layer.file ?? `${slug}/${layer.slug}.json`]),
    ),
  );
  // Where the index says nothing, the manifests tell what there was.
  for (const model of parsed.success ? [] : await files.names(join(contentGallery, manifestOf('')))) {
    for (const name of await files.names(join(contentGallery, manifestOf(model)))) {
      const file = `${model}/${name}`;
      const { layerSha256 } = await readManifest(files, join(contentGallery, manifestOf(file)));
      if (layerSha256 !== '') layerFiles.set(file, namedBy(file.replace(/\.json$/, ''), layerSha256));
    }
  }
  for (const [file, layerFile] of layerFiles) {
    const path = join(contentGallery, layerFile);
    const bytes = await read(path);
    const own = galleryLayer.safeParse(jsonOrUndefined(bytes?.toString('utf8') ?? ''));
    const manifest = await readManifest(files, join(contentGallery, manifestOf(file)));
    known.add(join(contentGallery, manifestOf(file)));
    if (manifest.layerSha256 === '') {
      yield wrong(join(contentGallery, manifestOf(file)), 'is missing or damaged');
    }
    if (!own.success || bytes === undefined) {
      allRead = false;
      yield wrong(path, 'is missing, damaged or of another version');
    } else if (sha256(bytes) !== manifest.layerSha256) yield wrong(path, 'does not have its checksum');
    const units = own.success
      ? own.data.units.map(({ unit, fingerprint }) => ({ unit, fingerprint }))
      : [...manifest.units].map(([unit, { fingerprint }]) => ({ unit, fingerprint }));
    const there = await store.hasAll(units.map(({ fingerprint }) => fingerprint));
    for (const { unit, fingerprint } of units) {
      const encoded = manifest.units.get(unit);
      const { image, strip } = pictureFiles(fingerprint);
      const pictures = [
        [image, encoded?.imageSha256],
        [strip, encoded?.stripSha256],
      ] as const;
      for (const [picture, expected] of pictures) {
        const found = await read(join(publicGallery, picture));
        if (found === undefined) yield wrong(join(publicGallery, picture), 'is missing', false);
        else if (sha256(found) !== expected || encoded?.fingerprint !== fingerprint) {
          yield wrong(join(publicGallery, picture), 'does not have its checksum');
        }
      }
      if (!there.has(fingerprint)) {
        yield wrong(join(publicGallery, image), 'its rendering is not in the store', false);
      }
    }
    const sheets = own.data?.wall?.files ?? manifest.sheets.map(({ key }) => sheetFile(key));
    for (const [place, sheet] of sheets.entries()) {
      const found = await read(join(publicGallery, sheet));
      if (found === undefined) yield wrong(join(publicGallery, sheet), 'is missing', false);
      else if (sha256(found) !== manifest.sheets[place]?.sha256) {
        yield wrong(join(publicGallery, sheet), 'does not have its checksum');
      }
    }
  }
  for (const { file } of (parsed.success ? parsed.data.changes : undefined) ?? []) {
    const bytes = await read(join(contentGallery, file));
    if (bytes === undefined || !file.endsWith(`.${sha256(bytes).slice(0, 12)}.json`)) {
      yield wrong(join(contentGallery, file), 'is missing or does not have its checksum');
    }
  }
  const alone: Encoded[] = [];
  for (const file of [goneFile, changesFile]) {
    const path = join(contentGallery, manifestOf(file));
    known.add(path);
    const { units } = await readManifest(files, path);
    alone.push(...units.values());
    if (units.size === 0 && (await files.info(path)) !== undefined) yield wrong(path, 'is damaged');
  }
  for (const { fingerprint, imageSha256, stripSha256 } of alone) {
    const { image, strip } = pictureFiles(fingerprint);
    const last = [
      [image, imageSha256],
      [strip, stripSha256],
    ] as const;
    for (const [picture, expected] of last) {
      const found = await read(join(publicGallery, picture));
      if (found === undefined) yield wrong(join(publicGallery, picture), 'is missing', false);
      else if (sha256(found) !== expected) {
        yield wrong(join(publicGallery, picture), 'does not have its checksum');
      }
    }
  }
  // What a damaged file refers to is not known: only where all can be read, the rest is superfluous.
  if (!parsed.success) return;
  for (const root of allRead ? [contentGallery, publicGallery] : [contentGallery]) {
    for await (const path of below(files, root)) {
      if (known.has(path)) continue;
      onFile();
      yield wrong(path, 'nothing refers to it');
    }
  }
}

async function* below(files: Files, folder: string): AsyncGenerator<string> {
  for (const name of (await files.names(folder)).sort()) {
    const path = join(folder, name);
    if ((await files.info(path))?.isFolder === true) yield* below(files, path);
    else yield path;
  }
}
