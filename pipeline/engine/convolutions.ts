/**
 * How long convolutions take on this machine, plain and by Winograd's way: each shape is measured once, in all forms by
 * turns, and what was found is remembered in a file.
 */

import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import { disk, jsonOrUndefined, writeWhole } from '../files.ts';
import { GraphBuilder } from '../network/build.ts';
import { type Float32Tensor, float32, type Graph, int, ints, size } from '../network/graph.ts';
import { oneBand, stacked, toChannelsFirst, toChannelsLast } from '../network/lowering/bands.ts';
import type { ConvolutionTimes, TimesOf } from '../network/lowering/choose.ts';
import type { ConvolutionShape } from '../network/lowering/lower.ts';
import { type Axis, winograd } from '../network/lowering/winograd.ts';
import { copiesOf, type Engine } from './engine.ts';

const times = z.strictObject({ plain: z.number(), winograd: z.number(), change: z.number() });
/** By machine, then by shape. */
const known = z.record(z.string(), z.record(z.string(), times));
type Known = z.infer<typeof known>;

type Means = Pick<Engine, 'compile' | 'upload' | 'copies'>;

/** Products of so few channels do not repay their tiles. */
const fewestChannels = 48;
/** Of a picture: smaller convolutions take no time worth measuring, or choosing by. */
const fewestFlops = 5e7;
/** At fewer places, kernels that are larger at all points take more memory than the time is worth that they save. */
const fewestPlaces = 36;

const isWorthMeasuring = ({ channels, filters, height, width }: ConvolutionShape): boolean =>
  Math.min(channels, filters) >= fewestChannels &&
  height * width >= fewestPlaces &&
  2 * 9 * channels * filters * height * width >= fewestFlops;

const keyOf = ({ channels, filters, height, width }: ConvolutionShape): string =>
  `${channels} to ${filters} at ${height}×${width}`;

/**
 * The times of these shapes. Measures those that are not known yet, two seconds each. What another process found in the
 * meantime is taken from it: all that render into one store compute in one way.
 * @param file Where times are remembered; `machine` names all that they depend on.
 */
export async function convolutionTimes(
  shapes: readonly ConvolutionShape[],
  engine: Means,
  { file, machine }: { readonly file: string; readonly machine: string },
): Promise<TimesOf> {
  let here = (await remembered(file))[machine] ?? {};
  const open = new Map(
    shapes
      .filter((shape) => isWorthMeasuring(shape) && here[keyOf(shape)] === undefined)
      .map((shape) => [keyOf(shape), shape]),
  );
  if (open.size > 0) {
    const found: Record<string, ConvolutionTimes> = {};
    for (const [key, shape] of open) found[key] = await timesOf(shape, engine);
    const all = await remembered(file);
    here = { ...found, ...all[machine] };
    const text = `${JSON.stringify({ ...all, [machine]: here }, null, 2)}\n`;
    // Where the disk refuses, they are measured again the next time.
    await writeWhole(disk, file, Buffer.from(text)).catch(() => {});
  }
  return (shape) => (isWorthMeasuring(shape) ? here[keyOf(shape)] : undefined);
}

/** What cannot be read, or was written by another version, is measured again. */
async function remembered(file: string): Promise<Known> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const found = known.safeParse(jsonOrUndefined(text));
  return found.success ? found.data : {};
}

/** As many as climb together at the deepest layers. */
const measuredPictures = 4;
/** Before each turn: for a while the threads of whoever ran before wait actively, and take a core. */
const restMs = 60;
const runsOfTurn = 3;
/** Turns go on until so many in a row found nothing that is quicker by more than this, or there were too many. */
const [turnsInVain, quicker, mostTurns] = [2, 0.97, 8];

