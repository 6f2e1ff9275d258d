/**
 * Which convolutions are faster by Winograd's way on this machine: each shape is measured once, both ways by turns, and
 * what was found is remembered in a file.
 */

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { GraphBuilder } from '../network/build.ts';
import { float32, type Graph, ints, size } from '../network/graph.ts';
import { type ConvolutionShape, toPlaces } from '../network/lowering/lower.ts';
import { winograd } from '../network/lowering/winograd.ts';
import type { Engine } from './engine.ts';

/** By shape: the time by Winograd's way, of the plain one's. */
type Ratios = Record<string, number>;

/** Smaller convolutions take no time worth measuring. */
const fewestChannels = 48;
const fewestPlaces = 49;
/**
 * Alone, a convolution shows nothing of its neighbours, which lose onnxruntime's blocked layout and its fused
 * activations: VGG16's second block, at .65 to .8 a convolution, took 1.4 times as long.
 */
const worthwhile = 0.6;

const keyOf = ({ channels, filters, height, width }: ConvolutionShape): string =>
  `${channels} to ${filters} at ${height}×${width}`;

/**
 * Which of the shapes are faster by Winograd's way. Measures those that are not known yet, half a second each.
 * @param file Where ratios are remembered; `machine` names all that they depend on.
 */
export async function fasterByWinograd(
  shapes: readonly ConvolutionShape[],
  engine: Pick<Engine, 'compile' | 'upload'>,
  { file, machine }: { readonly file: string; readonly machine: string },
): Promise<(shape: ConvolutionShape) => boolean> {
  const all = await remembered(file);
  const ratios = { ...all[machine] };
  const isLarge = ({ channels, filters, height, width }: ConvolutionShape): boolean =>
    Math.min(channels, filters) >= fewestChannels && height * width >= fewestPlaces;
  const open = new Map(
    shapes
      .filter((shape) => isLarge(shape) && ratios[keyOf(shape)] === undefined)
      .map((shape) => [keyOf(shape), shape]),
  );
  for (const [key, shape] of open) ratios[key] = await ratioOf(shape, engine);
  if (open.size > 0) {
    await mkdir(dirname(file), { recursive: true });
    const part = `${file}.${process.pid}`;
    await writeFile(part, `${JSON.stringify({ ...(await remembered(file)), [machine]: ratios }, null, 2)}\n`);
    await rename(part, file);
  }
  return (shape) => (ratios[keyOf(shape)] ?? Number.POSITIVE_INFINITY) < worthwhile;
}

/** What cannot be read is measured again. */
async function remembered(file: string): Promise<Record<string, Ratios>> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Record<string, Ratios>;
  } catch {
    return {};
  }
}

/** Values that the larger of a convolution's maps has while it is measured. */
const measuredValues = 2 ** 22;
const turns = 4;

async function ratioOf(shape: ConvolutionShape, engine: Pick<Engine, 'compile' | 'upload'>): Promise<number> {
  const { channels, filters, height, width } = shape;
  const most = measuredValues / (Math.max(channels, filters) * height * width);
  const batch = Math.max(1, Math.min(8, Math.floor(most)));
  const kernel = float32([filters, channels, 3, 3], some(filters * channels * 9));
  const dims = [batch, channels, height, width];
  const feeds = new Map([['x', engine.upload(float32(dims, some(size(dims))))]]);
  const forms = [plainForm(dims, kernel), winogradForm(dims, kernel)];
  const programs = [];
  for (const form of forms) programs.push(await engine.compile(form));
  const best = programs.map(() => Number.POSITIVE_INFINITY);
  for (let turn = 0; turn < turns; turn++) {
    for (const [index, program] of programs.entries()) {
      const startedAt = performance.now();
      await program.run(feeds);
      best[index] = Math.min(best[index] as number, performance.now() - startedAt);
    }
  }
  for (const program of programs) await program.release();
  return (best[1] as number) / (best[0] as number);
}

/** Numbers that are neither 0 nor tiny, which some processors multiply at other speeds. */
const some = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, at) => ((at * 7919) % 1013) / 1013 - 0.4);

/** One number of the result, so that handing it out takes no time. */
const cornerOf = (build: GraphBuilder, value: string): Graph => {
  const one = [1, 1, 1, 1];
  return build.graph([
    build.add('Slice', [value, build.shape([0, 0, 0, 0]), build.shape(one), build.shape([0, 1, 2, 3])]),
  ]);
};

function plainForm(dims: readonly number[], kernel: ReturnType<typeof float32>): Graph {
  const build = new GraphBuilder();
  const x = build.input('x', dims);
  return cornerOf(build, build.add('Conv', [x, build.constant(kernel)], { pads: ints([1, 1, 1, 1]) }));
}

/** With the change of layout before it: of two changes, neighbours share one. */
function winogradForm(dims: readonly number[], kernel: ReturnType<typeof float32>): Graph {
  const [batch = 1, , height = 1, width = 1] = dims;
  const build = new GraphBuilder();
  const x = toPlaces(build, build.input('x', dims), dims);
  const [vertical, horizontal] = [height, width].map((side) => ({ size: side, before: 1, written: side }));
  if (vertical === undefined || horizontal === undefined) throw new Error('An image has two sides');
  return cornerOf(build, winograd(build, x, { vertical, horizontal, batch, kernel }));
}
