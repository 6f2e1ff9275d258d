/** `phosphene search`: random search over fields of a recipe, ranked by what was measured on the pictures. */

import { Command, InvalidArgumentError } from 'commander';
import { PhospheneError } from '../error.ts';
import type { Layer } from '../network/network.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { FoundRecipe } from '../search/found.ts';
import type { Limits } from '../search/rank.ts';
import type { Ending, Search, Trial } from '../search/search.ts';
import type { Field, Point } from '../search/space.ts';
import type { TrialTable } from '../sheet/sheet.ts';
import { counted, table } from '../words.ts';
import {
  changesOf,
  type PictureOptions,
  type WorkOptions,
  withPictureOptions,
  withWorkOptions,
  workOf,
} from './options.ts';
import { printJson, type ReportOptions, type Terminal, withReporting } from './terminal.ts';
import { wholeNumber } from './values.ts';

interface Options extends PictureOptions, WorkOptions, ReportOptions {
  readonly recipe: string;
  readonly vary?: string[];
  readonly trials?: number;
  readonly minutes?: number;
  readonly best: number;
  readonly maxHarsh: number;
  readonly minKept: number;
  readonly out: string;
}

/** Where nobody names units. */
const firstUnits = [0, 1, 2, 3];
/** Where nobody sets a budget. */
const fewTrials = 20;

export function searchCommand(terminal: Terminal): Command {
  const command = new Command('search')
    .summary('look for a better recipe by varying fields of one')
    .description(
      'Vary fields of a recipe at random, render the same units by each, and rank them: by how strongly the units answer at equal\ncontrast, against the recipe as it is; those that are too harsh, or that small shifts undo, come last. The best are shown\nbeside the recipe on a contact sheet. Stopped by Ctrl-C it reports what is done; the same command goes on from there.',
    )
    .argument('<model>', 'the name of a file in content/models, or a model file')
    .option('--recipe <name|file>', 'the recipe to vary, its name or JSON file', 'phosphene')
    .option(
      '--vary <field=values>',
      'a field and its values: rate.value=0.02..0.2 between two numbers, optimiser.beta1=0.8,0.9 one of several; once for each field',
      (text: string, before: string[] = []) => [...before, text],
    )
    .option(
      '--trials <n>',
      `recipes to try beside it; ${fewTrials} where --minutes is not given`,
      wholeNumber(1, 100_000),
    )
    .option(
      '--minutes <n>',
      'begin no trial that would end later, counted from the first rendering',
      positive,
    )
    .option('--best <n>', 'how many are shown on the sheet', wholeNumber(1, 100), 6)
    .option('--max-harsh <share>', 'limit of the share of values near black or white', share, 0.05)
    .option('--min-kept <share>', 'limit of the share of activation kept under shifts', share, 0.93);
  withWorkOptions(withPictureOptions(command), '.cache/search')
    .option('--out <file>', 'the contact sheet', 'search.html')
    .addHelpText(
      'after',
      `
Fields are named as in a recipe's JSON, places in lists from 0: transforms.0.pixels. Numbers are drawn evenly, of ends that
are ten times apart or more evenly in their logarithm; whole ones where the field wants them. Units 0 to 3 are rendered where
--units names no others. What is tried is kept in .cache/search, apart from the gallery's: remove it when the search is over.

Example:
  phosphene search vgg16 --layers block3_conv3 --vary rate.value=0.02..0.2 --vary transforms.0.pixels=2..6 --minutes 30`,
    )
    .action((model: string, options: Options) => searchRecipes(model, options, terminal));
  return withReporting(command);
}

function positive(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Expected a number above 0.');
}

function share(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('Expected a share from 0 to 1.');
}

