/** (settings, what is known of the step) ⇒ (parameter after the update) ⇒ parameter. */

import type { GraphBuilder } from '../network/build.ts';
import { float32, int, int64 } from '../network/graph.ts';
import { clipped } from './colours.ts';
import { median } from './median.ts';
import type { Decoder, Parameter } from './parameterisations.ts';
import { blurring, mirrored, resample } from './resampling.ts';
import type { Filter, Regulariser } from './schema.ts';
import type { PictureSize } from './size.ts';

type Of<Kind> = Extract<Filter, { kind: Kind }>;

export interface FilterContext {
  readonly decoder: Pick<Decoder, 'range'>;
  readonly parameter: Pick<Parameter, 'grey'>;
  /** The gradient that the update was made from, shaped as the parameter. */
  readonly gradient: string;
  readonly size: PictureSize;
}

type Write<Kind> = (settings: Of<Kind>, context: FilterContext, build: GraphBuilder, value: string) => string;

const filters: { readonly [Kind in Filter['kind']]: Write<Kind> } = {
  clip: (_settings, { decoder }, build, value) => clipped(build, value, decoder.range),
  decay: ({ amount }, _context, build, value) => build.add('Mul', [value, build.scalar(1 - amount)]),
  blur: ({ deviation }, { size: { height, width } }, build, value) =>
    resample(build, value, blurring(height, deviation), blurring(width, deviation)),
  median: ({ side }, { size }, build, value) => median(build, value, side, size),
  bilateral,
  /** Yosinski et al., "Understanding Neural Networks Through Deep Visualization", 2015: the norm of each pixel's colours. */
  'small-norm': ({ share }, { parameter, size }, build, value) =>
    withoutSmallest(build, value, share, parameter.grey, size, (away) =>
      acrossChannels(build, build.add('Mul', [away, away]), size),
    ),
  /** The same: |Σ_c x · ∂a/∂x|, to first order what the objective loses without the pixel. */
  'small-contribution': ({ share }, { parameter, gradient, size }, build, value) =>
    withoutSmallest(build, value, share, parameter.grey, size, (away) =>
      build.add('Abs', [acrossChannels(build, build.add('Mul', [away, gradient]), size)]),
    ),
};

/** Writes a filter. */
export function filtered(
  build: GraphBuilder,
  settings: Filter,
  context: FilterContext,
  value: string,
): string {
  // The table is keyed by `kind`, which TypeScript cannot follow through the lookup.
  return (filters[settings.kind] as Write<Filter['kind']>)(settings as never, context, build, value);
}

/** Whether a regulariser acts at every step: then no step needs to ask. */
export const actsAlways = ({ every, last }: Regulariser): boolean =>
  every === undefined && last === undefined;

/** Whether it acts at update `step` (from 0) of `steps`. */
export function actsAfter({ every, last }: Regulariser, step: number, steps: number): boolean {
  if (last === false && step === steps - 1) return false;
  return step % (every ?? 1) === 0;
}

/**
 * Σ_q x(q)·w / Σ_q w, w = exp(-|p - q|² / 2·deviation²) · exp(-|x(p) - x(q)|² / 2·range²) with all channels together
 * (Tomasi, Manduchi, "Bilateral filtering for gray and color images", 1998).
 */
function bilateral(
  { side, deviation, range }: Of<'bilateral'>,
  { size }: FilterContext,
  build: GraphBuilder,
  value: string,
): string {
  const reach = (side - 1) / 2;
  let [sum, total]: [string | undefined, string | undefined] = [undefined, undefined];
  const plus = (a: string | undefined, b: string): string => (a === undefined ? b : build.add('Add', [a, b]));
  for (let down = -reach; down <= reach; down++) {
    const row = moved(build, value, down, 2, size.height);
    for (let right = -reach; right <= reach; right++) {
      const neighbour = moved(build, row, right, 3, size.width);
      const difference = build.add('Sub', [neighbour, value]);
      const square = acrossChannels(build, build.add('Mul', [difference, difference]), size);
      const inColour = build.add('Mul', [square, build.scalar(-0.5 / range ** 2)]);
      const inPlace = build.scalar((-0.5 * (down ** 2 + right ** 2)) / deviation ** 2);
      const weight = build.add('Exp', [build.add('Add', [inColour, inPlace])]);
      sum = plus(sum, build.add('Mul', [neighbour, weight]));
      total = plus(total, weight);
    }
  }
  return build.add('Div', [sum ?? value, total ?? build.scalar(1)]);
}

/** The neighbours `offset` pixels further along an axis, the border mirrored. */
function moved(build: GraphBuilder, value: string, offset: number, axis: 2 | 3, side: number): string {
  if (offset === 0) return value;
  const places = Array.from({ length: side }, (_, place) => mirrored(place + offset, side));
  return build.add('Gather', [value, build.constant(int64(places), 'neighbours')], { axis: int(axis) });
}

/** The sum over the channels, [N, 1, H, W]. By convolution: a reduction's rounding may depend on the batch. */
function acrossChannels(build: GraphBuilder, value: string, { channels }: PictureSize): string {
  const ones = new Float32Array(channels).fill(1);
  return build.add('Conv', [value, build.constant(float32([1, channels, 1, 1], ones), 'ones')]);
}

/** Grey in place of the `share` of all pixels with the smallest `measure` [N, 1, H, W] of how far they are from grey. */
function withoutSmallest(
  build: GraphBuilder,
  value: string,
  share: number,
  grey: readonly number[],
  { height, width }: PictureSize,
  measure: (away: string) => string,
): string {
  const count = Math.floor(share * height * width);
  if (count === 0) return value;
  const fill = build.perChannel(grey);
  const size = measure(build.add('Sub', [value, fill]));
  const flat = build.add('Reshape', [size, build.shape([0, 1, 1, -1])]);
  const [smallest = ''] = build.addMany('TopK', [flat, build.shape([count])], 2, {
    axis: int(3),
    largest: int(0),
    sorted: int(1),
  });
  const limit = build.add('Slice', [
    smallest,
    build.shape([count - 1]),
    build.shape([count]),
    build.shape([3]),
  ]);
  return build.add('Where', [build.add('Greater', [size, limit]), value, fill]);
}
