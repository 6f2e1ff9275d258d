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

const mapAxes = ({ rank }: ObjectiveContext): number[] => (rank === 4 ? [2, 3] : []);
const chosen = ({ of }: { of: 'activation' | 'linear' }, context: ObjectiveContext): string => context[of];
const flat = (build: GraphBuilder, value: string): string => build.add('Reshape', [value, build.shape([-1])]);

const objectives: { readonly [Kind in Objective['kind']]: Write<Kind> } = {
  mean: (settings, context, build) =>
    context.rank === 4 ? build.mean(chosen(settings, context), mapAxes(context)) : chosen(settings, context),
  sum: (settings, context, build) =>
    context.rank === 4 ? build.sum(chosen(settings, context), mapAxes(context)) : chosen(settings, context),
  centre: (settings, context, build) => {
    if (context.rank !== 4) return chosen(settings, context);
    const centre = context.map.map((side) => Math.floor(side / 2));
    const after = centre.map((place) => place + 1);
    return build.add('Slice', [
      chosen(settings, context),
      build.shape(centre),
      build.shape(after),
      build.shape([2, 3]),
    ]);
  },
  probability: (_settings, context) => context.probability(),
};

/** Writes the objective and returns the name of its value, [batch]. */
export function writeObjective(build: GraphBuilder, settings: Objective, context: ObjectiveContext): string {
  // The table is keyed by `kind`, which TypeScript cannot follow through the lookup.
  const write = objectives[settings.kind] as Write<Objective['kind']>;
  return flat(build, write(settings as never, context, build));
}
