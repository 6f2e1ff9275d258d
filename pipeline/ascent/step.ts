/**
 * One step of the ascent as one graph: decode → transforms → network up to the layer → objective → its adjoint back to
 * the parameters → optimiser → regularisers. Run again and again on its own output, it is the ascent.
 */

import type { Engine } from '../engine/engine.ts';
import { adjoint } from '../network/adjoint/adjoint.ts';
import type { Rule } from '../network/adjoint/rule.ts';
import { GraphBuilder } from '../network/build.ts';
import { partsSeen } from '../network/crop.ts';
import { copier, cutAtLayer, toLayout, type UnitSlice, wholeLayer } from '../network/cut.ts';
import { float32, type Graph, size, type Tensor } from '../network/graph.ts';
import { candidates, quickest } from '../network/lowering/choose.ts';
import { withLateRelus } from '../network/lowering/late-relu.ts';
import { lowered } from '../network/lowering/lower.ts';
import type { Layer, Network } from '../network/network.ts';
import { valuesOfAnySize } from '../network/receptive.ts';
import { shapesOf } from '../network/shapes.ts';
import type { Planes } from '../picture/display.ts';
import { likeness } from '../recipe/diversity.ts';
import { centreOf, seenBy, writeObjective } from '../recipe/objectives.ts';
import { optimiserRule } from '../recipe/optimisers.ts';
import { type Decoder, decoder, type Parameter } from '../recipe/parameterisations.ts';
import { penaltyOf } from '../recipe/penalties.ts';
import type { Random } from '../recipe/random.ts';
import { rateAt } from '../recipe/rates.ts';
import { actsAfter, actsAlways, filtered } from '../recipe/regularisers.ts';
import { reluRule } from '../recipe/relu.ts';
import { type Interpolation, resample, resizing } from '../recipe/resampling.ts';
import type { Scaling } from '../recipe/scaling.ts';
import { isPenalty, type Recipe, type Regulariser } from '../recipe/schema.ts';
import type { PictureSize } from '../recipe/size.ts';
import { transformRule } from '../recipe/transforms.ts';

/** All that an ascent is made of, for all units of one layer. */
export interface AscentSpec {
  readonly network: Network;
  readonly layer: Layer;
  readonly recipe: Recipe;
  readonly scaling: Scaling;
  readonly size: PictureSize;
  /** Units a step. */
  readonly batch: number;
  /** For the start `image`: 0..255 RGB, of the size that is rendered. */
  readonly startPicture?: Planes | undefined;
}

/** A tensor [rows, …dims] that one step hands to the next. */
export interface StateTensor {
  readonly input: string;
  readonly output: string;
  readonly dims: Parameter['dims'];
  /** The parameter that it is; undefined for the optimiser's memory, which starts at 0. */
  readonly parameter?: Parameter;
}

/** Every input and output has one row a picture: `pictures` rows for each of the batch's units, one after the other. */
export interface StepGraph {
  readonly graph: Graph;
  /** Pictures of a unit that climb together: 1, or as many as the recipe's `diversity` says. */
  readonly pictures: number;
  readonly state: readonly StateTensor[];
  readonly slices: readonly UnitSlice[];
  /** Inputs [rows, …dims] drawn on the host for each picture and step. */
  readonly draws: readonly {
    readonly input: string;
    readonly dims: readonly number[];
    draw(random: Random): readonly number[];
  }[];
  /** Inputs [rows, 1, 1, 1] that depend on a picture's step (from 0) and its number of steps alone. */
  readonly scalars: readonly { readonly input: string; at(step: number, steps: number): number }[];
  /** Output [rows]: the objective before the update, without what regularisers and diversity add to it. */
  readonly objective: string;
  /** Output [rows, C, H, W]: the picture before the update at the size shown, in the numbers that the display takes. */
  readonly picture: string;
}

/**
 * Writes the step graph. Runs its forward half once on `engine`, to learn the shapes.
 * @param shown The size at which the picture is handed out, where that is not the size it is optimised at.
 */
