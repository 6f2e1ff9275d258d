/**
 * How good the default recipe is, on the true VGG16 at 128 px, as two tables: beside what other tools reach, and beside
 * each other recipe at equal time. `node bench/recipes.ts vgg16_notop.h5 [reference] [recipe …]`: `reference` or a
 * recipe's name prints that part alone. Everything is measured on the published 8-bit pictures at equal contrast.
 */

import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Measures, modelContent } from '../content/schema.ts';
import { cpuEngine } from '../pipeline/engine/onnxruntime.ts';
import { openModel, type PlanOptions, planModel } from '../pipeline/plan.ts';
import { randomOf } from '../pipeline/recipe/random.ts';
import { presetNames } from '../pipeline/recipe/resolve.ts';
import { renderModels } from '../pipeline/render.ts';
import { MemoryStore } from '../pipeline/store/memory.ts';
import { table } from '../pipeline/words.ts';

const sizePx = 128;

/**
 * Of filters 0 to 3: the best of tf-keras-vis (200 steps), Lucent (512 steps) and the Keras blog (20 steps), and a
 * prototype of the recipe with its seconds a filter, all in PyTorch or TensorFlow on two cores.
 */
const reference = {
  block1_conv2: { others: [403, 187, 1140, 1050], prototype: [520, 199, 1158, 1053], seconds: 0.4 },
  block2_conv2: { others: [2520, 1390, 1790, 934], prototype: [2597, 642, 2488, 730], seconds: 1.7 },
  block3_conv3: { others: [2550, 7110, 4660, 9130], prototype: [4202, 9702, 5918, 13114], seconds: 3.8 },
  block4_conv3: { others: [2210, 2240, 2250, 1710], prototype: [3865, 4266, 3626, 3226], seconds: 6.3 },
  block5_conv3: { others: [1130, 733, 581, 498], prototype: [1827, 1459, 1229, 1006], seconds: 8.0 },
} as const;
type Layer = keyof typeof reference;
const layers = Object.keys(reference) as Layer[];

/** Recipes that are not for a network like this one, or are no recipe of their own. */
const elsewhere = ['phosphene', 'phosphene-ink', 'wake', 'mnist-digits', 'tence-caffenet'];

const { positionals } = parseArgs({ allowPositionals: true });
const [weights, ...parts] = positionals;
if (weights === undefined) throw new Error('Expected the file of the true VGG16, e.g. vgg16_notop.h5');
const content = {
  ...modelContent.parse({ title: 'VGG16', weights, input: { scaling: 'caffe' } }),
  classes: [],
};
const model = { slug: 'vgg16', file: 'vgg16.json', content, weights, weightsFile: weights };
const opened = await openModel(weights);
const engine = cpuEngine();
const say = (text: string): void => void process.stdout.write(`${text}\n`);

interface Run {
  readonly measures: readonly Measures[];
  /** Of the ascent, a unit. */
  readonly seconds: number;
  /** Of all the work on all cores, a unit: what it takes, however busy the machine is. */
  readonly cpuSeconds: number;
}

