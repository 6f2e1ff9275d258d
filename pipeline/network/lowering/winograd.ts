/**
 * A convolution 3×3 with a quarter of the products, more or less: F(2×2, 3×3), F(4×4, 3×3) or F(6×6, 3×3) of Lavin and Gray,
 * "Fast algorithms for convolutional neural networks", 2016. Tiles of 4×4, 6×6 or 8×8 values become as many points, at each
 * of which all channels meet all filters in one matrix product, and come back as 2×2, 4×4 or 6×6 values. All of it works on
 * channels last.
 */

import type { GraphBuilder } from '../build.ts';
import { type Float32Tensor, float32, int64, type Tensor } from '../graph.ts';
import { once } from '../once.ts';
import { type Bands, edgesFor, placeOf, reshaped, stacked, transposed } from './bands.ts';

const taps = 3;

/** The coefficients of Π (x - root), constant term first. */
function polynomial(roots: readonly number[]): number[] {
  let product = [1];
  for (const root of roots) {
    product = [...product, 0].map((_, power) => (product[power - 1] ?? 0) - root * (product[power] ?? 0));
  }
  return product;
}

/** Toom and Cook's algorithm on one axis. */
interface Algorithm {
  readonly outputs: number;
  /** Points, and values of a tile: outputs + taps - 1. */
  readonly count: number;
  /** Values → points, taps → points, products there → outputs; a row each. */
  readonly toPoints: readonly (readonly number[])[];
  readonly tapsToPoints: readonly (readonly number[])[];
  readonly fromPoints: readonly (readonly number[])[];
}

/** @param points Where polynomials are evaluated, beside infinity: as many as outputs, and one. */
function algorithm(points: readonly number[]): Algorithm {
  const outputs = points.length - taps + 2;
  const without = (index: number): number[] => points.filter((_, other) => other !== index);
  return {
    outputs,
    count: points.length + 1,
    toPoints: [...points.map((_, index) => [...polynomial(without(index)), 0]), polynomial(points)],
    tapsToPoints: [
      ...points.map((point, index) => {
        const scale = without(index).reduce((product, other) => product * (point - other), 1);
        return Array.from({ length: taps }, (_, power) => point ** power / scale);
      }),
      [0, 0, 1],
    ],
    fromPoints: Array.from({ length: outputs }, (_, power) => [
      ...points.map((point) => point ** power),
      Number(power === outputs - 1),
    ]),
  };
}

const twoOutputs = algorithm([0, 1, -1]);
/** At these points rounding errors are the smallest: half of what they are at 0, ±1, ±2, and so are those of six outputs. */
const fourOutputs = algorithm([0, 0.625, -0.625, 1.5, -1.5]);
const sixOutputs = algorithm([0, 0.5, -0.5, 1, -1, 1.8, -1.8]);
const algorithms = [twoOutputs, fourOutputs, sixOutputs];

/** One axis of the image: so many values are read, `before` zeros stand before them, so many are written. */
export interface Axis {
  readonly size: number;
  readonly before: number;
  readonly written: number;
}

export interface Winograd {
  readonly vertical: Axis;
  readonly horizontal: Axis;
  /** [filters, channels, 3, 3] */
  readonly kernel: Float32Tensor;
  /** The name of a value [filters] that is added. */
  readonly bias?: string | undefined;
  /** Whether bands are written in quarters. */
  readonly inQuarters?: boolean;
}

/**
 * Kernels of more weights a tap are large: they come from far away in memory for every band. As the first matrix of the
 * product they are read in their order, where the second one would be copied into another order first.
 */
const largeKernel = 2 ** 12;
/** Those of more weights a tap come from so far that they repay no fewer tiles at once. */
const [farKernel, tilesOfFar] = [2 ** 16, 32];
/** Values at each point that a core's own cache holds; and no fewer tiles than a large kernel's product takes at once. */
const valuesAtPoint = 2 ** 12;
/** Tiles of a large kernel's product are computed so many at once; there are the tiles of two pictures, or of more. */
const [tilesAtOnce, fewestPictures] = [16, 2];
/** Other tiles than those of four outputs must save so much. */
const worthwhile = 0.9;

const tilesOf = ({ outputs }: Algorithm, { written }: Axis): number => Math.ceil(written / outputs);

const isLarge = ({ dims: [filters = 1, channels = 1] }: Float32Tensor): boolean =>
  channels * filters > largeKernel;

/**
 * Larger tiles take fewer products, unless too much of them lies beyond the edges; they also have more points, at each of
 * which a large kernel is read. Smaller tiles are for few places.
 */
function algorithmFor({ vertical, horizontal, kernel }: Winograd): Algorithm {
  const [other, atOnce] = isLarge(kernel) ? [twoOutputs, tilesAtOnce] : [sixOutputs, 1];
  const products = (way: Algorithm): number => {
    const tiles = fewestPictures * tilesOf(way, vertical) * tilesOf(way, horizontal);
    return Math.ceil(tiles / atOnce) * atOnce * way.count ** 2;
  };
  return products(other) < worthwhile * products(fourOutputs) ? other : fourOutputs;
}

