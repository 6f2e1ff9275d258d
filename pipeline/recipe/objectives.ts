/** (settings, each picture's unit maps) ⇒ [batch] numbers to maximise. */

import type { GraphBuilder } from '../network/build.ts';
import type { Objective } from './schema.ts';

/** What an objective can see of the network; values by name. */
export interface ObjectiveContext {
  /** Each picture's unit before its activation function, [batch, 1, h, w] or [batch, 1]. */
  readonly linear: string;
  /** The same after it. */
  readonly activation: string;
  /** Rank of both, 4 or 2. */
  readonly rank: number;
  /** Height and width of the map; 1, 1 in a dense layer. */
  readonly map: readonly [height: number, width: number];
  /** Writes each picture's softmax probability of its unit, [batch, 1]. Only where the layer is dense. */
  probability(): string;
}

type Of<Kind> = Extract<Objective, { kind: Kind }>;
type Write<Kind> = (settings: Of<Kind>, context: ObjectiveContext, build: GraphBuilder) => string;

const flat = (build: GraphBuilder, value: string): string => build.add('Reshape', [value, build.shape([-1])]);

/** The map that the settings speak of: after the activation function (plus a share of what was before it), or before. */
function chosen(
  { of, leak }: Of<'mean'> | Of<'sum'> | Of<'centre'>,
  context: ObjectiveContext,
  build: GraphBuilder,
): string {
  const { linear, activation } = context;
  if (of === 'linear') return linear;
  return leak === 0
    ? activation
    : build.add('Add', [activation, build.add('Mul', [linear, build.scalar(leak)])]);
}

/** `reduce` where the unit has a map; a dense unit's one value is its own mean, sum and centre. */
const ofMap =
  <Kind extends 'mean' | 'sum' | 'centre'>(
    reduce: (build: GraphBuilder, map: string, context: ObjectiveContext) => string,
  ): Write<Kind> =>
  (settings, context, build) => {
    const map = chosen(settings, context, build);
    return context.rank === 4 ? reduce(build, map, context) : map;
  };

const objectives: { readonly [Kind in Objective['kind']]: Write<Kind> } = {
  mean: ofMap((build, map) => build.mean(map, 'map')),
  sum: ofMap((build, map, context) =>
    build.add('Mul', [build.mean(map, 'map'), build.scalar(context.map[0] * context.map[1])]),
  ),
  centre: ofMap((build, map, context) => {
    const centre = context.map.map((side) => Math.floor(side / 2));
    const next = centre.map((place) => place + 1);
    return build.add('Slice', [map, build.shape(centre), build.shape(next), build.shape([2, 3])]);
  }),
  probability: (_settings, context) => context.probability(),
};

/** Writes the objective and returns the name of its value, [batch]. */
export function writeObjective(build: GraphBuilder, settings: Objective, context: ObjectiveContext): string {
  // The table is keyed by `kind`, which TypeScript cannot follow through the lookup.
  const write = objectives[settings.kind] as Write<Objective['kind']>;
  return flat(build, write(settings as never, context, build));
}
