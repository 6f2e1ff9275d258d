/**
 * One step of the ascent as one graph: decode → transforms → network up to the layer → objective → its adjoint back to
 * the parameters → optimiser → regularisers. Run again and again on its own output, it is the ascent.
 */

import type { Engine } from '../engine/engine.ts';
import { adjoint } from '../network/adjoint/adjoint.ts';
import { GraphBuilder } from '../network/build.ts';
import { copier, cutAtLayer, toLayout, type UnitSlice } from '../network/cut.ts';
import { float32, type Graph, int, size, type Tensor } from '../network/graph.ts';
import type { Layer, Network } from '../network/network.ts';
import { shapesOf } from '../network/shapes.ts';
import { writeObjective } from '../recipe/objectives.ts';
import { optimiserRule } from '../recipe/optimisers.ts';
import { decoder, type PictureSize } from '../recipe/parameterisations.ts';
import type { Random } from '../recipe/random.ts';
import { rateAt } from '../recipe/rates.ts';
import { actsAfter, actsAlways, regularise } from '../recipe/regularisers.ts';
import { type Interpolation, resample, resizing } from '../recipe/resampling.ts';
import type { Scaling } from '../recipe/scaling.ts';
import type { Recipe } from '../recipe/schema.ts';
import { transformRule } from '../recipe/transforms.ts';

/** All that an ascent is made of, for all units of one layer. */
export interface AscentSpec {
  readonly network: Network;
  readonly layer: Layer;
  readonly recipe: Recipe;
  readonly scaling: Scaling;
  readonly size: PictureSize;
  /** Pictures a step. */
  readonly batch: number;
}

/** A tensor [batch, …dims] that one step hands to the next. */
export interface StateTensor {
  readonly input: string;
  readonly output: string;
  readonly dims: readonly number[];
  readonly start: 'recipe' | 'zeros';
}

export interface StepGraph {
  readonly graph: Graph;
  readonly state: readonly StateTensor[];
  readonly slices: readonly UnitSlice[];
  /** Inputs [batch, …dims] drawn on the host for each picture and step. */
  readonly draws: readonly {
    readonly input: string;
    readonly dims: readonly number[];
    draw(random: Random): readonly number[];
  }[];
  /** Inputs [batch, 1, 1, 1] that depend on a picture's step (from 0) alone. */
  readonly scalars: readonly { readonly input: string; at(step: number): number }[];
  /** Output [batch]: the objective before the update. */
  readonly objective: string;
  /** Output [batch, C, H, W]: the picture before the update at the size shown, in the numbers that the display takes. */
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
  const { network, layer, recipe, scaling, size: pictureSize, batch } = spec;
  const forward = new GraphBuilder(undefined, network.graph.opset);
  const decode = decoder(recipe.parameterisation, pictureSize, scaling);
  const parameters = decode.parameters.map((parameter) => ({
    ...parameter,
    input: forward.input(parameter.name, [batch, ...parameter.dims]),
  }));
  const decoded = decode.decode(
    forward,
    parameters.map(({ input }) => input),
  );

  const draws: StepGraph['draws'][number][] = [];
  const transformed = recipe.transforms.reduce((value, settings) => {
    const rule = transformRule(settings, pictureSize);
    const own = rule.draws.map((draw) => ({
      ...draw,
      input: forward.input(draw.name, [batch, ...draw.dims]),
    }));
    draws.push(...own);
    return rule.write(
      forward,
      value,
      own.map(({ input }) => input),
      decode.grey,
    );
  }, decoded);

  const picture = toLayout(forward, decode.toInput(forward, transformed), network);
  const { linear, activation, slices } = cutAtLayer(forward, network, layer, picture, batch);
  const mapShapes = await shapesOfForward(forward, [linear], engine);
  const mapDims = mapShapes.get(linear)?.dims ?? [];
  const probabilitySlices: UnitSlice[] = [];
  const objective = writeObjective(forward, recipe.objective, {
    linear,
    activation,
    rank: mapDims.length,
    map: [mapDims[2] ?? 1, mapDims[3] ?? 1],
    probability: () => probabilityOfUnit(forward, spec, picture, probabilitySlices),
  });

