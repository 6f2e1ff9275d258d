/** `phosphene diff`: what changed between two states of a network, in its weights and in what its units see. */

import { Command } from 'commander';
import type { Diff, LayerDiff, Side } from '../diff/diff.ts';
import { PhospheneError } from '../error.ts';
import { suggestion } from '../nearest.ts';
import { counted, oneLine, table } from '../words.ts';
import { changesOf, type PictureOptions, withPictureOptions } from './options.ts';
import { printJson, type ReportOptions, type Terminal, withReporting } from './terminal.ts';

interface Options extends PictureOptions, ReportOptions {
  readonly store: string;
  readonly page?: string;
}

export function diffCommand(terminal: Terminal): Command {
  const command = new Command('diff')
    .summary('what changed between two states of a network')
    .description(
      'Compare two states of a network, unit by unit: whose weights changed and how far (relative L2), and what the units\nsee (measures, and the distance of the pictures), as far as both are rendered. Renders nothing.',
    )
    .argument('<before>', 'a model of content/models, a model file, or a release such as mnist@v1')
    .argument(
      '<after>',
      'likewise; a file without a content file is taken to be described as the other one is',
    );
  withPictureOptions(command)
    .option('--store <dir>', 'where renderings are kept', '.cache/store')
    .option('--page <name>', 'write content/changes/<name>.json, which publish shows at /changes/<name>/')
    .addHelpText(
      'after',
      `
Examples:
  phosphene render mnist --weights tuned.keras && phosphene diff mnist tuned.keras --page tuned
  phosphene diff mnist@v1 mnist`,
    )
    .action((before: string, after: string, options: Options) => run(before, after, options, terminal));
  return withReporting(command);
}

async function run(before: string, after: string, options: Options, terminal: Terminal): Promise<void> {
  const { changes } = await import('../../content/schema.ts');
  const { diff } = await import('../diff/diff.ts');
  const { disk } = await import('../files.ts');
  const { releaseName } = await import('../publish/releases.ts');
  const { changesPath, checkStates, shownChanges, writeChanges } = await import('../publish/changes.ts');
  const { readLock } = await import('../publish/lock.ts');
  const { DiskStore } = await import('../store/disk.ts');
  const { page } = options;
  if (page !== undefined && !releaseName.test(page)) {
    throw new PhospheneError(
      `Expected --page to be small letters, digits and single '-', '_', '.' between them, found '${oneLine(page)}'`,
      { exitCode: 2 },
    );
  }
  const store = new DiskStore(options.store);
  const { model, sides } = await sidesOf([before, after], options, terminal);
  const found = await diff(...sides, store, terminal.signal);
  if (page !== undefined) {
    const madeAt = new Date().toISOString().slice(0, 10);
    const kept = changes.parse({ version: 1, model, madeAt, ...found });
    const { changes: published } = await readLock(disk, options.content);
    checkStates(page, shownChanges(kept), published.get(page), options.content);
    await writeChanges(disk, options.content, page, kept);
  }
  if (options.json) {
    printJson(terminal, found);
    return;
  }
  terminal.print(`${text(found)}\n`);
  if (page !== undefined) {
    terminal.print(
      `Wrote ${changesPath(options.content, page)}; phosphene publish shows it at /changes/${page}/.\n`,
    );
  }
}

/** The two words as states of one network: what no content file says of one is as the other's content file says. */
async function sidesOf(
  words: readonly [string, string],
  options: Options,
  terminal: Terminal,
): Promise<{ readonly model: string; readonly sides: [Side, Side] }> {
  const { sideOfPlan } = await import('../diff/diff.ts');
  const { modelOfFile } = await import('../content.ts');
  const { planModel } = await import('../plan.ts');
  const { sortWords } = await import('./model-files.ts');
  const { openSelected } = await import('./select.ts');
  const isRelease = (word: string): boolean =>
    /^[^/\\]+@[^/\\]+$/.test(word) && !/\.(keras|h5|onnx)$/.test(word);
  const known: (string | undefined)[] = [];
  for (const word of words) {
    if (isRelease(word)) {
      known.push(undefined);
      continue;
    }
    const { slugs, files } = await sortWords([word], options.content);
    known.push(slugs[0] ?? (await modelOfFile(options.content, files[0] ?? ''))?.slug);
  }
  // A release is of a model whose content file may describe a file beside it.
  const described =
    known.find((slug) => slug !== undefined) ?? words.find(isRelease)?.split('@')[0] ?? words[0];
  const side = async (word: string, slug: string | undefined): Promise<Side> => {
    if (isRelease(word)) return sideOfRelease(word, options);
    const changes = changesOf(options);
    if (slug !== undefined) {
      const { model, opened } = await openSelected(slug, options, terminal);
      return sideOfPlan(word, await planModel(model, changes, opened));
    }
    const { model } = await openSelected(described, options, terminal);
    return sideOfPlan(word, await planModel({ ...model, weightsFile: word }, changes));
  };
  return { model: described, sides: [await side(words[0], known[0]), await side(words[1], known[1])] };
}

