/**
 * A release: what a model's gallery showed one day, frozen under an address of its own, `<model>@<release>`. In git lies
 * what it was, content/releases/<model>@<release>.json, with the fingerprint of every unit; in the store lie the
 * renderings, which `gc` keeps and `export` carries.
 */

import { join } from 'node:path';
import { type Release, release } from '../../content/schema.ts';
import { PhospheneError } from '../error.ts';
import { type Files, writeWhole } from '../files.ts';
import { parseJson, parseStrict } from '../strict.ts';
import type { PublishModel } from './wanted.ts';

/** What a release may be called: it becomes a part of addresses. */
export const releaseName = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;

const folderOf = (contentDir: string): string => join(contentDir, 'releases');

export const releasePath = (contentDir: string, { model, name }: Pick<Release, 'model' | 'name'>): string =>
  join(folderOf(contentDir), `${model}@${name}.json`);

/** All releases, the oldest first. @throws PhospheneError (exit code 2) for a file that is wrong. */
export async function readReleases(files: Files, contentDir: string): Promise<Release[]> {
  const names = (await files.names(folderOf(contentDir))).filter((name) => name.endsWith('.json'));
  const read = names.map(async (name) => {
    const path = join(folderOf(contentDir), name);
    const found = parseStrict(release, parseJson((await files.read(path)).toString('utf8'), path), path);
    if (`${found.model}@${found.name}.json` !== name) {
      throw new PhospheneError(
        `${path}: expected the file of '${found.model}@${found.name}' to be called so, found ${name}; rename it back`,
        { exitCode: 2 },
      );
    }
    return found;
  });
  return (await Promise.all(read)).sort(
    (a, b) => a.releasedAt.localeCompare(b.releasedAt) || a.name.localeCompare(b.name),
  );
}

/**
 * Freezes what is there of a model.
 * @param there Fingerprints that the store has.
 */
export function freeze(
  model: PublishModel,
  name: string,
  releasedAt: string,
  there: ReadonlySet<string>,
): Release {
  const { slug, content, sha256, format, parameters, input } = model;
  const { title, summary, source, licence, classes } = content;
  return {
    version: 1,
    model: slug,
    name,
    releasedAt,
    title,
    ...(summary === undefined ? {} : { summary }),
    ...(source === undefined ? {} : { source }),
    ...(licence === undefined ? {} : { licence }),
    sha256,
    format,
    parameters,
    input: { ...input, scaling: content.input.scaling },
    ...(classes === undefined ? {} : { classes }),
    layers: model.layers.flatMap(({ wanted, output, inputs, ...layer }) => {
      const units = wanted.filter(({ fingerprint }) => there.has(fingerprint));
      const shown = units.map(({ unit, fingerprint }) => [String(unit), fingerprint]);
      const known = {
        ...layer,
        output: [...output],
        ...(inputs === undefined ? {} : { inputs: [...inputs] }),
      };
      return units.length === 0 ? [] : [{ ...known, shown: Object.fromEntries(shown) }];
    }),
  };
}

/** A release as `publish` takes it. */
export function releasedModel(frozen: Release): PublishModel {
  const { model, name, releasedAt, title, summary, source, licence, classes, input } = frozen;
  const { scaling, ...form } = input;
  const about = { summary, source, licence, classes };
  const given = Object.entries(about).filter(([, value]) => value !== undefined);
  return {
    slug: `${model}@${name}`,
    release: { of: model, name, releasedAt },
    content: {
      title: `${title}, release ${name}`,
      weights: '',
      input: { scaling },
      recipe: 'phosphene',
      recipes: {},
      ...Object.fromEntries(given),
    },
    sha256: frozen.sha256,
    format: frozen.format,
    parameters: frozen.parameters,
    input: form,
    layers: frozen.layers.map(({ shown, inputs, ...layer }) => ({
      ...layer,
      ...(inputs === undefined ? {} : { inputs }),
      wanted: Object.entries(shown).map(([unit, fingerprint]) => {
        const label = layer.kind === 'scores' ? classes?.[Number(unit)] : undefined;
        const known = { unit: Number(unit), fingerprint, weights: fingerprint };
        return label === undefined ? known : { ...known, label };
      }),
    })),
  };
}

/**
 * Writes a release, a line a unit, so that one differs from the next in the lines of the units that changed. Returns
 * false where the same is there already.
 * @throws PhospheneError (exit code 2) where there is another of that name: a release never changes.
 */
export async function writeRelease(files: Files, contentDir: string, frozen: Release): Promise<boolean> {
  const path = releasePath(contentDir, frozen);
  if ((await files.info(path)) !== undefined) {
    const before = (await readReleases(files, contentDir)).find(
      ({ model, name }) => model === frozen.model && name === frozen.name,
    );
    if (before !== undefined && textOf({ ...before, releasedAt: frozen.releasedAt }) === textOf(frozen)) {
      return false;
    }
    throw new PhospheneError(
      `'${frozen.model}@${frozen.name}' was released on ${before?.releasedAt.slice(0, 10)} with something else, and a release stays as it is: choose another name`,
      { exitCode: 2 },
    );
  }
  await writeWhole(files, path, Buffer.from(textOf(frozen)));
  return true;
}

const textOf = (frozen: Release): string => `${JSON.stringify(release.parse(frozen), null, 1)}\n`;

/** Fingerprints that releases show; of some models, where any are named. */
export function releasedFingerprints(releases: readonly Release[], models: readonly string[] = []): string[] {
  return releases
    .filter(({ model }) => models.length === 0 || models.includes(model))
    .flatMap(({ layers }) => layers.flatMap(({ shown }) => Object.values(shown)));
}
