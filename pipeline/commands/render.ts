/** `phosphene render`: renders what the store does not have. */

import { Command } from 'commander';
import { PhospheneError } from '../error.ts';
import type { ModelPlan, PlanOptions } from '../plan.ts';
import type { RenderSummary } from '../render.ts';
import { type Shard, shardOf } from '../shard.ts';
import type { Store } from '../store/store.ts';
import { counted, duration, oneLine } from '../words.ts';
import {
  changesOf,
  type PictureOptions,
  type WorkOptions,
  withPictureOptions,
  withWorkOptions,
  workOf,
} from './options.ts';
import { printJson, type ReportOptions, type Terminal, withReporting } from './terminal.ts';
import { shard } from './values.ts';

interface Options extends PictureOptions, WorkOptions, ReportOptions {
  readonly recipe?: string;
  readonly shard?: Shard;
  readonly write?: boolean;
  readonly dryRun?: boolean;
}

export function renderCommand(terminal: Terminal): Command {
  const command = new Command('render')
    .summary('render what the store does not have')
    .description(
      'Render the pictures that the store does not have.\nStopped by Ctrl-C it keeps what is finished; the same command goes on from there.',
    )
    .argument(
      '[model...]',
      'models to render: names of files in content/models, or model files; by default all whose weights come with them',
    )
    .option('--recipe <name|file>', "a recipe's name or JSON file, in place of what content/models says");
  withWorkOptions(withPictureOptions(command))
    .option(
      '--shard <i/n>',
      "this machine's part of the units, e.g. 2/4; phosphene import joins what all made",
      shard,
    )
    .option('--write', 'write the content file that is assumed for a model file without one')
    .option('--dry-run', 'only say what would be rendered')
    .addHelpText(
      'after',
      `
Examples:
  phosphene render                                    all that the gallery shows
  phosphene render mnist --layers 'conv2d*' --units 0-7
  phosphene render mnist --recipe mnist-filters --dry-run
  phosphene render vgg16 --layers block3_conv3 --units 0-7     downloads the weights first
  phosphene render vgg16 --shard 2/4                  the second of four machines
  phosphene render my/flowers.onnx --write            any model file; see also phosphene inspect`,
    )
    .action((models: string[], options: Options) => render(models, options, terminal));
  return withReporting(command);
}

export async function render(words: readonly string[], options: Options, terminal: Terminal): Promise<void> {
  const { offerToWrite, sortWords } = await import('./model-files.ts');
  const { selectModels, rememberWeights } = await import('./select.ts');
  const { planSelection } = await import('./plans.ts');
  const meant = await sortWords(words, options.content);
  if (options.write === true && meant.files.length === 0) {
    throw new PhospheneError(
      '--write keeps what is assumed of a model file, found none on the command line; e.g. phosphene render my/flowers.onnx --write',
      { exitCode: 2 },
    );
  }
  const selection = await selectModels(meant, options, terminal);
  const planOptions = await planOptionsOf(options);
  const { DiskStore } = await import('../store/disk.ts');
  const store = new DiskStore(options.store);
  if (options.dryRun !== true) await store.prepare();
  const named = meant.slugs.length > 0;
  const fetch = options.dryRun !== true;
  const onHand = { ...options, named, fetch };
  const { FreshModels } = await import('./fresh.ts');
  const unchanged = new FreshModels(store, planOptions);
  const looksFirst = options.dryRun !== true && options.shard === undefined;
  const planned = await planSelection(selection, planOptions, onHand, terminal, (model) =>
    looksFirst ? unchanged.has(model) : Promise.resolve(false),
  );
  const { ready, assumed } = planned;
  const plans = options.shard === undefined ? planned.plans : shardOf(planned.plans, options.shard);
  for (const model of assumed) {
    const ask = options.json !== true && options.dryRun !== true;
    await offerToWrite(model, { write: options.write === true, ask }, terminal);
  }
  if (options.dryRun === true) {
    await reportDryRun(plans, store, options, terminal);
    return;
  }

  for (const plan of planned.plans) await unchanged.note(plan, ready);
  await rememberWeights(ready, options, terminal);
  const { chosenEngine } = await import('../probe/auto.ts');
  const { renderModels } = await import('../render.ts');
  const { DiskClaims } = await import('../store/claims.ts');
  const { disk } = await import('../files.ts');
  const { units, ...rest } = await renderModels(plans, workOf(options), {
    engine: await chosenEngine(options.engine, terminal.emit),
    store,
    claims: new DiskClaims(options.store, disk),
    signal: terminal.signal,
    emit: (event) => terminal.emit(event),
  });
  const [total, fresh] = [units.total + unchanged.units, units.fresh + unchanged.units];
  const summary: RenderSummary = { ...rest, units: { ...units, total, fresh } };
  terminal.settle();
  const apart = ['recipe', 'size', 'steps', 'seed'].filter((name) => name in options);
  if (apart.length > 0 && units.rendered > 0 && ready.length > 0) {
    const models = ready.map(({ slug }) => slug);
    terminal.emit({ kind: 'apart', models, options: apart.map((name) => `--${name}`) });
  }
  if (options.json) printJson(terminal, summary);
  else terminal.print(`${sentence(summary, terminal.signal.aborted)}\n`);
  if (terminal.signal.aborted) terminal.exitCode = 130;
  else if (summary.failures.length > 0) terminal.exitCode = 1;
}

async function planOptionsOf({ recipe, ...options }: Options): Promise<PlanOptions> {
  if (recipe === undefined) return changesOf(options);
  const { readRecipe } = await import('./recipes.ts');
  return { ...changesOf(options), ...(await readRecipe(recipe, '--recipe')) };
}

async function reportDryRun(
  plans: readonly ModelPlan[],
  store: Store,
  options: Options,
  terminal: Terminal,
): Promise<void> {
  const { statusOf } = await import('../status.ts');
  const { statusText, totalsOf } = await import('./report-status.ts');
  const models = await statusOf(plans, store);
  if (options.json) printJson(terminal, { dryRun: true, ...totalsOf(models), models });
  else terminal.print(statusText(models));
}

function sentence({ units, seconds, engine, device }: RenderSummary, stopped: boolean): string {
  const { total, fresh, rendered, failed } = units;
  if (rendered + failed === 0 && !stopped) {
    return `Nothing to render: all ${counted(total, 'unit')} are in the store.`;
  }
  const parts = [
    `${counted(rendered, 'unit')} rendered in ${duration(seconds)} on ${engine} (${oneLine(device)})`,
  ];
  if (fresh > 0) parts.push(`${fresh} in the store already`);
  if (failed > 0) parts.push(`${failed} failed`);
  const open = total - fresh - rendered - failed;
  if (stopped) parts.push(`stopped with ${counted(open, 'unit')} to go; the same command goes on from here`);
  return `${parts.join(', ')}.`;
}