  const shapes = await shapesOfForward(forward, [objective], engine);
  const { build, gradients } = adjoint(forward.graph([objective]), {
    objective,
    wrt: parameters.map(({ input }) => input),
    dims: (value) => shapes.get(value)?.dims ?? [],
    lowering: engine.lowering,
    layers: network.layers,
  });

  const rule = optimiserRule(recipe.optimiser);
  const perPicture = [batch, 1, 1, 1];
  const ofRule = rule.scalars.map(({ name, at }) => ({ input: build.input(name, perPicture), at }));
  const scalars = [...ofRule];
  const rate = build.input('rate', perPicture);
  const timed = recipe.regularisers.map((settings) => {
    if (actsAlways(settings)) return { settings };
    const input = build.input(`${settings.kind}.acts`, perPicture);
    scalars.push({ input, at: (step) => Number(actsAfter(settings, step, recipe.steps)) });
    return { settings, acts: build.add('Greater', [input, build.scalar(0.5)]) };
  });
  const state = parameters.flatMap(({ input, dims, start, rateFactor, name }): StateTensor[] => {
    const gradient = gradients.get(input);
    if (gradient === undefined) throw new Error(`The objective does not depend on '${input}'`);
    const own = rule.state.map((part) => build.input(`${name}.${part}`, [batch, ...dims]));
    const next = rule.write(build, {
      parameter: input,
      gradient,
      count: size(dims),
      rate: rateFactor === 1 ? rate : build.add('Mul', [rate, build.scalar(rateFactor)]),
      state: own,
      scalars: ofRule.map((scalar) => scalar.input),
    });
    const regularised = timed.reduce((value, { settings, acts }) => {
      const changed = regularise(build, settings, { decoder: decode, size: pictureSize }, value);
      return acts === undefined ? changed : build.add('Where', [acts, changed, value]);
    }, next.parameter);
    return [
      { input, output: regularised, dims, start },
      ...own.map((name, index) => ({
        input: name,
        output: next.state[index] as string,
        dims,
        start: 'zeros' as const,
      })),
    ];
  });

  const own =
    recipe.display.kind === 'range' ? decode.toPicture(build, decoded) : decode.toColours(build, decoded);
  // An output must be made by a node of its own: with `pixels` the picture is the graph's input.
  const pictureOutput =
    shown === pictureSize
      ? build.add('Identity', [own], {}, 'shown')
      : enlarge(build, own, pictureSize, shown, recipe.octaves?.interpolation);
  return {
    graph: build.graph([...state.map(({ output }) => output), objective, pictureOutput]),
    state,
    slices: [...slices, ...probabilitySlices],
    draws,
    scalars: [...scalars, { input: rate, at: (step) => rateAt(recipe.rate, step) }],
    objective,
    picture: pictureOutput,
  };
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

/** Each picture's softmax probability of its unit, [batch, 1]: all scores, and a one-hot mask a picture. */
function probabilityOfUnit(
  build: GraphBuilder,
  { network, layer, batch }: AscentSpec,
  picture: string,
  slices: UnitSlice[],
): string {
  const scores = copier(build, network.graph, new Map([[network.input.name, picture]]))(layer.linear);
  const mask = build.input('unit.class', [batch, layer.units]);
  slices.push({
    input: mask,
    dims: [layer.units],
    pick: (unit) => Float32Array.from({ length: layer.units }, (_, index) => Number(index === unit)),
  });
  const probabilities = build.add('Softmax', [scores], { axis: int(-1) });
  return build.sum(build.add('Mul', [probabilities, mask]), [1]);
}

/** Shapes of all values written so far, with zeros fed to every input. */
async function shapesOfForward(
  build: GraphBuilder,
  outputs: readonly string[],
  engine: Engine,
): ReturnType<typeof shapesOf> {
  const graph = build.graph(outputs);
  const feeds = graph.inputs.map(({ name, dims }): [string, Tensor] => {
    const numbers = dims.map(Number);
    return [name, float32(numbers, new Float32Array(size(numbers)))];
  });
  return shapesOf(graph, engine, new Map(feeds));
}
