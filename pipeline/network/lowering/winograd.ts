/**
 * A convolution 3×3 with a quarter of the products: F(4×4, 3×3) of Lavin and Gray, "Fast algorithms for convolutional
 * neural networks", 2016. Tiles of 6×6 values become 36 points, at each of which all channels meet all filters in one
 * matrix product, and come back as 4×4 values. All of it works on [height, width, N, C].
 */

import type { GraphBuilder } from '../build.ts';
import { type Float32Tensor, float32, ints } from '../graph.ts';

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
}

const tilesOf = ({ written }: Axis): number => Math.ceil(written / outputs);

/** So few tiles of a picture go through one matrix product: fewer would not repay the reading of the kernels. */
const fewTiles = 16;

/** Writes the convolution of `x` [height, width, N, channels]: [height, width, N, filters], without a bias. */
export function winograd(build: GraphBuilder, x: string, settings: Winograd): string {
  const { vertical, horizontal, batch, kernel } = settings;
  const [filters = 1, channels = 1] = kernel.dims;
  const [rows, columns] = [tilesOf(vertical), tilesOf(horizontal)];
  // Rows of tiles that meet the kernels together.
  const together = rows * columns <= fewTiles ? rows : 1;
  const groups = rows / together;
  const shaped = (value: string, dims: readonly number[]): string =>
    build.add('Reshape', [value, build.shape(dims)]);

  // [point, row of tiles], then in each point [point, row of tiles, column of tiles].
  const down = read(build, shaped(x, [1, 1, vertical.size, horizontal.size * batch * channels]), vertical);
  const across =
    together === 1
      ? read(build, shaped(down, [count * rows, 1, horizontal.size, batch * channels]), horizontal)
      : build.add('MatMul', [
          constant(build, reading(horizontal, together)),
          shaped(down, [count, together * horizontal.size, batch * channels]),
        ]);
  const met = build.add('MatMul', [
    shaped(across, [count, groups, count, together * columns * batch, channels]),
    kernelAtPoints(build, kernel),
  ]);
  const back =
    together === 1
      ? write(build, shaped(met, [count * rows, count, columns, batch * filters]), horizontal)
      : build.add('MatMul', [
          constant(build, writing(horizontal, together)),
          shaped(met, [count, count * together * columns, batch * filters]),
        ]);
  const up = write(build, shaped(back, [1, count, rows, horizontal.written * batch * filters]), vertical);
  return shaped(up, [vertical.written, horizontal.written, batch, filters]);
}

/** [n, 1, value, …] → [n, point, tile, …]: a convolution of six filters with steps of four. */
function read(build: GraphBuilder, value: string, axis: Axis): string {
  const after = outputs * tilesOf(axis) + taps - 1 - axis.size - axis.before;
  const kernel = build.constant(float32([count, 1, count, 1], toPoints.flat()), 'winograd');
  return build.add('Conv', [value, kernel], {
    strides: ints([outputs, 1]),
    pads: ints([axis.before, 0, after, 0]),
  });
}

/** [n, point, tile, …] → [n, 1, value, …]. */
function write(build: GraphBuilder, value: string, axis: Axis): string {
  const transposed = toPoints.flatMap((_, point) => fromPoints.map((row) => row[point] ?? 0));
  const kernel = build.constant(float32([count, 1, outputs, 1], transposed), 'winograd');
  return build.add('ConvTranspose', [value, kernel], {
    strides: ints([outputs, 1]),
    pads: ints([0, 0, outputs * tilesOf(axis) - axis.written, 0]),
  });
}

interface Matrix {
  readonly dims: readonly [rows: number, columns: number];
  readonly data: Float32Array;
}

const constant = (build: GraphBuilder, { dims, data }: Matrix): string =>
  build.constant(float32(dims, data), 'winograd');

/** [point, repeated, tile] from [repeated, value]: the points of each tile; `repeated` axes side by side. */
function reading(axis: Axis, repeated: number): Matrix {
  const tiles = tilesOf(axis);
  const width = repeated * axis.size;
  const data = new Float32Array(count * repeated * tiles * width);
  for (let point = 0; point < count; point++) {
    for (let copy = 0; copy < repeated; copy++) {
      for (let tile = 0; tile < tiles; tile++) {
        const row = ((point * repeated + copy) * tiles + tile) * width + copy * axis.size;
        for (let value = 0; value < count; value++) {
          const place = tile * outputs + value - axis.before;
          if (place >= 0 && place < axis.size) data[row + place] = toPoints[point]?.[value] ?? 0;
        }
      }
    }
  }
  return { dims: [count * repeated * tiles, width], data };
}

/** [repeated, value] from [point, repeated, tile]. */
function writing(axis: Axis, repeated: number): Matrix {
  const tiles = tilesOf(axis);
  const width = count * repeated * tiles;
  const data = new Float32Array(repeated * axis.written * width);
  for (let copy = 0; copy < repeated; copy++) {
    for (let place = 0; place < axis.written; place++) {
      const row = (copy * axis.written + place) * width;
      const tile = Math.floor(place / outputs);
      for (let point = 0; point < count; point++) {
        data[row + (point * repeated + copy) * tiles + tile] = fromPoints[place % outputs]?.[point] ?? 0;
      }
    }
  }
  return { dims: [repeated * axis.written, width], data };
}

/** [filters, channels, 3, 3] → [6, 1, 6, channels, filters]. */
function kernelAtPoints(build: GraphBuilder, { dims, data }: Float32Tensor): string {
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
  return build.constant(float32([count, 1, count, channels, filters], result), 'kernel');
}
