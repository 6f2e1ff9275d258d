/** (settings, each picture's maps) ⇒ [batch] numbers to maximise. */

import { PhospheneError } from '../error.ts';
import type { GraphBuilder } from '../network/build.ts';
import { int } from '../network/graph.ts';
import type { Objective } from './schema.ts';

/** What an objective can see of the network; values by name. */
export interface ObjectiveContext {
  /** The maps before the layer's activation function: [batch, channels, h, w] or [batch, channels]. */
  readonly linear: string;
  /** The same after it. */
  readonly activation: string;
  /** Dims of both without the batch. */
  readonly dims: readonly number[];
  /** The row and the column of the centre neuron, where the maps are of a part of the picture alone. */
  readonly centre?: readonly [number, number] | undefined;
  /** Declares an input [batch, units]: for each picture a number a unit of the layer, from the picture's own unit. */
  weights(hint: string, ofUnit: (unit: number, units: number) => Float32Array): string;
}

type Of<Kind> = Extract<Objective, { kind: Kind }>;
type Write<Kind> = (settings: Of<Kind>, context: ObjectiveContext, build: GraphBuilder) => string;

interface ObjectiveRule<Kind> {
  /** `unit`: the one channel of each picture's own unit; `layer`: all channels, in the order of the units. */
  readonly sees: 'unit' | 'layer';
  readonly write: Write<Kind>;
}

/** The maps that the settings speak of: after the activation function (plus a share of what was before it), or before. */
function chosen(
  { of, leak }: { readonly of: 'activation' | 'linear'; readonly leak: number },
  { linear, activation }: ObjectiveContext,
  build: GraphBuilder,
): string {
  if (of === 'linear') return linear;
  return leak === 0
    ? activation
    : build.add('Add', [activation, build.add('Mul', [linear, build.scalar(leak)])]);
}

/** The centre neuron of a map. */
export const centreOf = (height: number, width: number): [number, number] => [
  Math.floor(height / 2),
  Math.floor(width / 2),
];

/** `reduce` where the unit has a map; a dense unit's one value is its own mean, sum and centre. */
const ofMap = <Kind extends 'mean' | 'sum' | 'centre'>(
  reduce: (
    build: GraphBuilder,
    map: string,
    height: number,
    width: number,
    centre: readonly [number, number],
  ) => string,
): ObjectiveRule<Kind> => ({
  sees: 'unit',
  write(settings, context, build) {
    const map = chosen(settings, context, build);
    const [, height, width] = context.dims;
    if (height === undefined || width === undefined) return map;
    return reduce(build, map, height, width, context.centre ?? centreOf(height, width));
  },
});

const oneHot = (unit: number, units: number): Float32Array =>
  Float32Array.from({ length: units }, (_, index) => Number(index === unit));

const objectives: { readonly [Kind in Objective['kind']]: ObjectiveRule<Kind> } = {
  mean: ofMap((build, map) => build.mean(map, 'map')),
  sum: ofMap((build, map, height, width) =>
    build.add('Mul', [build.mean(map, 'map'), build.scalar(height * width)]),
  ),
  centre: ofMap((build, map, _height, _width, centre) => {
    const next = centre.map((place) => place + 1);
    return build.add('Slice', [map, build.shape(centre), build.shape(next), build.shape([2, 3])]);
  }),
  probability: {
    sees: 'layer',
    write(_settings, { linear, weights }, build) {
      const mask = weights('unit.class', oneHot);
      return build.sum(build.add('Mul', [build.add('Softmax', [linear], { axis: int(-1) }), mask]), [1]);
    },
  },
  joint: {
    sees: 'layer',
    write(settings, context, build) {
      const maps = chosen(settings, context, build);
      const means = context.dims.length > 1 ? build.mean(maps, 'map') : maps;
      const weights = context.weights('unit.weights', (unit, units) => {
        const own = oneHot(unit, units);
        for (const { unit: other, weight } of settings.others) {
          if (other >= units) {
            throw new PhospheneError(
              `Expected the recipe's joint objective to name units of the layer (0 to ${units - 1}), found ${other}`,
              { exitCode: 2 },
            );
          }
          own[other] = (own[other] as number) + weight;
        }
        return own;
      });
      // Batched, so that a picture's rounding does not depend on how many others there are.
      const row = build.add('Reshape', [means, build.shape([0, 1, -1])]);
      return build.add('MatMul', [row, build.add('Reshape', [weights, build.shape([0, -1, 1])])]);
    },
  },
  norm: {
    sees: 'layer',
    write(settings, context, build) {
      const count = context.dims.reduce((product, dim) => product * dim, 1);
      const powers = build.add('Pow', [
        build.add('Abs', [chosen(settings, context, build)]),
        build.scalar(settings.p),
      ]);
      const total = build.add('Mul', [build.mean(powers, 'picture'), build.scalar(count)]);
      // A root has no derivative at 0; a silent layer must have the gradient 0.
      const above0 = build.add('Add', [total, build.scalar(1e-30)]);
      return build.add('Pow', [above0, build.scalar(1 / settings.p)]);
    },
  },
};

// The table is keyed by `kind`, which TypeScript cannot follow through the lookup.
const ruleOf = (settings: Objective) => objectives[settings.kind] as ObjectiveRule<Objective['kind']>;

/** What the objective must be given: the maps of each picture's own unit, or those of the whole layer. */
export const seenBy = (settings: Objective): 'unit' | 'layer' => ruleOf(settings).sees;

/** Writes the objective and returns the name of its value, [batch]. */
export function writeObjective(build: GraphBuilder, settings: Objective, context: ObjectiveContext): string {
  const value = ruleOf(settings).write(settings as never, context, build);
  const flat = build.add('Reshape', [value, build.shape([-1])]);
  return settings.negative === true ? build.add('Neg', [flat]) : flat;
}