/** Where the bands that are written begin and end. */
function edgesOf({ vertical, horizontal, kernel }: Winograd, batch: number, way: Algorithm): number[] {
  const [filters = 1, channels = 1] = kernel.dims;
  const height = vertical.written;
  if (!isLarge(kernel)) return edgesFor([batch, filters, height, horizontal.written]);
  const tiles =
    channels * filters > farKernel
      ? tilesOfFar
      : Math.max(tilesAtOnce, valuesAtPoint / Math.max(channels, filters));
  const [rows, columns] = [tilesOf(way, vertical), tilesOf(way, horizontal)];
  const pictures = Math.max(1, Math.floor(tiles / (rows * columns)));
  const rowsOfBand = Math.max(1, Math.floor(tiles / columns));
  const starts: number[] = [];
  for (let picture = 0; picture < batch; picture += pictures) {
    for (let row = 0; row < rows; row += rowsOfBand) starts.push(picture * height + row * way.outputs);
  }
  return [...starts, batch * height];
}

/** Writes the convolution of `x`; the bands of what it gives are its own. */
export function winograd(build: GraphBuilder, x: Bands, settings: Winograd): Bands {
  const { vertical, horizontal, kernel, bias, inQuarters = false } = settings;
  const [batch = 1] = x.dims;
  const [filters = 1, channels = 1] = kernel.dims;
  const way = algorithmFor(settings);
  const { outputs, count } = way;
  const [rows, columns] = [tilesOf(way, vertical), tilesOf(way, horizontal)];
  const beyond = build.shared(
    `edge ${channels}`,
    () => float32([1, channels], new Float32Array(channels)),
    'edge',
  );
  const kernelsFirst = isLarge(kernel);
  const atPoints = build.constant(kernelAtPoints(kernel, outputs, kernelsFirst), 'kernel');
  const [reading, writing] = [way.toPoints, way.fromPoints].map((matrix) =>
    build.shared(
      `winograd ${String(matrix)}`,
      () => float32([matrix.length, count], matrix.flat()),
      'winograd',
    ),
  ) as [string, string];

  /** The rows of tiles from `first` to `end` of the pictures in `source`: parts of what is written. */
  const band = (source: string, of: Bands, first: number, end: number): string[] => {
    const tiles = (end - first) * columns;
    const places = { settings, way, of, first, end };
    const windows = build.add('Gather', [source, placesRead(build, places)]);
    const down = build.add('MatMul', [reading, reshaped(build, windows, [count, count * tiles * channels])]);
    const across = build.add('MatMul', [reading, reshaped(build, down, [count, count, tiles * channels])]);
    const points = reshaped(build, across, [count, count, tiles, channels]);
    const met = build.add(
      'MatMul',
      kernelsFirst ? [atPoints, transposed(build, points, [0, 1, 3, 2])] : [points, atPoints],
    );
    const up = build.add('MatMul', [writing, reshaped(build, met, [count, count * tiles * filters])]);
    const back = build.add('MatMul', [writing, reshaped(build, up, [outputs, count, tiles * filters])]);
    const byPlace = kernelsFirst
      ? transposed(build, reshaped(build, back, [outputs * outputs, filters, tiles]), [0, 2, 1])
      : back;
    const inTiles = reshaped(build, byPlace, [outputs * outputs * tiles, filters]);
    const sum = bias === undefined ? inTiles : build.add('Add', [inTiles, bias]);
    return placesWritten(build, places, inQuarters).map((written) => build.add('Gather', [sum, written]));
  };

  const edges = edgesOf(settings, batch, way);
  /** Rows of tiles up to an edge. */
  const tilesTo = (edge: number): number =>
    Math.floor(edge / vertical.written) * rows + (edge % vertical.written) / outputs;
  // Pictures are read together where they lie in one band, of what is read or of what is written.
  const starts = Array.from({ length: batch + 1 }, (_, picture) => picture).filter(
    (picture) => x.edges.includes(picture * vertical.size) && edges.includes(picture * vertical.written),
  );
  const parts = starts.slice(1).flatMap((end, place) => {
    const start = starts[place] as number;
    const read = ofPictures(x, start, end);
    const source = stacked(build, [...read.parts, beyond]);
    const own = edges.filter((edge) => edge >= start * vertical.written && edge <= end * vertical.written);
    return own
      .slice(1)
      .flatMap((edge, before) =>
        band(source, read, tilesTo(own[before] as number) - start * rows, tilesTo(edge) - start * rows),
      );
  });
  return { dims: [batch, filters, vertical.written, horizontal.written], edges, inQuarters, parts };
}

