/**
 * Maps of all pictures laid out channels last, and in bands: rows of the pictures, counted through from the first
 * picture's first to the last one's last, of which each band has some. What is done to a band before the next one's turn
 * finds it in a cache.
 */

import type { GraphBuilder } from '../build.ts';
import { int, int64, ints } from '../graph.ts';

export interface Bands {
  /** [N, C, height, width] */
  readonly dims: readonly number[];
  /** Where bands begin and end: 0, …, N · height. */
  readonly edges: readonly number[];
  /**
   * Whether a band is four values: of each square of 2×2 places the first, second, third and fourth, as poolings read them.
   * Height, width and edges are even then.
   */
  readonly inQuarters: boolean;
  /** A value [places, C] for each band, or for each of its quarters. */
  readonly parts: readonly string[];
}

export const reshaped = (build: GraphBuilder, value: string, dims: readonly number[]): string =>
  build.add('Reshape', [value, build.shape(dims)]);

export const transposed = (build: GraphBuilder, value: string, order: readonly number[]): string =>
  build.add('Transpose', [value], { perm: ints(order) });

/** Several values one after the other along an axis: by default one below the other. */
export const stacked = (build: GraphBuilder, values: readonly string[], axis = 0): string =>
  values.length === 1 ? (values[0] as string) : build.add('Concat', values, { axis: int(axis) });

/** The other way round: the parts of these lengths. */
export const split = (build: GraphBuilder, value: string, lengths: readonly number[], axis = 0): string[] =>
  lengths.length === 1
    ? [value]
    : build.addMany('Split', [value, build.shape(lengths)], lengths.length, { axis: int(axis) });

const rowsOf = ([n = 1, , height = 1]: readonly number[]): number => n * height;

/** One band of all rows, of a value whose numbers lie channels last. */
export function oneBand(build: GraphBuilder, value: string, dims: readonly number[]): Bands {
  const [, channels = 1, , width = 1] = dims;
  const rows = rowsOf(dims);
  return {
    dims,
    edges: [0, rows],
    inQuarters: false,
    parts: [reshaped(build, value, [rows * width, channels])],
  };
}

/** A value [N, C, height, width] as one band. */
export function toChannelsLast(build: GraphBuilder, value: string, dims: readonly number[]): Bands {
  return oneBand(build, transposed(build, value, [0, 2, 3, 1]), dims);
}

/** All bands as a value [N, C, height, width]. */
export function toChannelsFirst(build: GraphBuilder, bands: Bands): string {
  const { dims, edges } = bands;
  const [n = 1, channels = 1, height = 1, width = 1] = dims;
  const { parts } = arranged(build, bands, { edges, inQuarters: false });
  const whole = reshaped(build, stacked(build, parts), [n, height, width, channels]);
  return transposed(build, whole, [0, 3, 1, 2]);
}

/** Values that a core's caches hold while a band is worked on, and rows that tiles of four and tiles of six fill. */
const [valuesOfBand, rowsOfBand] = [3 * 2 ** 15, 12];

/** Where bands of such maps should begin and end: a picture has some, or a band has some pictures. */
export function edgesFor([n = 1, channels = 1, height = 1, width = 1]: readonly number[]): number[] {
  const ofPicture = (channels * height * width) / valuesOfBand;
  const bands = Math.round(ofPicture);
  if (bands > 1) {
    const starts = Array.from(
      { length: bands },
      (_, band) => rowsOfBand * Math.round((band * height) / bands / rowsOfBand),
    );
    const inside = [...new Set(starts)].filter((start) => start < height);
    const pictures = Array.from({ length: n }, (_, picture) => picture * height);
    return [...pictures.flatMap((first) => inside.map((start) => first + start)), n * height];
  }
  const groups = Math.max(1, Math.min(n, Math.round(n * ofPicture)));
  return Array.from({ length: groups + 1 }, (_, group) => Math.round((group * n) / groups) * height);
}

/** Where every picture begins and ends. */
export const picturesOf = ([n = 1, , height = 1]: readonly number[]): number[] =>
  Array.from({ length: n + 1 }, (_, picture) => picture * height);

