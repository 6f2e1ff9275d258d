/** Multi-scale ascents: one step graph a size, and between two sizes a graph that enlarges the parameter. */

import { copiesOf, type Engine, type Program, type Value } from '../engine/engine.ts';
import { PhospheneError } from '../error.ts';
import { GraphBuilder } from '../network/build.ts';
import { float32 } from '../network/graph.ts';
import type { Layer } from '../network/network.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { PictureSize } from '../recipe/size.ts';
import { isVaried } from '../recipe/varied.ts';
import { type AscentSpec, enlarge, type StepGraph, stepGraph } from './step.ts';

/** The part of an ascent that has one size. */
export interface Octave {
  readonly size: PictureSize;
  /** The number of updates made when it begins. */
  readonly from: number;
  readonly step: StepGraph;
  readonly program: Program;
  /** Takes the state of the octave before to this one: parameters enlarged, the optimiser's memory 0. */
  begin(feeds: ReadonlyMap<string, Value>): Promise<Map<string, Value>>;
  release(): Promise<void>;
}

/** The sizes of a recipe and the updates made when each begins: floor(side / factor^k), the steps shared out evenly. */
export function octaveSizes(recipe: Recipe, size: PictureSize): { size: PictureSize; from: number }[] {
  const { count, factor } = recipe.octaves ?? { count: 1, factor: 1 };
  return Array.from({ length: count }, (_, octave) => {
    const by = factor ** (count - 1 - octave);
    const side = (full: number): number => Math.max(1, Math.floor(full / by));
    const own = { ...size, height: side(size.height), width: side(size.width) };
    return {
      size: octave === count - 1 ? size : own,
      from: Math.floor((octave * recipe.steps) / count),
    };
  });
}

/**
 * Compiles all octaves of `spec`, smallest first; one where its recipe has no `octaves`.
 * @throws PhospheneError where the layer takes pictures of one size alone.
 */
export async function compileOctaves(spec: AscentSpec, engine: Engine): Promise<Octave[]> {
  const { recipe, layer, network } = spec;
  if (recipe.octaves !== undefined && layer.kind !== 'conv' && network.input.height !== null) {
    throw new PhospheneError(
      `The recipe '${recipe.name}' goes through several sizes, and layer '${layer.name}' takes pictures of one size; choose a recipe without 'octaves' for it`,
    );
  }
  const octaves: Octave[] = [];
  for (const { size, from } of octaveSizes(spec.recipe, spec.size)) {
    const copies = copiesOf(spec.batch, engine.copies, fewestPictures(layer));
    const step = await stepGraph({ ...spec, size, batch: spec.batch / copies }, engine, spec.size);
    const allWinners = recipe.relu === undefined && isVaried(recipe);
    const program = await engine.compile(step.graph, { allWinners }, copies);
    const before = octaves.at(-1);
    const between = before && (await enlargement(spec, before, { size, step }, engine));
    octaves.push({
      size,
      from,
      step,
      program,
      begin: async (feeds) => (between === undefined ? new Map(feeds) : between.run(feeds)),
      release: async () => void (await Promise.all([program.release(), between?.release()])),
    });
  }
  return octaves;
}

/** onnxruntime multiplies a single row by a matrix in another way than several, and rounds otherwise. */
export const fewestPictures = ({ kind }: Pick<Layer, 'kind'>): number => (kind === 'conv' ? 1 : 2);

async function enlargement(
  { batch, recipe }: AscentSpec,
  before: Pick<Octave, 'size' | 'step'>,
  { size, step }: Pick<Octave, 'size' | 'step'>,
  engine: Engine,
) {
  const build = new GraphBuilder();
  const rows = batch * step.pictures;
  const pairs = step.state.map(({ input, dims, parameter }, index) => {
    const from = before.step.state[index] as StepGraph['state'][number];
    if (parameter === undefined) return { from: from.input, to: input, dims };
    const small = build.input(from.input, [rows, ...from.dims]);
    const large = enlarge(build, small, before.size, size, recipe.octaves?.interpolation);
    return { from: from.input, to: input, dims, enlarged: large };
  });
  const program = await engine.compile(
    build.graph(pairs.flatMap(({ enlarged }) => (enlarged === undefined ? [] : [enlarged]))),
  );
  return {
    release: () => program.release(),
    async run(feeds: ReadonlyMap<string, Value>): Promise<Map<string, Value>> {
      const inputs = pairs.filter(({ enlarged }) => enlarged !== undefined).map(({ from }) => from);
      const values = await program.run(new Map(inputs.map((name) => [name, feeds.get(name) as Value])));
      return new Map(
        pairs.map(({ to, dims, enlarged }): [string, Value] => {
          const length = rows * dims.reduce((product, dim) => product * dim, 1);
          const zeros = (): Value => engine.upload(float32([rows, ...dims], new Float32Array(length)));
          return [to, enlarged === undefined ? zeros() : (values.get(enlarged) as Value)];
        }),
      );
    },
  };
}
