/** (settings) ⇒ how (parameter, gradient, rate, own state) becomes (next parameter, next state), upwards. */

import type { GraphBuilder } from '../network/build.ts';
import type { Optimiser } from './schema.ts';

/** One update of one parameter; all values [batch, …] of rank 4, `rate` and the scalars [batch, 1, 1, 1]. */
export interface Update {
  readonly parameter: string;
  readonly gradient: string;
  /** Values of one picture's parameter. */
  readonly count: number;
  readonly rate: string;
  /** The optimiser's own tensors of this parameter, shaped as it, by the names in `state`. */
  readonly state: readonly string[];
  /** Per-picture numbers, by the names in `scalars`. */
  readonly scalars: readonly string[];
}

export interface Rule {
  /** Names of tensors kept between steps for each parameter; they start at 0. */
  readonly state: readonly string[];
  /** Names of numbers that depend on the step alone, and how, for step from 0. */
  readonly scalars: readonly { readonly name: string; at(step: number): number }[];
  write(
    build: GraphBuilder,
    update: Update,
  ): { readonly parameter: string; readonly state: readonly string[] };
}

type Of<Kind> = Extract<Optimiser, { kind: Kind }>;

const optimisers: { readonly [Kind in Optimiser['kind']]: (settings: Of<Kind>) => Rule } = {
  plain,
  momentum,
  rmsprop,
  adam: (settings) => adam(settings, false),
  nadam: (settings) => adam(settings, true),
};

/** Looks an optimiser up by its kind. */
export function optimiserRule(settings: Optimiser): Rule {
  // The table is keyed by `kind`, which TypeScript cannot follow through the lookup.
  return (optimisers[settings.kind] as (settings: Optimiser) => Rule)(settings);
}

function plain(settings: Of<'plain'>): Rule {
  return {
    state: [],
    scalars: [],
    write: (build, { parameter, gradient, count, rate }) => ({
      parameter: build.add('Add', [
        parameter,
        build.add('Mul', [rate, normalised(build, gradient, count, settings)]),
      ]),
      state: [],
    }),
  };
}

/**
 * v ← μ·v + g; x += rate · v (Polyak, 1964), or with Nesterov's look ahead x += rate · (g + μ·v), in the form of
 * Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.
 */
function momentum(settings: Of<'momentum'>): Rule {
  return {
    state: ['velocity'],
    scalars: [],
    write(build, { parameter, gradient, count, rate, state: [v = ''] }) {
      const g = normalised(build, gradient, count, settings);
      const slowed = (value: string): string => build.add('Mul', [build.scalar(settings.decay), value]);
      const velocity = build.add('Add', [slowed(v), g]);
      const step = settings.nesterov ? build.add('Add', [g, slowed(velocity)]) : velocity;
      return {
        parameter: build.add('Add', [parameter, build.add('Mul', [rate, step])]),
        state: [velocity],
      };
    },
  };
}

/** v ← ρ·v + (1 - ρ)·g²; x += rate · g / (√v + ε) (Tieleman, Hinton, Coursera lecture 6.5, 2012). */
function rmsprop(settings: Of<'rmsprop'>): Rule {
  return {
    state: ['square'],
    scalars: [],
    write(build, { parameter, gradient, count, rate, state: [v = ''] }) {
      const g = normalised(build, gradient, count, settings);
      const square = build.add('Add', [
        build.add('Mul', [build.scalar(settings.decay), v]),
        build.add('Mul', [build.scalar(1 - settings.decay), build.add('Mul', [g, g])]),
      ]);
      const root = build.add('Add', [build.add('Sqrt', [square]), build.scalar(settings.epsilon)]);
      const step = build.add('Mul', [rate, build.add('Div', [g, root])]);
      return { parameter: build.add('Add', [parameter, step]), state: [square] };
    },
  };
}

/**
 * Kingma, Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1, with the sign turned to ascend; with
 * Nesterov's look ahead Dozat, "Incorporating Nesterov momentum into Adam", 2016, with a constant μ:
 * m̂ = β₁·m / (1 - β₁^(t+1)) + (1 - β₁)·g / (1 - β₁^t).
 */
function adam(settings: Of<'adam'> | Of<'nadam'>, nesterov: boolean): Rule {
  const { beta1, beta2, epsilon } = settings;
  return {
    state: ['moment', 'square'],
    scalars: [
      { name: 'momentCorrection', at: (step) => 1 / (1 - beta1 ** (step + 1)) },
      { name: 'squareCorrection', at: (step) => 1 / (1 - beta2 ** (step + 1)) },
      ...(nesterov ? [{ name: 'nextCorrection', at: (step: number) => 1 / (1 - beta1 ** (step + 2)) }] : []),
    ],
    write(build, { parameter, gradient, count, rate, state, scalars }) {
      const [m = '', v = ''] = state;
      const [momentCorrection = '', squareCorrection = '', nextCorrection = ''] = scalars;
      const times = (a: string, b: string): string => build.add('Mul', [a, b]);
      const plus = (a: string, b: string): string => build.add('Add', [a, b]);
      const g = normalised(build, gradient, count, settings);
      const moment = plus(times(build.scalar(beta1), m), times(build.scalar(1 - beta1), g));
      const square = plus(times(build.scalar(beta2), v), times(build.scalar(1 - beta2), times(g, g)));
      const root = build.add('Sqrt', [times(square, squareCorrection)]);
      // The numbers of a picture are multiplied first: there is one of each.
      const scaled = (factor: number, correction: string): string =>
        times(rate, times(build.scalar(factor), correction));
      const way = nesterov
        ? plus(times(moment, scaled(beta1, nextCorrection)), times(g, scaled(1 - beta1, momentCorrection)))
        : times(moment, times(rate, momentCorrection));
      const step = build.add('Div', [way, plus(root, build.scalar(epsilon))]);
      return { parameter: plus(parameter, step), state: [moment, square] };
    },
  };
}

/** g / (norm(g) + ε), a picture at a time. */
function normalised(
  build: GraphBuilder,
  gradient: string,
  count: number,
  { normalise, normEpsilon }: Pick<Optimiser, 'normalise' | 'normEpsilon'>,
): string {
  if (normalise === 'none') return gradient;
  const meanSquare = build.mean(build.add('Mul', [gradient, gradient]), 'picture');
  const square = normalise === 'rms' ? meanSquare : build.add('Mul', [meanSquare, build.scalar(count)]);
  const norm = build.add('Add', [build.add('Sqrt', [square]), build.scalar(normEpsilon)]);
  return build.add('Div', [gradient, norm]);
}
