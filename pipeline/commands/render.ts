/** `phosphene render`: renders what the store does not have. */

import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Command } from 'commander';
import type { ModelFile } from '../content.ts';
import type { EngineName } from '../engine/choose.ts';
import { PhospheneError } from '../error.ts';
import type { ModelPlan, PlanOptions } from '../plan.ts';
import type { RenderSummary } from '../render.ts';
import type { Store } from '../store/store.ts';
import type { ModelOnHand } from '../weights/weights.ts';
import { counted, duration, oneLine, table } from '../words.ts';
import { printJson, type ReportOptions, type Terminal, withReporting } from './terminal.ts';
import { engineName, lambdaExpression, names, unitNumbers, wholeNumber } from './values.ts';

interface Options extends ReportOptions {
  readonly layers?: string[];
  readonly units?: number[];
  readonly recipe?: string;
  readonly size?: number;
  readonly steps?: number;
  readonly seed?: number;
  readonly batch?: number;
  readonly engine: EngineName;
  readonly store: string;
  readonly content: string;
  readonly weights?: string;
  readonly lambda?: Record<string, string>;
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
    .option('--layers <names>', 'layers by name or pattern, e.g. conv2d,dense*', names)
    .option('--units <numbers>', 'units from 0, e.g. 0-15,40', unitNumbers)
    .option('--recipe <name|file>', "a recipe's name or JSON file, in place of what content/models says")
    .option('--size <px>', 'side of the pictures, where the network leaves it free', wholeNumber(1, 4096))
    .option('--steps <n>', 'updates of each picture', wholeNumber(0, 100_000))
    .option('--seed <n>', 'where random numbers start', wholeNumber(0, 2 ** 31 - 1))
    .option('--batch <n>', 'pictures worked on at once; changes speed and memory only', wholeNumber(1, 4096))
    .option('--engine <name>', 'what computes: auto or cpu', engineName, 'auto')
    .option('--store <dir>', 'where renderings are kept', '.cache/store')
    .option('--content <dir>', 'the folder that holds models/', 'content')
    .option(
      '--weights <file>',
      'a model file, in place of the one that content/models names; in place of one to download it is remembered',
    )
    .option(
      '--lambda <name=expression>',
      "what a Lambda layer of a model file computes, e.g. 'lambda_1=x / 127.5 - 1'; once for each",
      lambdaExpression,
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
  phosphene render my/flowers.onnx --write            any model file; see also phosphene inspect`,
    )
    .action((models: string[], options: Options) => render(models, options, terminal));
  return withReporting(command);
}

async function render(words: string[], options: Options, terminal: Terminal): Promise<void> {
  const { modelOfFile, readModels, shownPath } = await import('../content.ts');
  const { assumeModel, offerToWrite, sortWords, tellAssumed } = await import('./model-files.ts');
  const { slugs, files } = await sortWords(words, options.content);
  if (options.weights !== undefined && files.length > 0) {
    throw new PhospheneError(
      `--weights is for a model of ${shownPath(options.content)}/models, found the model file ${oneLine(files[0] ?? '')} itself: leave one of the two out`,
      { exitCode: 2 },
    );
  }
  if (options.write === true && files.length === 0) {
    throw new PhospheneError(
      '--write keeps what is assumed of a model file, found none on the command line; e.g. phosphene render my/flowers.onnx --write',
      { exitCode: 2 },
    );
  }
  const models = slugs.length > 0 || files.length === 0 ? await readModels(options.content, slugs) : [];
  const undescribed: string[] = [];
  for (const file of files) {
    const model = await modelOfFile(options.content, file);
    if (model === undefined) undescribed.push(file);
    else {
      terminal.emit({ kind: 'described', model: model.slug, file, by: shownPath(model.file) });
      if (!models.some(({ slug }) => slug === model.slug)) models.push(model);
    }
  }
  if (options.lambda !== undefined && undescribed.length === 0) {
    throw new PhospheneError(
      "--lambda is for a model file without a content file, found none on the command line: write the expression into 'lambdas' of the content file",
      { exitCode: 2 },
    );
  }
  const planOptions = await planOptionsOf(options, models);
  const { DiskStore } = await import('../store/disk.ts');
  const store = new DiskStore(options.store);
  if (options.dryRun !== true) await store.prepare();
  const ready = await onHand(models, words, options, terminal);

  const { planModel } = await import('../plan.ts');
  const plans: ModelPlan[] = [];
  for (const model of ready) {
    terminal.signal.throwIfAborted();
    plans.push(await planModel(model, planOptions));
  }
  for (const file of undescribed) {
    terminal.signal.throwIfAborted();
    const assumed = await assumeModel(file, options.content, options.lambda);
    tellAssumed(assumed, options.json === true, terminal);
    plans.push(await planModel(assumed.model, planOptions, assumed.opened));
    const ask = options.json !== true && options.dryRun !== true;
    await offerToWrite(assumed, { write: options.write === true, ask }, terminal);
  }
  if (options.dryRun === true) {
    await reportDryRun(plans, store, options, terminal);
    return;
  }

  await remember(ready, options, terminal);
  const { openEngine } = await import('../engine/choose.ts');
  const { renderModels } = await import('../render.ts');
  const { batch } = options;
  const summary = await renderModels(plans, batch === undefined ? {} : { batch }, {
    engine: await openEngine(options.engine),
    store,
    signal: terminal.signal,
    emit: (event) => terminal.emit(event),
  });
  terminal.settle();
  if (options.json) printJson(terminal, summary);
  else terminal.print(`${sentence(summary, terminal.signal.aborted)}\n`);
  if (terminal.signal.aborted) terminal.exitCode = 130;
  else if (summary.failures.length > 0) terminal.exitCode = 1;
}

/** The models with their files. Only those that are named are fetched: a gallery is rendered without a network. */
async function onHand(
  models: readonly ModelFile[],
  slugs: readonly string[],
  { weights, layers, dryRun }: Options,
  terminal: Terminal,
): Promise<ModelOnHand[]> {
  if (weights !== undefined) return models.map((model) => ({ ...model, weightsFile: weights }));

  const { fetchWeights, findWeights, whatIsMissing } = await import('../weights/weights.ts');
  const { weightsOnThisMachine } = await import('../weights/machine.ts');
  const effects = weightsOnThisMachine(terminal.signal, (event) => terminal.emit(event));
  const found: ModelOnHand[] = [];
  const unnamed: string[] = [];
  for (const model of models) {
    if (typeof model.weights !== 'string' && slugs.length === 0) {
      unnamed.push(model.slug);
    } else if (dryRun === true) {
      const one = await findWeights(model, { layers }, effects);
      if (one !== undefined) found.push(one);
      else {
        const reason = whatIsMissing(model, { layers }, effects.folder);
        terminal.emit({ kind: 'left-out', models: [model.slug], reason });
      }
    } else {
      found.push(await fetchWeights(model, { layers }, effects));
    }
  }
  if (unnamed.length > 0) {
    if (unnamed.length === models.length) {
      throw new PhospheneError(
        `Expected the name of a model, found none: the weights of ${unnamed.join(', ')} do not lie beside their content files, and nothing is fetched unasked; e.g. phosphene render ${unnamed[0]}`,
        { exitCode: 2 },
      );
    }
    const reason = 'their weights do not come with the project; phosphene render NAME renders one';
    terminal.emit({ kind: 'left-out', models: unnamed, reason });
  }
  return found;
}

/** What is published of a model whose weights do not come with it has to be rendered from the same file. */
async function remember(
  models: readonly ModelOnHand[],
  { weights }: Options,
  terminal: Terminal,
): Promise<void> {
  if (weights === undefined) return;
  const { rememberGiven } = await import('../weights/given.ts');
  const { weightsOnThisMachine } = await import('../weights/machine.ts');
  const { folder, files } = weightsOnThisMachine(terminal.signal, (event) => terminal.emit(event));
  for (const { slug, weights: named } of models) {
    if (typeof named === 'string') continue;
    if (await rememberGiven(slug, weights, folder, files)) {
      terminal.emit({ kind: 'remembered', model: slug, file: weights });
    }
  }
}

async function planOptionsOf(options: Options, models: readonly ModelFile[]): Promise<PlanOptions> {
  const { layers, units, steps, size, seed, weights, recipe } = options;
  if (weights !== undefined && models.length > 1) {
    throw new PhospheneError(
      `--weights is the file of one model, found ${models.length} models: name the one that it is for, e.g. phosphene render ${models[0]?.slug} --weights ${oneLine(weights)}`,
      { exitCode: 2 },
    );
  }
  return {
    ...(layers === undefined ? {} : { layers }),
    ...(units === undefined ? {} : { units }),
    ...(steps === undefined ? {} : { steps }),
    ...(size === undefined ? {} : { sizePx: size }),
    ...(seed === undefined ? {} : { seed }),
    ...(recipe === undefined ? {} : { recipe: await recipeOf(recipe), recipeFolder: dirname(recipe) }),
  };
}

/** A name that a recipe has, or the recipe that a file holds. */
async function recipeOf(nameOrFile: string): Promise<string | Readonly<Record<string, unknown>>> {
  const { checkRecipe, presetNames } = await import('../recipe/resolve.ts');
  if (presetNames.includes(nameOrFile) || !/[./\\]/.test(nameOrFile)) return nameOrFile;
  const text = await readFile(nameOrFile, 'utf8').catch((cause: unknown) => {
    throw new PhospheneError(
      `--recipe: expected a recipe's name (${presetNames.join(', ')}) or a JSON file, found no file ${nameOrFile} that can be read`,
      { exitCode: 2, cause },
    );
  });
  const { parseJson } = await import('../strict.ts');
  const json = parseJson(text, nameOrFile);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new PhospheneError(
      `${nameOrFile}: expected a recipe, a JSON object, found ${text.trim().slice(0, 40)}`,
      {
        exitCode: 2,
      },
    );
  }
  const reference: Readonly<Record<string, unknown>> = { ...json };
  checkRecipe(reference, nameOrFile);
  return reference;
}

async function reportDryRun(
  plans: readonly ModelPlan[],
  store: Store,
  options: Options,
  terminal: Terminal,
): Promise<void> {
  const layers: { model: string; layer: string; units: number; missing: number }[] = [];
  for (const plan of plans) {
    for (const { layer, units } of plan.layers) {
      let missing = 0;
      for (const { fingerprint } of units) if (!(await store.has(fingerprint))) missing++;
      layers.push({ model: plan.slug, layer: layer.name, units: units.length, missing });
    }
  }
  const total = layers.reduce((sum, { units }) => sum + units, 0);
  const missing = layers.reduce((sum, each) => sum + each.missing, 0);
  if (options.json) {
    printJson(terminal, { dryRun: true, units: { total, fresh: total - missing, missing }, layers });
    return;
  }
  const rows = layers.map(({ model, layer, units, missing: own }) => [model, layer, units, own]);
  terminal.print(`${table([['model', 'layer', 'units', 'to render'], ...rows])}\n`);
  terminal.print(`${counted(missing, 'unit')} of ${total} would be rendered.\n`);
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