/** The least time of some turns of each. */
async function timesOf(shape: ConvolutionShape, engine: Means): Promise<ConvolutionTimes> {
  const { channels, filters, height, width } = shape;
  const copies = copiesOf(measuredPictures, engine.copies);
  const kernel = float32([filters, channels, 3, 3], some(filters * channels * 9));
  const dims = [measuredPictures / copies, channels, height, width];
  const all = [measuredPictures, channels, height, width];
  const feeds = new Map([['x', engine.upload(float32(all, some(size(all))))]]);
  const forms = [plainForm(dims, kernel), winogradForm(dims, kernel), changedForm(dims), unchangedForm(dims)];
  const programs = [];
  for (const form of forms) programs.push(await engine.compile(form, {}, copies));
  const best = programs.map(() => Number.POSITIVE_INFINITY);
  for (let [turn, inVain] = [0, 0]; turn < mostTurns && inVain < turnsInVain; turn++, inVain++) {
    for (const [index, program] of programs.entries()) {
      await setTimeout(restMs);
      for (let run = 0; run < runsOfTurn; run++) {
        const startedAt = performance.now();
        await program.run(feeds);
        const ms = performance.now() - startedAt;
        if (ms < quicker * (best[index] as number)) inVain = -1;
        best[index] = Math.min(best[index] as number, ms);
      }
    }
  }
  for (const program of programs) await program.release();
  const [plain = 0, byWinograd = 0, changed = 0, unchanged = 0] = best.map((ms) => ms / measuredPictures);
  // There and back are two changes.
  return { plain, winograd: byWinograd, change: Math.max(0, changed - unchanged) / 2 };
}

/** Numbers that are neither 0 nor tiny, which some processors multiply at other speeds. */
const some = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, at) => ((at * 7919) % 1013) / 1013 - 0.4);

/** One number of each value, so that handing them out takes no time. */
const cornersOf = (build: GraphBuilder, values: readonly string[], rank: 2 | 4): Graph => {
  const [starts, ends, axes] = [0, 1, undefined].map((place) =>
    build.shape(Array.from({ length: rank }, (_, axis) => place ?? axis)),
  ) as [string, string, string];
  const corners = values.map((value) => build.add('Slice', [value, starts, ends, axes]));
  return build.graph([stacked(build, corners)]);
};

function plainForm(dims: readonly number[], kernel: Float32Tensor): Graph {
  const build = new GraphBuilder();
  const x = build.input('x', dims);
  return cornersOf(build, [build.add('Conv', [x, build.constant(kernel)], { pads: ints([1, 1, 1, 1]) })], 4);
}

function winogradForm(dims: readonly number[], kernel: Float32Tensor): Graph {
  const build = new GraphBuilder();
  const [vertical, horizontal] = dims
    .slice(2)
    .map((side): Axis => ({ size: side, before: 1, written: side }));
  if (vertical === undefined || horizontal === undefined) throw new Error('An image has two axes');
  const { parts } = winograd(build, oneBand(build, build.input('x', dims), dims), {
    vertical,
    horizontal,
    kernel,
  });
  return cornersOf(build, parts, 2);
}

/** Two operations in onnxruntime's own layout of blocks, where a value usually comes from and goes to. */
function unchangedForm(dims: readonly number[]): Graph {
  const build = new GraphBuilder();
  return cornersOf(build, [blocked(build, blocked(build, build.input('x', dims), dims), dims)], 4);
}

/** The same with both changes of layout between them; an operation of its own keeps onnxruntime from undoing both. */
function changedForm(dims: readonly number[]): Graph {
  const build = new GraphBuilder();
  const last = toChannelsLast(build, blocked(build, build.input('x', dims), dims), dims);
  const parts = last.parts.map((part) => build.add('Relu', [part]));
  return cornersOf(build, [blocked(build, toChannelsFirst(build, { ...last, parts }), dims)], 4);
}

function blocked(build: GraphBuilder, x: string, [, channels = 1]: readonly number[]): string {
  const kernel = build.constant(float32([channels, 1, 1, 1], some(channels)));
  return build.add('Conv', [x, kernel], { group: int(channels) });
}