/** Some of the pictures, which begin and end where bands do. */
function ofPictures({ dims, edges, inQuarters, parts }: Bands, start: number, end: number): Bands {
  const [, channels = 1, height = 1, width = 1] = dims;
  const isInside = (edge: number): boolean => edge >= start * height && edge < end * height;
  const values = inQuarters ? 4 : 1;
  return {
    dims: [end - start, channels, height, width],
    edges: [...edges.filter(isInside), end * height].map((edge) => edge - start * height),
    inQuarters,
    parts: parts.filter((_, part) => isInside(edges[Math.floor(part / values)] as number)),
  };
}

/** The rows of tiles from `first` to `end` of some pictures. */
interface Places {
  readonly settings: Winograd;
  readonly way: Algorithm;
  /** The pictures, as they are read. */
  readonly of: Bands;
  readonly first: number;
  readonly end: number;
}

/** [count, count, rows of tiles, columns]: the place of each value of each tile; the last place is what lies beyond the edges. */
function placesRead(build: GraphBuilder, { settings, way, of, first, end }: Places): string {
  const { vertical, horizontal } = settings;
  const [rows, columns] = [tilesOf(way, vertical), tilesOf(way, horizontal)];
  const at = ({ size: side, before }: Axis, tile: number, value: number): number => {
    const place = tile * way.outputs + value - before;
    return place < side ? place : -1;
  };
  const [pictures = 1] = of.dims;
  const make = (): Tensor => {
    const read: number[] = [];
    for (let down = 0; down < way.count; down++) {
      for (let across = 0; across < way.count; across++) {
        for (let row = first; row < end; row++) {
          const y = at(vertical, row % rows, down);
          const line = Math.floor(row / rows) * vertical.size + y;
          for (let column = 0; column < columns; column++) {
            const x = at(horizontal, column, across);
            read.push(y < 0 || x < 0 ? pictures * vertical.size * horizontal.size : placeOf(of, line, x));
          }
        }
      }
    }
    return int64(read);
  };
  const edges = of.inQuarters ? of.edges : [];
  const key = JSON.stringify([way.outputs, vertical, horizontal, pictures, edges, first, end]);
  return build.shared(`read ${key}`, make, 'read');
}

/** Where in [outputs, outputs, rows of tiles, columns] each place is that is written, or each of a quarter. */
function placesWritten(
  build: GraphBuilder,
  { settings: { vertical, horizontal }, way, first, end }: Places,
  inQuarters: boolean,
): string[] {
  const { outputs } = way;
  const [rows, columns] = [tilesOf(way, vertical), tilesOf(way, horizontal)];
  const tiles = (end - first) * columns;
  const step = inQuarters ? 2 : 1;
  const make = (top: number, left: number): Tensor => {
    const written: number[] = [];
    for (let row = first; row < end; row++) {
      const height = Math.min(outputs, vertical.written - (row % rows) * outputs);
      for (let y = top; y < height; y += step) {
        for (let x = left; x < horizontal.written; x += step) {
          const tile = (row - first) * columns + Math.floor(x / outputs);
          written.push((y * outputs + (x % outputs)) * tiles + tile);
        }
      }
    }
    return int64(written);
  };
  const starts = inQuarters
    ? [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ]
    : [[0, 0]];
  return starts.map(([top = 0, left = 0]) => {
    const key = JSON.stringify([outputs, vertical, horizontal, step, top, left, first, end]);
    return build.shared(`written ${key}`, () => make(top, left), 'written');
  });
}

/**
 * [filters, channels, 3, 3] → [count, count, channels, filters], or filters before channels. In memory that copies of a
 * graph share.
 */
const kernelAtPoints = once(({ dims, data }, outputs: number, filtersFirst: boolean) => {
  const { count, tapsToPoints } = algorithms.find((way) => way.outputs === outputs) as Algorithm;
  const [filters = 1, channels = 1] = dims;
  const pairs = filters * channels;
  const result = new Float32Array(new SharedArrayBuffer(4 * count * count * pairs));
  const flat = Float64Array.from(tapsToPoints.flat());
  const half = new Float64Array(count * taps);
  for (let filter = 0; filter < filters; filter++) {
    for (let channel = 0; channel < channels; channel++) {
      const from = (filter * channels + channel) * taps * taps;
      for (let point = 0; point < count; point++) {
        for (let tap = 0; tap < taps; tap++) {
          let sum = 0;
          for (let k = 0; k < taps; k++)
            sum += (flat[point * taps + k] as number) * (data[from + k * taps + tap] as number);
          half[point * taps + tap] = sum;
        }
      }
      const to = filtersFirst ? filter * channels + channel : channel * filters + filter;
      for (let point = 0; point < count; point++) {
        for (let other = 0; other < count; other++) {
          let sum = 0;
          for (let k = 0; k < taps; k++)
            sum += (half[point * taps + k] as number) * (flat[other * taps + k] as number);
          result[(point * count + other) * pairs + to] = sum;
        }
      }
    }
  }
  return float32([count, count, ...(filtersFirst ? [filters, channels] : [channels, filters])], result);
});
