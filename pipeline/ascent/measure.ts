/** What a network makes of pictures: measured on the 8 bits that people see, not on what the ascent had in mind. */

import type { Engine, Program, Value } from '../engine/engine.ts';
import { GraphBuilder } from '../network/build.ts';
import { copier, cutAtLayer, toLayout, type UnitSlice } from '../network/cut.ts';
import { float32, int, size } from '../network/graph.ts';
import type { Layer, Network } from '../network/network.ts';
import { atContrast, shifted, zoomed } from '../picture/change.ts';
import type { Planes } from '../picture/display.ts';
import { networkGrey, type Scaling, scalePicture } from '../recipe/scaling.ts';
import type { PictureSize } from '../recipe/size.ts';

/** One unit's response to one picture. */
export interface Response {
  /** Mean of the unit's map after the activation function. */
  readonly activation: number;
  /** Largest and smallest value of that map. */
  readonly maxActivation: number;
  readonly minActivation: number;
  /** Mean of the map before the activation function. */
  readonly linearActivation: number;
}

export interface Measurer {
  /** The response of each unit to its own picture; as many units as pictures, any number. */
  respond(units: readonly number[], pictures: readonly Planes[]): Promise<Response[]>;
  release(): Promise<void>;
}

/** Compiles the forward pass up to `layer` for pictures of 0..255. */
export async function measurer(
  { network, layer, scaling, size: pictureSize, batch }: MeasureSpec,
  engine: Engine,
): Promise<Measurer> {
  const build = new GraphBuilder(undefined, network.graph.opset);
  const picture = build.input('picture', [batch, ...dimsOf(pictureSize)]);
  const input = toLayout(build, scalePicture(build, picture, scaling), network);
  const { linear, activation, slices } = cutAtLayer(build, network, layer, input, batch);
  const rows = (value: string): string => build.add('Reshape', [value, build.shape([batch, 1, -1, 1])]);
  const outputs = [
    build.mean(rows(activation), 'map'),
    build.add('GlobalMaxPool', [rows(activation)]),
    build.add('Neg', [build.add('GlobalMaxPool', [build.add('Neg', [rows(activation)])])]),
    build.mean(rows(linear), 'map'),
  ];
  const program = await engine.compile(build.graph(outputs));
  return {
    respond: (units, pictures) =>
      inBatches(units, pictures, batch, (own, planes) =>
        respond(program, engine, picture, slices, outputs, own, planes),
      ),
    release: () => program.release(),
  };
}

export interface MeasureSpec {
  readonly network: Network;
  readonly layer: Layer;
  readonly scaling: Scaling;
  readonly size: PictureSize;
  readonly batch: number;
}

const dimsOf = ({ channels, height, width }: PictureSize): number[] => [channels, height, width];

/** Calls `run` with exactly `batch` units a time; the last call repeats its first unit where units are missing. */
async function inBatches<T>(
  units: readonly number[],
  pictures: readonly Planes[],
  batch: number,
  run: (units: readonly number[], pictures: readonly Planes[]) => Promise<T[]>,
): Promise<T[]> {
  const results: T[] = [];
  for (let from = 0; from < units.length; from += batch) {
    const indices = Array.from({ length: batch }, (_, index) =>
      from + index < units.length ? from + index : from,
    );
    const own = await run(
      indices.map((index) => units[index] as number),
      indices.map((index) => pictures[index] as Planes),
    );
    results.push(...own.slice(0, units.length - from));
  }
  return results;
}

const stack = (planes: readonly Planes[]): Float32Array => {
  const length = planes[0]?.data.length ?? 0;
  const data = new Float32Array(length * planes.length);
  planes.forEach((picture, index) => void data.set(picture.data, index * length));
  return data;
};

async function respond(
  program: Program,
  engine: Engine,
  picture: string,
  slices: readonly UnitSlice[],
  outputs: readonly string[],
  units: readonly number[],
  planes: readonly Planes[],
): Promise<Response[]> {
  const batch = units.length;
  const feeds = new Map<string, Value>();
  const first = planes[0] as Planes;
  feeds.set(picture, engine.upload(float32([batch, ...dimsOf(first)], stack(planes))));
  for (const { input, dims, pick } of slices) {
    const data = new Float32Array(batch * size(dims));
    units.forEach((unit, index) => void data.set(pick(unit), index * size(dims)));
    feeds.set(input, engine.upload(float32([batch, ...dims], data)));
  }
  const values = await program.run(feeds);
  const read = async (name: string): Promise<ArrayLike<number>> =>
    (await engine.download(values.get(name) as Value)).data as Float32Array;
  const [activation, largest, smallest, linear] = await Promise.all(outputs.map(read));
  engine.free([...feeds.values(), ...values.values()]);
  return units.map((_, index) => ({
    activation: activation?.[index] ?? 0,
    maxActivation: largest?.[index] ?? 0,
    minActivation: smallest?.[index] ?? 0,
    linearActivation: linear?.[index] ?? 0,
  }));
}

