/** Who may know whom. The way of the data is the way of the imports, and there is no way back. */

import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';

interface Import {
  readonly from: string;
  /** A file of the project, or a package's name. */
  readonly to: string;
  readonly typeOnly: boolean;
}

const sources = ['src', 'pipeline', 'content'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => /\.(ts|mts|astro)$/.test(path))
    .map((path) => join(folder, path)),
);

const statement =
  /(?:^|\n)\s*(?:import|export)\s+(type\s)?[^;'"]*?from\s+'([^']+)'|(?:^|\n)\s*import\s+()'([^']+)'|\bimport\(\s*()'([^']+)'|new URL\(\s*()'(\.[^']+\.ts)'/g;

function importsOf(path: string): Import[] {
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(statement)].map((match) => {
    const target = match[2] ?? match[4] ?? match[6] ?? match[8] ?? '';
    const to = target.startsWith('.') ? normalize(join(dirname(path), target)) : target;
    return { from: path, to, typeOnly: match[1] !== undefined };
  });
}

const imports = sources.flatMap(importsOf);

const below = (path: string, places: readonly string[]): boolean =>
  places.some((place) => path === place || path.startsWith(`${place}/`));

/** Imports out of `from` that lead to one of `to`, as sentences. */
const leading = (from: readonly string[], to: (target: string) => boolean): string[] =>
  imports.filter((one) => below(one.from, from) && to(one.to)).map((one) => `${one.from} imports ${one.to}`);

const pure = [
  'content/schema.ts',
  'pipeline/network',
  'pipeline/diff',
  'pipeline/recipe',
  'pipeline/ascent/step.ts',
  'pipeline/store/fingerprint.ts',
  'pipeline/picture/display.ts',
  'pipeline/search/rank.ts',
  'pipeline/search/space.ts',
  'pipeline/sheet/markup.ts',
  'pipeline/sheet/means.ts',
  'pipeline/sheet/sheet.ts',
  'pipeline/slug.ts',
];

const placed = [
  'assume.ts',
  'content.ts',
  'json-schema.ts',
  'plan.ts',
  'labour.ts',
  'render.ts',
  'shard.ts',
  'status.ts',
  'events.ts',
  'log.ts',
  'cli.ts',
].map((name) => join('pipeline', name));

/** What all parts may use: files straight in pipeline/ that have no place of their own below. */
const leaves = sources.filter((path) => dirname(path) === 'pipeline' && !placed.includes(path));

/** Each may know itself and the rows above it. Engines speak of graphs, and a network is measured by an engine. */
const order: readonly (readonly string[])[] = [
  ['content/schema.ts'],
  leaves,
  ['pipeline/network', 'pipeline/engine'],
  ['pipeline/formats', 'pipeline/recipe', 'pipeline/content.ts'],
  ['pipeline/picture', 'pipeline/store', 'pipeline/weights'],
  ['pipeline/ascent', 'pipeline/plan.ts', 'pipeline/assume.ts', 'pipeline/json-schema.ts'],
  ['pipeline/labour.ts'],
  ['pipeline/probe', 'pipeline/render.ts', 'pipeline/shard.ts', 'pipeline/status.ts', 'pipeline/diff'],
  ['pipeline/bench'],
  ['pipeline/sheet'],
  ['pipeline/search'],
  ['pipeline/events.ts'],
  ['pipeline/publish', 'pipeline/log.ts'],
  ['pipeline/commands'],
  ['pipeline/cli.ts'],
];

describe('imports', () => {
  it('are found', () => {
    expect(importsOf('src/lib/unit-json.ts').map(({ to }) => to)).toEqual([
      'content/schema.ts',
      'src/lib/address.ts',
      'src/lib/cite.ts',
      'src/lib/gallery.ts',
      'src/lib/releases.ts',
    ]);
    expect(importsOf('src/components/Tile.astro').map(({ to }) => to)).toEqual(['src/lib/address.ts']);
  });

  it('of the site never lead to the pipeline', () => {
    expect(leading(['src'], (to) => below(to, ['pipeline']))).toEqual([]);
  });

  it('of the pipeline never lead to the site or to what builds it', () => {
    expect(leading(['pipeline'], (to) => below(to, ['src', 'astro']) || to.startsWith('astro:'))).toEqual([]);
  });

  it('of both lead into content only to its schema, which knows nothing of them', () => {
    expect(
      leading(['src', 'pipeline'], (to) => below(to, ['content']) && to !== 'content/schema.ts'),
    ).toEqual([]);
    expect(leading(['content'], (to) => below(to, ['src', 'pipeline']))).toEqual([]);
  });

  it.each(pure)('of %s are pure: no file, no process, no image library', (place) => {
    expect(
      leading([place], (to) => to.startsWith('node:') || to === 'sharp' || to.startsWith('onnxruntime')),
    ).toEqual([]);
  });

  it('follow the data through the pipeline: no part knows one that comes after it', () => {
    const backwards = order.flatMap((row, place) => {
      const after = order.slice(place + 1).flat();
      return leading(row, (to) => below(to, after));
    });
    expect(backwards).toEqual([]);
    const known = order.flat();
    expect(sources.filter((path) => below(path, ['pipeline']) && !below(path, known))).toEqual([]);
  });

  it('of values go round in no circle', () => {
    const next = new Map<string, string[]>();
    for (const { from, to, typeOnly } of imports) {
      if (!typeOnly) next.set(from, [...(next.get(from) ?? []), to]);
    }
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (path: string, way: readonly string[]): void => {
      if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' → '));
      if (done.has(path) || way.includes(path)) return;
      for (const target of next.get(path) ?? []) visit(target, [...way, path]);
      done.add(path);
    };
    for (const path of sources) visit(path, []);
    expect(circles).toEqual([]);
  });
});