/** The same edges, and those between pictures. */
export const withPictures = (edges: readonly number[], dims: readonly number[]): number[] =>
  [...new Set([...edges, ...picturesOf(dims)])].sort((a, b) => a - b);

export type Arrangement = Pick<Bands, 'edges' | 'inQuarters'>;

/** In which values are brought together: as those are of more than one band, and in the bands that all of them have. */
export function sharedArrangement(all: readonly Bands[]): Arrangement {
  const several = all.filter(({ edges }) => edges.length > 2);
  const [first, ...others] = (several.length > 0 ? several : all) as [Bands, ...Bands[]];
  return {
    edges: first.edges.filter((edge) => others.every(({ edges }) => edges.includes(edge))),
    inQuarters: [first, ...others].every(({ inQuarters }) => inQuarters),
  };
}

/** The same values arranged otherwise. */
export function arranged(build: GraphBuilder, bands: Bands, to: Arrangement): Bands {
  const { dims, edges } = bands;
  if (String(edges) === String(to.edges)) return inQuartersOrNot(build, bands, to.inQuarters);
  const whole = inQuartersOrNot(build, bands, false);
  const shared = edges.filter((edge) => to.edges.includes(edge));
  const parts = shared.slice(1).flatMap((end, place) => {
    const start = shared[place] as number;
    const joined = stacked(
      build,
      whole.parts.filter((_, part) => (edges[part] as number) >= start && (edges[part] as number) < end),
    );
    const inside = to.edges.filter((edge) => edge >= start && edge <= end);
    const lengths = inside.slice(1).map((edge, next) => (edge - (inside[next] as number)) * (dims[3] ?? 1));
    return split(build, joined, lengths);
  });
  return inQuartersOrNot(build, { dims, edges: to.edges, inQuarters: false, parts }, to.inQuarters);
}

function inQuartersOrNot(build: GraphBuilder, bands: Bands, inQuarters: boolean): Bands {
  const { dims, edges, parts } = bands;
  if (bands.inQuarters === inQuarters) return bands;
  const [, , , width = 1] = dims;
  const arrange = (value: string, key: string, places: () => readonly number[]): string =>
    build.add('Gather', [value, build.shared(key, () => int64(places()), 'places')]);
  const own = edges.slice(1).flatMap((end, band) => {
    const rows = end - (edges[band] as number);
    const all = Array.from({ length: rows * width }, (_, place) => place);
    const quarterOf = (place: number): number => quarter(Math.floor(place / width), place % width);
    if (inQuarters) {
      return [0, 1, 2, 3].map((one) =>
        arrange(parts[band] as string, `quarter ${one} of ${rows}×${width}`, () =>
          all.filter((place) => quarterOf(place) === one),
        ),
      );
    }
    const four = stacked(build, parts.slice(4 * band, 4 * band + 4));
    return [
      arrange(four, `quarters of ${rows}×${width}`, () =>
        all.map((place) => placeIn(rows, width, Math.floor(place / width), place % width)),
      ),
    ];
  });
  return { dims, edges, inQuarters, parts: own };
}

/** In which of the four values a place is. */
const quarter = (row: number, column: number): number => 2 * (row % 2) + (column % 2);

/** Where a place of a band in quarters is, if these lie one below the other. */
const placeIn = (rows: number, width: number, row: number, column: number): number =>
  (quarter(row, column) * rows * width) / 4 + (Math.floor(row / 2) * width) / 2 + Math.floor(column / 2);

/** Where a place is, if all parts lie one below the other; rows are counted through all pictures. */
export function placeOf(
  { dims, edges, inQuarters }: Omit<Bands, 'parts'>,
  row: number,
  column: number,
): number {
  const [, , , width = 1] = dims;
  if (!inQuarters) return row * width + column;
  const band = edges.findLastIndex((edge) => edge <= row);
  const [start = 0, end = 0] = edges.slice(band);
  return start * width + placeIn(end - start, width, row - start, column);
}