/** The eight neighbours at one sixty-fourth of the side, one pixel at least. */
export function neighbouringShifts(side: number): [down: number, right: number][] {
  const by = Math.max(1, Math.round(side / 64));
  const steps = [-by, 0, by];
  return steps
    .flatMap((down) => steps.map((right): [number, number] => [down, right]))
    .filter(([down, right]) => down !== 0 || right !== 0);
}

/** Enlargements about the centre. */
const slightZooms = [0.95, 1.05];

/** What a unit thinks of its picture when it is changed. */
export interface Robustness {
  /**
   * Mean share of `activation` that is left under `neighbouringShifts` and under `slightZooms`; null where it is not
   * above 0.
   */
  readonly keptUnderShifts: number | null;
  readonly keptUnderScales: number | null;
  /** The activation with the contrast that all pictures are compared at. */
  readonly equalContrastActivation: number;
}

/** Deviation from the network's grey at which pictures of different recipes are compared, of 255. */
const comparedContrast = 48;

/** How each unit's response to its picture changes with the picture. */
export async function robustness(
  meter: Measurer,
  units: readonly number[],
  pictures: readonly Planes[],
  activations: readonly number[],
  scaling: Scaling,
): Promise<Robustness[]> {
  const responsesTo = (change: (picture: Planes) => Planes): Promise<Response[]> =>
    meter.respond(units, pictures.map(change));
  const kept = async (changes: readonly ((picture: Planes) => Planes)[]): Promise<(number | null)[]> => {
    const totals = units.map(() => 0);
    for (const change of changes) {
      (await responsesTo(change)).forEach(({ activation }, index) => {
        totals[index] = (totals[index] as number) + activation;
      });
    }
    return activations.map((activation, index) =>
      activation > 0 ? (totals[index] as number) / changes.length / activation : null,
    );
  };
  const shifts = neighbouringShifts(Math.min(pictures[0]?.height ?? 1, pictures[0]?.width ?? 1));
  const moved = await kept(
    shifts.map(
      ([down, right]) =>
        (picture) =>
          shifted(picture, down, right),
    ),
  );
  const scaled = await kept(slightZooms.map((factor) => (picture) => zoomed(picture, factor)));
  const grey = networkGrey(scaling);
  const compared = await responsesTo((picture) => atContrast(picture, grey, comparedContrast));
  return units.map((_, index) => ({
    keptUnderShifts: moved[index] ?? null,
    keptUnderScales: scaled[index] ?? null,
    equalContrastActivation: compared[index]?.activation ?? 0,
  }));
}

/** Share of values within 8 of 0 or 255. */
export function harshShare({ data }: Planes): number {
  return data.reduce((count, value) => count + Number(value <= 8 || value >= 247), 0) / data.length;
}

/** Class probabilities. */
export interface Classifier {
  /** Softmax over the scores of each picture, one row a picture. */
  classify(pictures: readonly Planes[]): Promise<Float32Array[]>;
  release(): Promise<void>;
}

/** Compiles the whole network up to the class scores of `layer`, and a softmax. */
export async function classifier(
  { network, layer, scaling, size: pictureSize, batch }: MeasureSpec,
  engine: Engine,
): Promise<Classifier> {
  const build = new GraphBuilder(undefined, network.graph.opset);
  const picture = build.input('picture', [batch, ...dimsOf(pictureSize)]);
  const input = toLayout(build, scalePicture(build, picture, scaling), network);
  const scores = copier(build, network.graph, new Map([[network.input.name, input]]))(layer.linear);
  const output = build.add('Softmax', [build.add('Reshape', [scores, build.shape([batch, layer.units])])], {
    axis: int(-1),
  });
  const program = await engine.compile(build.graph([output]));
  return {
    classify: (pictures) =>
      inBatches(
        pictures.map(() => 0),
        pictures,
        batch,
        async (_, planes) => {
          const value = engine.upload(float32([batch, ...dimsOf(pictureSize)], stack(planes)));
          const results = await program.run(new Map([[picture, value]]));
          const { data } = await engine.download(results.get(output) as Value);
          engine.free([value, ...results.values()]);
          return planes.map((_, index) =>
            (data as Float32Array).slice(index * layer.units, (index + 1) * layer.units),
          );
        },
      ),
    release: () => program.release(),
  };
}
