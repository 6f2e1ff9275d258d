/**
 * Which convolutions of a graph are worth computing by Winograd's way. Alone each loses what its neighbours share: a change
 * of layout before it and after it, so that whole graphs are compared, by the sum of measured times.
 */

import type { Graph } from '../graph.ts';
import { type ConvolutionShape, type LoweringOptions, outline } from './lower.ts';

/** Measured, in milliseconds a picture. */
export interface ConvolutionTimes {
  readonly plain: number;
  readonly winograd: number;
  /** Of one change of the layout of what the convolution reads. */
  readonly change: number;
}

/** The measured times of convolutions; undefined for those that are not worth measuring. */
export type TimesOf = (shape: ConvolutionShape) => ConvolutionTimes | undefined;

/** The shapes of the convolutions that can be computed by `winograd`. */
export function candidates(graph: Graph, dims: LoweringOptions['dims']): readonly ConvolutionShape[] {
  return outline(graph, { dims, choose: () => true }).convolutions;
}

/** The share of all convolutions' time that a graph must save: what lies between them is not measured. */
const worthwhile = 0.04;

/**
 * Chooses the quickest of some graphs: all convolutions plain; those by Winograd's way that gain even alone; those of all
 * maps that are at most so large.
 */
export function quickest(
  graph: Graph,
  dims: LoweringOptions['dims'],
  timesOf: TimesOf,
): LoweringOptions['choose'] {
  const shapes = candidates(graph, dims).filter((shape) => timesOf(shape) !== undefined);
  const all = shapes.reduce((sum, shape) => sum + (timesOf(shape)?.plain ?? 0), 0);
  /** Of a change of a value [N, C, height, width], by what was measured at maps of that size. */
  const ofChange = ([, channels = 1, height, width]: readonly number[]): number => {
    const alike = shapes.filter((shape) => shape.height === height && shape.width === width);
    const near = alike.find((shape) => shape.channels === channels) ?? alike[0];
    return near === undefined ? 0 : ((timesOf(near)?.change ?? 0) * channels) / near.channels;
  };
  const gain = (choose: LoweringOptions['choose']): number => {
    const { convolutions, changes } = outline(graph, { dims, choose });
    const saved = convolutions.reduce((sum, shape) => {
      const { plain, winograd } = timesOf(shape) ?? { plain: 0, winograd: 0 };
      return sum + plain - winograd;
    }, 0);
    return saved - changes.reduce((sum, shape) => sum + ofChange(shape), 0);
  };
  const area = ({ height, width }: ConvolutionShape): number => height * width;
  const ways: LoweringOptions['choose'][] = [
    (shape) => {
      const times = timesOf(shape);
      return times !== undefined && times.winograd + 2 * times.change < times.plain;
    },
    ...[...new Set(shapes.map(area))].map(
      (most): LoweringOptions['choose'] =>
        (shape) =>
          timesOf(shape) !== undefined && area(shape) <= most,
    ),
  ];
  let [best, most]: [LoweringOptions['choose'], number] = [() => false, worthwhile * all];
  for (const way of ways) {
    const gained = gain(way);
    if (gained > most) [best, most] = [way, gained];
  }
  return best;
}
