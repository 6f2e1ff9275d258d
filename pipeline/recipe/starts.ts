/** (settings, the parameter, random numbers) ⇒ the values that an ascent starts from. */

import type { Random } from './random.ts';
import type { Start } from './schema.ts';

type Of<Kind> = Extract<Start, { kind: Kind }>;
type Place = readonly [channel: number, y: number, x: number];
type Dims = readonly [channels: number, height: number, width: number];
type Draw<Kind> = (settings: Of<Kind>, random: Random, parameter: StartOf) => (place: Place) => number;

/** What is started. */
export interface StartOf {
  readonly dims: Dims;
  /** The value that gives grey, a channel. */
  readonly grey: readonly number[];
  /** For the start `image`: the values that give the file's picture. */
  readonly image?: Float32Array | undefined;
}

const starts: { readonly [Kind in Exclude<Start['kind'], 'image'>]: Draw<Kind> } = {
  uniform:
    ({ low, high }, random) =>
    () =>
      low + (high - low) * random.uniform(),
  normal:
    ({ mean, deviation }, random) =>
    () =>
      mean + deviation * random.normal(),
  constant:
    ({ value }) =>
    () =>
      value,
  grey:
    (_settings, _random, { grey }) =>
    ([channel]) =>
      grey[channel] as number,
  gradient: ({ from, to, degrees }, _random, { dims: [, height, width] }) => {
    const angle = (degrees * Math.PI) / 180;
    const [right, down] = [Math.cos(angle), Math.sin(angle)];
    const along = (y: number, x: number): number =>
      (x - (width - 1) / 2) * right + (y - (height - 1) / 2) * down;
    const reach = Math.abs(right) * ((width - 1) / 2) + Math.abs(down) * ((height - 1) / 2);
    return ([, y, x]) => from + (to - from) * (reach === 0 ? 0.5 : along(y, x) / reach / 2 + 0.5);
  },
};

/** The values of a parameter, drawn one after the other. */
export function drawStart(settings: Start, parameter: StartOf, random: Random): Float32Array {
  const [channels, height, width] = parameter.dims;
  const length = channels * height * width;
  if (settings.kind === 'image') {
    if (parameter.image?.length !== length) throw new Error(`Expected a start picture of ${length} values`);
    return parameter.image;
  }
  // The table is keyed by `kind`, which TypeScript cannot follow through the lookup.
  const draw = (starts[settings.kind] as Draw<Start['kind']>)(settings as never, random, parameter);
  return Float32Array.from({ length }, (_, index) =>
    draw([Math.floor(index / (height * width)), Math.floor(index / width) % height, index % width]),
  );
}