export async function stepGraph(
  spec: AscentSpec,
  engine: Engine,
  shown: PictureSize = spec.size,
): Promise<StepGraph> {
  const { network, recipe, scaling, size: pictureSize } = spec;
  const pictures = recipe.diversity?.pictures ?? 1;
  const rows = spec.batch * pictures;
  const forward = new GraphBuilder(undefined, network.graph.opset);
  const decode = decoder(recipe.parameterisation, pictureSize, scaling);
  const parameters = decode.parameters.map((parameter) => ({
    parameter,
    input: forward.input(parameter.name, [rows, ...parameter.dims]),
  }));
  const decoded = decode.decode(
    forward,
    parameters.map(({ input }) => input),
  );

  const scalars: StepGraph['scalars'][number][] = [];
  /** Where a regulariser acts at some steps alone: an input that is 1 at those and 0 at others. */
  const acting = (build: GraphBuilder, settings: Regulariser): string | undefined => {
    if (actsAlways(settings)) return undefined;
    const input = build.input(`${settings.kind}.acts`, [rows, 1, 1, 1]);
    scalars.push({ input, at: (step, steps) => Number(actsAfter(settings, step, steps)) });
    return input;
  };

  const { value: transformed, draws } = transform(forward, spec, decode, decoded, rows);
  const picture = toLayout(forward, decode.toInput(forward, transformed), network);
  const { objective, diversity, slices } = await objectiveOf(forward, spec, picture, rows, engine);
  const less = [...(diversity === undefined ? [] : [diversity])];
  for (const settings of recipe.regularisers.filter(isPenalty)) {
    const context = { grey: decode.grey, size: pictureSize };
    const penalty = penaltyOf(forward, settings, context, decoded);
    const acts = acting(forward, settings);
    const now = acts === undefined ? penalty : forward.add('Mul', [penalty, acts]);
    less.push(forward.add('Reshape', [now, forward.shape([-1])]));
  }
  const climbed = less.reduce((sum, value) => forward.add('Sub', [sum, value]), objective);

  const { relu } = recipe;
  const instead: Record<string, Rule> = {};
  if (relu !== undefined) {
    const holds = forward.input('relu.holds', [rows, 1, 1, 1]);
    scalars.push({ input: holds, at: (step) => Number(step < relu.steps) });
    instead['Relu'] = reluRule(relu, holds);
  }
  const written = forward.graph([climbed]);
  // A recipe's own way back through the Relus knows them where they are.
  const climb = relu === undefined ? withLateRelus(written) : written;
  const shapes = await shapesOfZeros(climb, engine);
  const { build, gradients, cotangentOf } = adjoint(climb, {
    objective: climbed,
    wrt: parameters.map(({ input }) => input),
    dims: (value) => shapes.get(value)?.dims ?? [],
    lowering: engine.lowering,
    instead,
    layers: network.layers,
  });

  const rule = optimiserRule(recipe.optimiser);
  const ofRule = rule.scalars.map(({ name, at }) => ({ input: build.input(name, [rows, 1, 1, 1]), at }));
  scalars.push(...ofRule);
  const rate = build.input('rate', [rows, 1, 1, 1]);
  scalars.push({ input: rate, at: (step) => rateAt(recipe.rate, step, recipe.steps) });
  const timed = recipe.regularisers
    .filter((settings) => !isPenalty(settings))
    .map((settings) => {
      const acts = acting(build, settings);
      return { settings, acts: acts && build.add('Greater', [acts, build.scalar(0.5)]) };
    });
  const state = parameters.flatMap(({ input, parameter }): StateTensor[] => {
    const gradient = gradients.get(input);
    if (gradient === undefined) throw new Error(`The objective does not depend on '${input}'`);
    const { name, dims, rateFactor } = parameter;
    const own = rule.state.map((part) => build.input(`${name}.${part}`, [rows, ...dims]));
    const next = rule.write(build, {
      parameter: input,
      gradient,
      count: size(dims),
      rate: rateFactor === 1 ? rate : build.add('Mul', [rate, build.scalar(rateFactor)]),
      state: own,
      scalars: ofRule.map((scalar) => scalar.input),
    });
    const context = { decoder: decode, parameter, gradient, size: pictureSize };
    const output = timed.reduce((value, { settings, acts }) => {
      const changed = filtered(build, settings, context, value);
      return acts === undefined ? changed : build.add('Where', [acts, changed, value]);
    }, next.parameter);
    const memory = own.map((name, index) => ({ input: name, output: next.state[index] as string, dims }));
    return [{ input, output, dims, parameter }, ...memory];
  });

  const own =
    recipe.display.kind === 'range' ? decode.toPicture(build, decoded) : decode.toColours(build, decoded);
  // An output must be made by a node of its own: with `pixels` the picture is the graph's input.
  const pictureOutput =
    shown === pictureSize
      ? build.add('Identity', [own], {}, 'shown')
      : enlarge(build, own, pictureSize, shown, recipe.octaves?.interpolation);
  const graph = build.graph([...state.map(({ output }) => output), objective, pictureOutput]);
  const dims = (value: string) => shapes.get(cotangentOf.get(value) ?? value)?.dims;
  const timesOf = await engine.convolutionTimes?.(candidates(graph, dims));
  return {
    graph: timesOf === undefined ? graph : lowered(graph, { dims, choose: quickest(graph, dims, timesOf) }),
    pictures,
    state,
    slices,
    draws,
    scalars,
    objective,
    picture: pictureOutput,
  };
}