/** Renders the units of a layer, in ascending order. */
async function run(layer: Layer, units: readonly number[], options: PlanOptions): Promise<Run> {
  const plan = await planModel(model, { layers: [layer], units, sizePx, ...options }, opened);
  const store = new MemoryStore();
  const before = process.cpuUsage();
  const { failures } = await renderModels(
    [plan],
    {},
    {
      engine,
      store,
      signal: new AbortController().signal,
      emit: () => {},
    },
  );
  const { user, system } = process.cpuUsage(before);
  if (failures[0] !== undefined) throw new Error(failures[0].error);
  const renderings = await Promise.all(
    (plan.layers[0]?.units ?? []).map((unit) => store.read(unit.fingerprint)),
  );
  return {
    measures: renderings.flatMap((rendering) => rendering?.measures ?? []),
    seconds: mean(renderings.map((rendering) => rendering?.seconds ?? 0)),
    cpuSeconds: (user + system) / 1e6 / units.length,
  };
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;
const contrasted = ({ measures }: Run): number[] => measures.map((unit) => unit.equalContrastActivation ?? 0);
const rounded = (values: readonly number[]): string => values.map((value) => value.toPrecision(4)).join(' ');
const atLeast = (values: readonly number[], others: readonly number[]): number =>
  values.filter((value, index) => value >= (others[index] as number)).length;

async function besideReference(): Promise<void> {
  const rows: (string | number)[][] = [];
  let [prototype, others] = [0, 0];
  const gains: number[] = [];
  for (const layer of layers) {
    const own = await run(layer, [0, 1, 2, 3], {});
    const known = reference[layer];
    const values = contrasted(own);
    prototype += atLeast(values, known.prototype);
    others += atLeast(values, known.others);
    if (/^block[345]/.test(layer))
      gains.push(...values.map((value, unit) => value / (known.others[unit] as number)));
    rows.push([
      layer,
      rounded(values),
      rounded(known.prototype),
      rounded(known.others),
      mean(own.measures.map(({ harshShare }) => harshShare)).toFixed(3),
      mean(own.measures.map(({ keptUnderShifts }) => keptUnderShifts ?? 0)).toFixed(3),
      own.seconds.toFixed(2),
      (own.cpuSeconds / cpus().length).toFixed(2),
      known.seconds,
    ]);
  }
  const head = [
    'layer',
    'phosphene',
    'prototype',
    'best of three',
    'harsh',
    'kept',
    's',
    'cores s',
    'prototype s',
  ];
  say(table([head, ...rows]));
  say(
    `At or above the prototype on ${prototype} of 20, the best of three on ${others} of 20; on blocks 3 to 5 ${mean(gains).toFixed(2)} times the best of three.`,
  );
}

/** Eight units of a layer, none of them among the first four, by a fixed seed. */
function someUnits(layer: Layer): number[] {
  const all = opened.network.layers.find(({ name }) => name === layer)?.units ?? 0;
  const random = randomOf(2015, layers.indexOf(layer));
  const units = new Set<number>();
  while (units.size < 8) units.add(random.integer(4, all - 1));
  return [...units].sort((a, b) => a - b);
}

/** Of one step of one picture. Of two runs the shorter: the first one's session is cold. */
async function secondsOfStep(layer: Layer, units: readonly number[], recipe: string): Promise<number> {
  const steps = 24;
  const runs = [await run(layer, units, { recipe, steps }), await run(layer, units, { recipe, steps })];
  return Math.min(...runs.map(({ seconds }) => seconds)) / steps;
}

async function besideRecipes(names: readonly string[]): Promise<void> {
  const own = new Map<Layer, { units: number[]; values: number[]; ofStep: number }>();
  for (const layer of layers) {
    const units = someUnits(layer);
    const values = contrasted(await run(layer, units, {}));
    own.set(layer, { units, values, ofStep: await secondsOfStep(layer, units.slice(0, 2), 'phosphene') });
  }
  const steps =
    (await planModel(model, { layers: ['block1_conv2'], units: [0] }, opened)).layers[0]?.recipe.steps ?? 0;
  for (const name of names) {
    const rows: (string | number)[][] = [];
    let wins = 0;
    for (const [layer, { units, values, ofStep }] of own) {
      const theirs = await secondsOfStep(layer, units.slice(0, 2), name);
      const equalSteps = Math.max(1, Math.round((steps * ofStep) / theirs));
      const others = contrasted(await run(layer, units, { recipe: name, steps: equalSteps }));
      const won = atLeast(values, others);
      wins += won;
      rows.push([layer, units.join(' '), rounded(values), rounded(others), equalSteps, `${won} of 8`]);
      process.stderr.write(`${name} at ${layer}: ${equalSteps} steps, ${won} of 8\n`);
    }
    say(table([['layer', 'units', 'phosphene', name, 'steps in the same time', 'higher'], ...rows]));
    say(`phosphene is higher than ${name} on ${wins} of 40.\n`);
  }
}

say(`${cpus()[0]?.model}, ${cpus().length} cores\n`);
const named = parts.filter((part) => part !== 'reference');
if (parts.length === 0 || parts.includes('reference')) await besideReference();
if (parts.length === 0) await besideRecipes(presetNames.filter((name) => !elsewhere.includes(name)));
else if (named.length > 0) await besideRecipes(named);