async function sideOfRelease(word: string, options: Options): Promise<Side> {
  const { disk } = await import('../files.ts');
  const { matches } = await import('../pattern.ts');
  const { readReleases, releasedModel } = await import('../publish/releases.ts');
  const models = (await readReleases(disk, options.content)).map(releasedModel);
  const model = models.find(({ slug }) => slug === word);
  if (model === undefined) {
    const names = models.map(({ slug }) => slug);
    throw new PhospheneError(
      `There is no release '${oneLine(word)}' in ${options.content}/releases${suggestion(word, names)}`,
      { exitCode: 2 },
    );
  }
  const { layers, units } = options;
  const wanted = model.layers.filter(({ name }) => layers?.some((pattern) => matches(pattern, name)) ?? true);
  return {
    name: word,
    layers: wanted.map((layer) => ({
      slug: layer.slug,
      name: layer.name,
      units: new Map(
        layer.wanted
          .filter(({ unit }) => units?.includes(unit) ?? true)
          .map((unit) => [
            unit.unit,
            { fingerprint: unit.fingerprint, ...(unit.label === undefined ? {} : { label: unit.label }) },
          ]),
      ),
    })),
  };
}

function text({ before, after, layers }: Diff): string {
  const changed = layers.filter((layer) => layer.changed.length > 0);
  const total = layers.reduce((sum, { units }) => sum + units, 0);
  const count = changed.reduce((sum, layer) => sum + layer.changed.length, 0);
  if (count === 0)
    return `All ${counted(total, 'unit')} of ${oneLine(before)} and ${oneLine(after)} are the same.`;
  const rows = layers.map(rowOf);
  const head = [
    'layer',
    'units',
    'changed',
    'own weights',
    'mean L2',
    'largest L2',
    'below',
    'pictures',
    'mean distance',
  ];
  const most = changed
    .flatMap((layer) => layer.changed.map((unit) => ({ layer: layer.name, ...unit })))
    .filter(({ picture }) => picture !== null)
    .sort((a, b) => (b.picture ?? 0) - (a.picture ?? 0))
    .slice(0, 10)
    .map(({ layer, unit, weights, picture, activation: [was, is] }) => [
      layer,
      unit,
      threeDigits(weights),
      threeDigits(picture),
      threeDigits(was),
      threeDigits(is),
    ]);
  const unseen = changed.flatMap((layer) => layer.changed).filter(({ picture }) => picture === null).length;
  const parts = [
    table([head, ...rows]),
    ...(most.length === 0
      ? []
      : [table([['most changed', 'unit', 'L2', 'distance', 'activation before', 'after'], ...most])]),
    `${counted(count, 'unit')} of ${total.toLocaleString('en')} changed from ${oneLine(before)} to ${oneLine(after)}${
      unseen === 0 ? '' : `; of ${unseen} there are no two pictures to compare (phosphene render makes them)`
    }.`,
  ];
  return parts.join('\n\n');
}

function rowOf({ name, units, changed }: LayerDiff): (string | number)[] {
  const own = changed.filter((unit) => unit.own === true);
  const distances = own.flatMap(({ weights }) => weights ?? []);
  const pictures = changed.flatMap(({ picture }) => picture ?? []);
  const mean = (values: readonly number[]): number | null =>
    values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;
  return [
    name,
    units,
    changed.length,
    own.length,
    threeDigits(mean(distances)),
    threeDigits(distances.length === 0 ? null : Math.max(...distances)),
    changed.filter(({ below }) => below === true).length,
    pictures.filter((distance) => distance > 0).length,
    threeDigits(mean(pictures)),
  ];
}

const threeDigits = (value: number | null): number | string =>
  value === null ? '' : Number(value.toPrecision(3));