/** Writes the recipe's transforms; where the layer takes pictures of one size alone, what they give gets that size. */
function transform(
  build: GraphBuilder,
  { network, layer, recipe, size: pictureSize }: AscentSpec,
  { grey }: Decoder,
  decoded: string,
  rows: number,
): { value: string; draws: StepGraph['draws'] } {
  const draws: StepGraph['draws'][number][] = [];
  let [value, now] = [decoded, pictureSize];
  for (const settings of recipe.transforms) {
    const rule = transformRule(settings, now);
    const own = rule.draws.map((draw) => ({ ...draw, input: build.input(draw.name, [rows, ...draw.dims]) }));
    draws.push(...own);
    const inputs = own.map(({ input }) => input);
    value = rule.write(build, value, inputs, grey);
    now = rule.size;
  }
  const same = now.height === pictureSize.height && now.width === pictureSize.width;
  if (!same && !valuesOfAnySize(network.graph, network.input).has(layer.linear)) {
    value = enlarge(build, value, now, pictureSize);
  }
  return { value, draws };
}

/** Writes the network up to the layer and the objective, and what the recipe's `diversity` takes off: both [rows]. */
async function objectiveOf(
  build: GraphBuilder,
  spec: AscentSpec,
  picture: string,
  rows: number,
  engine: Engine,
): Promise<{ objective: string; diversity: string | undefined; slices: readonly UnitSlice[] }> {
  const { network, layer, recipe } = spec;
  const part = recipe.objective.kind === 'centre' ? await partSeen(build, spec, picture, engine) : undefined;
  const copy = copier(build, network.graph, new Map([[network.input.name, part?.value ?? picture]]));
  const ofUnit = seenBy(recipe.objective) === 'unit';
  const unit = ofUnit ? cutAtLayer(build, network, layer, part?.value ?? picture, rows, copy) : undefined;
  const whole = !ofUnit || recipe.diversity !== undefined ? wholeLayer(build, layer, copy) : undefined;
  const seen = unit ?? whole;
  if (seen === undefined) throw new Error('An objective sees a unit or a layer');
  const dimsOf = async (value: string): Promise<readonly number[]> =>
    (await shapesOfZeros(build.graph([value]), engine)).get(value)?.dims.slice(1) ?? [];
  const weights: UnitSlice[] = [];
  const objective = writeObjective(build, recipe.objective, {
    ...seen,
    dims: await dimsOf(seen.linear),
    centre: part?.centre,
    weights(hint, weightsOf) {
      const input = build.input(hint, [rows, layer.units]);
      weights.push({ input, dims: [layer.units], pick: (own) => weightsOf(own, layer.units) });
      return input;
    },
  });
  const diversity =
    whole && recipe.diversity
      ? likeness(build, recipe.diversity, whole.activation, await dimsOf(whole.activation))
      : undefined;
  return { objective, diversity, slices: [...(unit?.slices ?? []), ...weights] };
}

/** Writes the part of the network's input that the centre neuron depends on; undefined where that is all of it. */
async function partSeen(
  build: GraphBuilder,
  { network, layer, recipe, size: { channels } }: AscentSpec,
  picture: string,
  engine: Engine,
): Promise<{ value: string; centre: readonly [number, number] } | undefined> {
  // What a recipe's diversity compares are whole maps.
  if (layer.kind !== 'conv' || recipe.diversity !== undefined) return undefined;
  const axes = network.input.layout === 'NCHW' ? [2, 3] : [1, 2];
  const dims = (await shapesOfZeros(build.graph([picture]), engine)).get(picture)?.dims ?? [];
  const [height = 1, width = 1] = axes.map((axis) => dims[axis]);
  const once = new GraphBuilder(undefined, network.graph.opset);
  const whole = once.input('picture', [1, channels, height, width]);
  const input = toLayout(once, whole, network);
  const linear = copier(once, network.graph, new Map([[network.input.name, input]]))(layer.linear);
  const map = (await shapesOfZeros(once.graph([linear]), engine)).get(linear)?.dims ?? [];
  const [rows = 1, columns = 1] = layer.unitAxis === 1 ? map.slice(2) : map.slice(1, 3);
  const parts = partsSeen(network, layer, centreOf(rows, columns), [height, width]);
  if (parts === undefined) return undefined;
  const [down, across] = parts;
  const starts = build.shape([down.start, across.start]);
  const value = build.add('Slice', [picture, starts, build.shape([down.end, across.end]), build.shape(axes)]);
  return { value, centre: [down.position, across.position] };
}

/** Writes the picture at another size. */
export function enlarge(
  build: GraphBuilder,
  value: string,
  from: PictureSize,
  to: PictureSize,
  interpolation: Interpolation = 'bilinear',
): string {
  const rows = resizing(from.height, to.height, interpolation);
  return resample(build, value, rows, resizing(from.width, to.width, interpolation));
}

/** Shapes of all values, with zeros fed to every input. */
function shapesOfZeros(graph: Graph, engine: Engine): ReturnType<typeof shapesOf> {
  const feeds = graph.inputs.map(({ name, dims }): [string, Tensor] => {
    const numbers = dims.map(Number);
    return [name, float32(numbers, new Float32Array(size(numbers)))];
  });
  return shapesOf(graph, engine.host ?? engine, new Map(feeds));
}
