/** Between a picture of 0..255 RGB and the numbers that a network takes. */

import type { InputScaling } from '../../content/schema.ts';
import type { GraphBuilder } from '../network/build.ts';
import { int, int64 } from '../network/graph.ts';

/** input[c] = (picture[source[c]] - mean[c]) / deviation[c] */
export interface Scaling {
  readonly source: readonly number[];
  readonly mean: readonly number[];
  readonly deviation: readonly number[];
}

const identity = { order: 'rgb', mean: 0, deviation: 1 } as const;

/** The presets' numbers: `caffe` and `torch` are the ImageNet means that the published weights were trained with. */
const presets = {
  none: identity,
  '0..1': { ...identity, deviation: 255 },
  '-1..1': { ...identity, mean: 127.5, deviation: 127.5 },
  caffe: { order: 'bgr', mean: [103.939, 116.779, 123.68], deviation: 1 },
  torch: {
    order: 'rgb',
    mean: [0.485 * 255, 0.456 * 255, 0.406 * 255],
    deviation: [0.229 * 255, 0.224 * 255, 0.225 * 255],
  },
} as const;

/** The scaling of a network with `channels` input channels. @throws RangeError where the list of numbers does not fit. */
export function resolveScaling(scaling: InputScaling, channels: number): Scaling {
  const { order, mean, deviation } = typeof scaling === 'string' ? presets[scaling] : scaling;
  const perChannel = (value: number | readonly number[], what: string): number[] => {
    const list = typeof value === 'number' ? new Array<number>(channels).fill(value) : [...value];
    if (list.length !== channels) {
      throw new RangeError(
        `Expected the input scaling's ${what} to hold ${channels} numbers, one a channel, found ${list.length}`,
      );
    }
    return list;
  };
  const source = Array.from({ length: channels }, (_, channel) => channel);
  return {
    source: order === 'bgr' ? source.reverse() : source,
    mean: perChannel(mean, 'mean'),
    deviation: perChannel(deviation, 'deviation'),
  };
}

/** The network input that a picture value `value` (0..255) of every channel gives, channel by channel. */
export function scaled({ mean, deviation }: Scaling, value: number): number[] {
  return mean.map((m, channel) => (value - m) / (deviation[channel] as number));
}

/** The network input of a picture [channels, …] of 0..255 RGB, on the host. */
export function scaledPicture(picture: Float32Array, { source, mean, deviation }: Scaling): Float32Array {
  const area = picture.length / mean.length;
  return picture.map((_, index) => {
    const channel = Math.floor(index / area);
    const value = picture[(source[channel] as number) * area + (index % area)] as number;
    return (value - (mean[channel] as number)) / (deviation[channel] as number);
  });
}

/** The picture (0..255, RGB order) whose input is 0, where that lies between black and white; else 127.5. */
export function networkGrey({ source, mean }: Scaling): number[] {
  const grey = new Array<number>(mean.length);
  source.forEach((target, channel) => {
    const zero = mean[channel] as number;
    grey[target] = zero > 0 && zero < 255 ? zero : 127.5;
  });
  return grey;
}

/** The network input that `networkGrey` gives, channel by channel. */
export function scaledGrey(scaling: Scaling): number[] {
  const grey = networkGrey(scaling);
  const { source, mean, deviation } = scaling;
  return source.map((from, channel) => {
    return ((grey[from] as number) - (mean[channel] as number)) / (deviation[channel] as number);
  });
}

/** Writes RGB → the network's order of channels, or back: both are the same exchange. */
export const reorderChannels = (build: GraphBuilder, value: string, { source }: Scaling): string =>
  source.every((from, channel) => from === channel)
    ? value
    : build.add('Gather', [value, build.constant(int64(source), 'order')], { axis: int(1) });

/** Writes picture → network input; both [N, C, H, W]. */
export function scalePicture(build: GraphBuilder, picture: string, scaling: Scaling): string {
  let value = reorderChannels(build, picture, scaling);
  if (scaling.mean.some((m) => m !== 0)) value = build.add('Sub', [value, build.perChannel(scaling.mean)]);
  if (scaling.deviation.some((d) => d !== 1)) {
    value = build.add('Div', [value, build.perChannel(scaling.deviation)]);
  }
  return value;
}

/** Writes network input → picture, the inverse of `scalePicture`. */
export function unscalePicture(build: GraphBuilder, input: string, scaling: Scaling): string {
  let value = input;
  if (scaling.deviation.some((d) => d !== 1)) {
    value = build.add('Mul', [value, build.perChannel(scaling.deviation)]);
  }
  if (scaling.mean.some((m) => m !== 0)) value = build.add('Add', [value, build.perChannel(scaling.mean)]);
  return reorderChannels(build, value, scaling);
}
