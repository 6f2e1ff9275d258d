/** `phosphene compare`: several recipes on the same units, as one contact sheet. */

import { Command } from 'commander';
import type { ComparedLayer, ComparedRecipe, Comparison } from '../sheet/compare.ts';
import { counted, duration, table } from '../words.ts';
import {
  changesOf,
  type PictureOptions,
  type WorkOptions,
  withPictureOptions,
  withWorkOptions,
  workOf,
} from './options.ts';
import { printJson, type ReportOptions, type Terminal, withReporting } from './terminal.ts';
import { names } from './values.ts';

interface Options extends PictureOptions, WorkOptions, ReportOptions {
  readonly recipes: string[];
  readonly out: string;
}

/** Where nobody names units. */
const firstUnits = [0, 1, 2, 3, 4, 5, 6, 7];

export function compareCommand(terminal: Terminal): Command {
  const command = new Command('compare')
    .summary('show several recipes on the same units, with their measures')
    .description(
      'Render the same units by several recipes, where the store does not have them, and write one contact sheet:\na page of HTML that holds its pictures, with the measures below each and their means at the top.',
    )
    .argument('<model>', 'the name of a file in content/models, or a model file')
    .option('--recipes <list>', "recipes' names or JSON files, e.g. phosphene,lucid,./mine.json", names, [
      'phosphene',
      'lucid',
    ]);
  withWorkOptions(withPictureOptions(command))
    .option('--out <file>', 'the contact sheet', 'compare.html')
    .addHelpText(
      'after',
      `
Units 0 to 7 are compared where --units names no others.

Examples:
  phosphene compare mnist --layers conv2d_2,dense_3 --recipes phosphene-ink,mnist-filters,lucid
  phosphene compare vgg16 --layers block3_conv3 --recipes phosphene,tence-vgg16,./mine.json --out block3.html`,
    )
    .action((model: string, options: Options) => compare(model, options, terminal));
  return withReporting(command);
}

async function compare(word: string, options: Options, terminal: Terminal): Promise<void> {
  const startedAt = performance.now();
  const { openSelected } = await import('./select.ts');
  const { compareRecipes, comparedLayers, comparisonSheet } = await import('../sheet/compare.ts');
  const { madeBy, writeSheet } = await import('./sheet-file.ts');
  const { chosenEngine } = await import('../probe/auto.ts');
  const { DiskStore } = await import('../store/disk.ts');

  const recipes = await recipesOf(options.recipes);
  const store = new DiskStore(options.store);
  await store.prepare();
  const { model, opened } = await openSelected(word, options, terminal);
  const engine = await chosenEngine(options.engine, terminal.emit);
  const { units = firstUnits } = options;
  const comparison = await compareRecipes(
    {
      ...{ model, opened, recipes, changes: changesOf({ ...options, units }) },
      limits: workOf(options),
    },
    { engine, store, signal: terminal.signal, emit: (event) => terminal.emit(event) },
  );
  const made = madeBy('compare', engine, new Date());
  await writeSheet(options.out, await comparisonSheet(comparison, made, store));
  terminal.settle();

  const totals = totalsOf(comparison);
  const layers = comparedLayers(comparison);
  if (options.json) {
    printJson(terminal, {
      model: model.slug,
      out: options.out,
      seed: comparison.seed,
      engine: engine.name,
      device: engine.device,
      seconds: (performance.now() - startedAt) / 1000,
      pictures: totals,
      recipes: recipes.map(({ name }) => name),
      layers,
    });
  } else {
    terminal.print(`${layers.map(tableOf).join('\n\n')}\n\n`);
    terminal.print(`${sentence(totals, options.out, terminal.signal.aborted)}\n`);
  }
  if (terminal.signal.aborted) terminal.exitCode = 130;
  else if (totals.failed > 0) terminal.exitCode = 1;
}

/** Recipes with the names that people gave them, each once. */
async function recipesOf(given: readonly string[]): Promise<ComparedRecipe[]> {
  const { readRecipe } = await import('./recipes.ts');
  const recipes = [];
  for (const name of new Set(given)) recipes.push({ name, ...(await readRecipe(name, '--recipes')) });
  return recipes;
}

/** What became of the pictures; `open`: those that were not begun. */
interface Totals {
  readonly total: number;
  readonly fresh: number;
  readonly rendered: number;
  readonly failed: number;
  readonly seconds: number;
}

function totalsOf({ columns }: Comparison): Totals {
  const sum = (pick: (column: Comparison['columns'][number]) => number): number =>
    columns.reduce((total, column) => total + pick(column), 0);
  return {
    total: sum(({ summary }) => summary.units.total),
    fresh: sum(({ summary }) => summary.units.fresh),
    rendered: sum(({ summary }) => summary.units.rendered),
    failed: sum(({ summary }) => summary.units.failed),
    seconds: sum(({ summary }) => summary.seconds),
  };
}

function tableOf({ layer, recipes }: ComparedLayer): string {
  const rows = recipes.map((each) => {
    if ('reason' in each) return [each.recipe, 'no row for this layer'];
    const { equalContrastActivation, timesFirst, keptUnderShifts, harshShare, seconds } = each.means;
    return [
      each.recipe,
      ...[equalContrastActivation, timesFirst, keptUnderShifts, harshShare, seconds].map(threeDigits),
    ];
  });
  return table([
    [layer, 'at equal contrast', `times ${recipes[0]?.recipe}`, 'kept', 'harsh', 'seconds'],
    ...rows,
  ]);
}

const threeDigits = (value: number | null): number | string =>
  value === null ? '' : Number(value.toPrecision(3));

function sentence(
  { total, fresh, rendered, failed, seconds }: Totals,
  out: string,
  stopped: boolean,
): string {
  const parts = [`${counted(rendered, 'picture')} rendered in ${duration(seconds)}`];
  if (fresh > 0) parts.push(`${fresh} in the store already`);
  if (failed > 0) parts.push(`${failed} failed`);
  if (stopped) parts.push(`stopped with ${counted(total - fresh - rendered - failed, 'picture')} to go`);
  return `${parts.join(', ')}; ${out} shows them.`;
}
