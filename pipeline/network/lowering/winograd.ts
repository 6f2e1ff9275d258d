/**
 * A convolution 3×3 with a quarter of the products: F(4×4, 3×3) of Lavin and Gray, "Fast algorithms for convolutional
 * neural networks", 2016. Tiles of 6×6 values become 36 points, at each of which all channels meet all filters in one
 * matrix product, and come back as 4×4 values. All of it works on channels last, [N, height, width, C].
 */

import type { GraphBuilder } from '../build.ts';
import { type Float32Tensor, float32, int, int64, type Tensor } from '../graph.ts';
import { once } from '../once.ts';

const outputs = 4;
const taps = 3;
/** Where the polynomials are evaluated, beside infinity: with 0, ±1 and ±2 rounding errors are two and a half times as large. */
const points = [0, 0.625, -0.625, 1.5, -1.5];
const count = points.length + 1;

/** The coefficients of Π (x - root), constant term first. */
function polynomial(roots: readonly number[]): number[] {
  let product = [1];
  for (const root of roots) {
    product = [...product, 0].map((_, power) => (product[power - 1] ?? 0) - root * (product[power] ?? 0));
  }
  return product;
}

const without = (index: number): number[] => points.filter((_, other) => other !== index);

/** Toom and Cook's algorithm at the points: 6 values → 6 points; 3 taps → 6 points; products there → 4 values. */
const toPoints = [...points.map((_, index) => [...polynomial(without(index)), 0]), polynomial(points)];
const tapsToPoints = [
  ...points.map((point, index) => {
    const scale = without(index).reduce((product, other) => product * (point - other), 1);
    return Array.from({ length: taps }, (_, power) => point ** power / scale);
  }),
  [0, 0, 1],
];
const fromPoints = Array.from({ length: outputs }, (_, power) => [
  ...points.map((point) => point ** power),
  Number(power === outputs - 1),
]);

/** One axis of the image: so many values are read, `before` zeros stand before them, so many are written. */
export interface Axis {
  readonly size: number;
  readonly before: number;
  readonly written: number;
}

export interface Winograd {
  readonly vertical: Axis;
  readonly horizontal: Axis;
  readonly batch: number;
  /** [filters, channels, 3, 3] */
  readonly kernel: Float32Tensor;
  /** The name of a value [filters] that is added. */
  readonly bias?: string | undefined;
}

const tilesOf = ({ written }: Axis): number => Math.ceil(written / outputs);

/**
 * Values that a processor's caches hold: rows of tiles are worked on in bands of so many, unless each would have to read
 * kernels of more than twice as many.
 */
const valuesOfBand = 2 ** 19;

/** Writes the convolution of `x` [N, height, width, channels]: [N, height, width, filters]. */
export function winograd(build: GraphBuilder, x: string, settings: Winograd): string {
  const { vertical, horizontal, batch, kernel, bias } = settings;
  const [filters = 1, channels = 1] = kernel.dims;
  const [rows, columns] = [tilesOf(vertical), tilesOf(horizontal)];
  const shaped = (value: string, dims: readonly number[]): string =>
    build.add('Reshape', [value, build.shape(dims)]);

  const places = shaped(x, [batch * vertical.size * horizontal.size, channels]);
  // The last place is what lies beyond the edges.
  const beyond = build.constant(float32([1, channels], new Float32Array(channels)), 'edge');
  const source = build.add('Concat', [places, beyond], { axis: int(0) });
  const atPoints = build.constant(kernelAtPoints(kernel), 'kernel');
  const [reading, writing] = [toPoints, fromPoints].map((matrix) =>
    build.constant(float32([matrix.length, count], matrix.flat()), 'winograd'),
  ) as [string, string];

  /** The rows of tiles from `first` to `end`, of all pictures' rows: [places, filters]. */
  const band = (first: number, end: number): string => {
    const tiles = (end - first) * columns;
    const read = build.constant(placesRead(settings, first, end), 'read');
    const windows = build.add('Gather', [source, read]);
    const down = build.add('MatMul', [reading, shaped(windows, [count, count * tiles * channels])]);
    const across = build.add('MatMul', [reading, shaped(down, [count, count, tiles * channels])]);
    const met = build.add('MatMul', [shaped(across, [count, count, tiles, channels]), atPoints]);
    const up = build.add('MatMul', [writing, shaped(met, [count, count * tiles * filters])]);
    const back = build.add('MatMul', [writing, shaped(up, [outputs, count, tiles * filters])]);
    const inTiles = shaped(back, [outputs * outputs * tiles, filters]);
    const sum = bias === undefined ? inTiles : build.add('Add', [inTiles, bias]);
    return build.add('Gather', [sum, build.constant(placesWritten(settings, first, end), 'written')]);
  };

  const values = count * count * batch * rows * columns * channels;
  const isSmall = count * count * channels * filters <= 2 * valuesOfBand;
  const bands = isSmall ? Math.max(1, Math.min(batch * rows, Math.round(values / valuesOfBand))) : 1;
  const edges = Array.from({ length: bands + 1 }, (_, edge) => Math.round((edge * batch * rows) / bands));
  const parts = edges.slice(1).map((end, place) => band(edges[place] as number, end));
  const all = parts.length === 1 ? (parts[0] as string) : build.add('Concat', parts, { axis: int(0) });
  return shaped(all, [batch, vertical.written, horizontal.written, filters]);
}

/** [6, 6, rows of tiles from `first` to `end`, columns]: the place of each value of each tile. */
function placesRead({ vertical, horizontal, batch }: Winograd, first: number, end: number): Tensor {
  const [rows, columns] = [tilesOf(vertical), tilesOf(horizontal)];
  const ofPicture = vertical.size * horizontal.size;
  const at = ({ size: side, before }: Axis, tile: number, value: number): number => {
    const place = tile * outputs + value - before;
    return place < side ? place : -1;
  };
  const places: number[] = [];
  for (let down = 0; down < count; down++) {
    for (let across = 0; across < count; across++) {
      for (let row = first; row < end; row++) {
        const y = at(vertical, row % rows, down);
        const line = Math.floor(row / rows) * ofPicture + y * horizontal.size;
        for (let column = 0; column < columns; column++) {
          const x = at(horizontal, column, across);
          places.push(y < 0 || x < 0 ? batch * ofPicture : line + x);
        }
      }
    }
  }
  return int64(places);
}

/** Of each place in the rows of tiles from `first` to `end`, where it is in [4, 4, rows, columns]. */
function placesWritten({ vertical, horizontal }: Winograd, first: number, end: number): Tensor {
  const [rows, columns] = [tilesOf(vertical), tilesOf(horizontal)];
  const tiles = (end - first) * columns;
  const places: number[] = [];
  for (let row = first; row < end; row++) {
    const height = Math.min(outputs, vertical.written - (row % rows) * outputs);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < horizontal.written; x++) {
        const tile = (row - first) * columns + Math.floor(x / outputs);
        places.push((y * outputs + (x % outputs)) * tiles + tile);
      }
    }
  }
  return int64(places);
}

/** [filters, channels, 3, 3] → [6, 6, channels, filters]. */
const kernelAtPoints = once(({ dims, data }) => {
  const [filters = 1, channels = 1] = dims;
  const pairs = filters * channels;
  const result = new Float32Array(count * count * pairs);
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
      const to = channel * filters + filter;
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
  return float32([count, count, channels, filters], result);
});
