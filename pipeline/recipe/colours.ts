/** Planes of any numbers ⇒ planes of colour: mixed as the colours of natural pictures are, kept to 0..255. */

import type { GraphBuilder } from '../network/build.ts';
import { float32 } from '../network/graph.ts';

/** lucid's `color_correlation_svd_sqrt` of ImageNet over its largest column norm; only for three channels. */
const colourCorrelation = [
  [0.26, 0.09, 0.02],
  [0.27, 0.0, -0.05],
  [0.27, -0.09, 0.03],
].map((row) => row.map((value) => value / 0.461952));

/** Writes M · plane of an [N, channels, H, W] value; what has not three channels stays as it is. */
export function correlateColours(build: GraphBuilder, plane: string, channels: number): string {
  if (channels !== 3) return plane;
  const kernel = build.constant(float32([3, 3, 1, 1], colourCorrelation.flat()), 'colours');
  return build.add('Conv', [plane, kernel]);
}

/** Where the colours of a picture can lie, a channel. */
export type Range = readonly [low: readonly number[], high: readonly number[]];

/** Writes low + (high - low) / (1 + e^-v). */
export function squashed(build: GraphBuilder, value: string, [low, high]: Range): string {
  const reach = build.perChannel(high.map((top, channel) => top - (low[channel] as number)));
  const above = build.add('Mul', [build.add('Sigmoid', [value]), reach]);
  return build.add('Add', [above, build.perChannel(low)]);
}

/** Writes min(max(v, low), high). */
export function clipped(build: GraphBuilder, value: string, [low, high]: Range): string {
  return build.add('Min', [build.add('Max', [value, build.perChannel(low)]), build.perChannel(high)]);
}