async function searchRecipes(word: string, options: Options, terminal: Terminal): Promise<void> {
  const startedAt = performance.now();
  const { openSelected } = await import('./select.ts');
  const { readRecipe } = await import('./recipes.ts');
  const { madeBy, writeSheet } = await import('./sheet-file.ts');
  const { chosenEngine } = await import('../probe/auto.ts');
  const { DEFAULT_SEED, planModel } = await import('../plan.ts');
  const { resolveRecipe } = await import('../recipe/resolve.ts');
  const { foundRecipes } = await import('../search/found.ts');
  const { ranked } = await import('../search/rank.ts');
  const { search } = await import('../search/search.ts');
  const { points, readSpace, withPoint } = await import('../search/space.ts');
  const { renderColumn } = await import('../sheet/column.ts');
  const { comparedUnits } = await import('../sheet/compare.ts');
  const { sheetLayers } = await import('../sheet/layers.ts');
  const { DiskStore } = await import('../store/disk.ts');

  if (options.vary === undefined) {
    throw new PhospheneError(
      'Expected a field to vary, found none; e.g. phosphene search mnist --vary rate.value=0.02..0.2',
      { exitCode: 2 },
    );
  }
  const { recipe: reference, recipeFolder } = await readRecipe(options.recipe, '--recipe');
  const store = new DiskStore(options.store);
  await store.prepare();
  const { model, opened } = await openSelected(word, options, terminal);
  const { steps, ...changes } = changesOf({ ...options, units: options.units ?? firstUnits });
  const rows = comparedUnits(model, opened, changes, 1 + options.best);
  const baseOf = (layer: Layer): Recipe => {
    const recipe = resolveRecipe(reference, '--recipe', layer);
    return steps === undefined ? recipe : { ...recipe, steps };
  };
  const bases = rows.map(({ layer }) => baseOf(layer));
  const fields = readSpace(options.vary, bases);
  const seed = options.seed ?? DEFAULT_SEED;
  const limits = { maxHarsh: options.maxHarsh, minKept: options.minKept };

  const engine = await chosenEngine(options.engine, terminal.emit);
  const effects = { engine, store, signal: terminal.signal, emit: terminal.emit };
  const render = async (point: Point) => {
    const recipe = (layer: Layer): Recipe => withPoint(baseOf(layer), point);
    const plan = await planModel(model, { ...changes, recipe, recipeFolder }, opened);
    return renderColumn(plan, workOf(options), effects);
  };
  const result = await search(rows, points(fields, bases, seed), limits, budgetOf(options), {
    render,
    ...{ signal: terminal.signal, emit: terminal.emit, now: () => performance.now() },
  });

  const trials = ranked(result.trials);
  const shown = [result.trials.find(({ trial }) => trial === 0), ...trials.filter(({ trial }) => trial > 0)]
    .filter((trial) => trial !== undefined)
    .slice(0, 1 + options.best);
  await writeSheet(options.out, {
    kicker: 'Recipes found by chance',
    title: model.content.title,
    lead: `${options.recipe} and the best ${shown.length - 1} of ${counted(result.trials.length - 1, 'recipe')} drawn from it, on ${rows.map(({ layer, units }) => `${counted(units.length, 'unit')} of ${layer.name}`).join(', ')} (seed ${seed}).`,
    made: madeBy('search', engine, new Date()),
    columns: shown.map((trial) => ({
      name: nameOf(trial, options.recipe),
      ...(trial.trial === 0 ? {} : { note: pointInWords(trial.point) }),
    })),
    layers: await sheetLayers(
      rows,
      shown.map(({ column }) => column),
      () => '',
      store,
    ),
    trials: trialTable(trials, fields, limits),
  });
  terminal.settle();

  const best = trials[0] as Trial;
  const recipes = foundRecipes(
    reference,
    rows.map(({ layer }) => [layer, withPoint(baseOf(layer), best.point)]),
  );
  if (options.json) {
    printJson(terminal, {
      model: model.slug,
      out: options.out,
      seed,
      engine: engine.name,
      device: engine.device,
      seconds: (performance.now() - startedAt) / 1000,
      ended: result.ended,
      limits,
      fields,
      trials: trials.map(({ trial, point, score }, place) => ({ rank: place + 1, trial, ...score, point })),
      best: { trial: best.trial, recipes },
    });
  } else {
    const { head, rows: cells } = trialTable(trials, fields, limits);
    terminal.print(`${table([head, ...cells.map((row) => row.cells)])}\n\n`);
    terminal.print(`${bestInWords(best, recipes, options.recipe)}\n\n`);
    terminal.print(`${sentence(result, options.out)}\n`);
  }
  if (terminal.signal.aborted) terminal.exitCode = 130;
}

function budgetOf({ trials, minutes }: Options): { trials?: number; seconds?: number } {
  if (trials === undefined && minutes === undefined) return { trials: fewTrials };
  return {
    ...(trials === undefined ? {} : { trials }),
    ...(minutes === undefined ? {} : { seconds: minutes * 60 }),
  };
}

const nameOf = ({ trial }: Trial, base: string): string => (trial === 0 ? base : `trial ${trial}`);

const pointInWords = (point: Point): string =>
  Object.entries(point)
    .map(([path, value]) => `${path} ${valueInWords(value)}`)
    .join(', ');

const valueInWords = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function trialTable(
  trials: readonly Trial[],
  fields: readonly Field[],
  { maxHarsh, minKept }: Limits,
): TrialTable {
  return {
    caption: `Best first: the geometric mean of the activation at equal contrast as a multiple of the base's (trial 0). Those with more than ${maxHarsh} black or white, or less than ${minKept} kept when moved, in the layer where it is worst, come after the others.`,
    head: [
      'rank',
      'trial',
      'times base',
      'limits',
      'harsh',
      'kept',
      'fine',
      'seconds',
      ...fields.map(({ path }) => path),
    ],
    rows: trials.map(({ trial, point, score }, place) => ({
      cells: [
        place + 1,
        trial,
        threeDigits(score.score),
        score.keepsLimits ? 'kept' : 'broken',
        ...[score.harshShare, score.keptUnderShifts, score.highFrequencyShare, score.seconds].map(
          threeDigits,
        ),
        ...fields.map(({ path }) => (trial === 0 ? 'as it is' : valueInWords(point[path]))),
      ],
      over: !score.keepsLimits,
    })),
  };
}

const threeDigits = (value: number | null): number | string =>
  value === null ? '–' : Number(value.toPrecision(3));

function bestInWords({ trial, score }: Trial, recipes: readonly FoundRecipe[], base: string): string {
  const which =
    trial === 0 ? `Nothing that was tried is better than ${base} itself` : `The best is trial ${trial}`;
  const caution = score.keepsLimits ? '' : ', though it does not keep the limits';
  const texts = recipes.map(({ layers, recipe }) =>
    [...(recipes.length > 1 ? [`${layers.join(', ')}:`] : []), JSON.stringify(recipe, null, 2)].join('\n'),
  );
  return [`${which}${caution}:`, ...texts].join('\n');
}

const endings: Readonly<Record<Ending, string>> = {
  trials: '',
  time: ' in the time that was given',
  exhausted: ', all that can be drawn',
  interrupted: ' before it was stopped; the same command goes on from there',
};

function sentence({ trials, ended }: Search, out: string): string {
  return `${counted(trials.length - 1, 'recipe')} tried beside the base${endings[ended]}; ${out} shows the best.`;
}
