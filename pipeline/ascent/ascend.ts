/**
 * The loop: a batch of slots, one unit a slot, all moved by one run of the step graph. A slot that is finished is
 * given the next unit at once. What happens in a slot depends on its unit, seed and step alone. All values stay with the
 * engine from step to step; they are read when a frame is due.
 */

import type { Engine, Value } from '../engine/engine.ts';
import { float32, size, type Tensor } from '../network/graph.ts';
import { resized } from '../picture/change.ts';
import type { Planes } from '../picture/display.ts';
import { frameSteps } from '../recipe/frames.ts';
import type { Parameter } from '../recipe/parameterisations.ts';
import { type Random, randomOf } from '../recipe/random.ts';
import { drawStart } from '../recipe/starts.ts';
import { isFlat } from '../recipe/stopping.ts';
import { compileOctaves, type Octave } from './octaves.ts';
import type { AscentSpec } from './step.ts';

/** What became of one unit. */
export interface Ascent {
  readonly unit: number;
  /** At `frameSteps`, first to last. */
  readonly frames: readonly { readonly step: number; readonly objective: number; readonly picture: Planes }[];
  /** The objective before update k + 1; the last value is of the finished picture. One value more than steps. */
  readonly curve: readonly number[];
  readonly seconds: number;
}

interface Slot {
  unit: number;
  step: number;
  /** The step at which it is finished: the recipe's number of steps, or fewer where that says when to stop. */
  end: number;
  curve: number[];
  frames: Ascent['frames'][number][];
  startedAt: number;
}

/** What a step made that is not read yet, and whose it is. */
interface Unread {
  readonly slots: readonly (
    | { readonly slot: Slot; readonly step: number; readonly shown: boolean }
    | undefined
  )[];
  readonly objective: Value;
  /** Where a frame is due. */
  readonly picture: Value | undefined;
}

export interface AscentOptions {
  readonly seed: number;
  /** Changes all random numbers. */
  readonly attempt: number;
  /** Stops early when it is aborted. */
  readonly signal?: AbortSignal;
  /** Called after each step, with the number of units that it moved. */
  stepped?(units: number): void;
}

export interface Ascender {
  /** Yields each unit as it is finished. */
  run(units: Iterable<number>, options: AscentOptions): AsyncGenerator<Ascent>;
  release(): Promise<void>;
}

/** Compiles the step graphs of `spec`; the ascender renders any units of the layer with them. */
export async function ascender(spec: AscentSpec, engine: Engine): Promise<Ascender> {
  const octaves = await compileOctaves(spec, engine);
  return {
    run: (units, options) => ascend(spec, octaves, engine, units, options),
    release: async () => void (await Promise.all(octaves.map((octave) => octave.release()))),
  };
}

async function* ascend(
  spec: AscentSpec,
  octaves: readonly Octave[],
  engine: Engine,
  units: Iterable<number>,
  { seed, attempt, signal, stepped }: AscentOptions,
): AsyncGenerator<Ascent> {
  const { batch, recipe, size: pictureSize } = spec;
  const kept = new Set(frameSteps(recipe.steps));
  const queue = units[Symbol.iterator]();
  const slots: (Slot | undefined)[] = new Array(batch).fill(undefined);
  let octave = octaves[0] as Octave;
  const { pictures } = octave.step;
  let feeds = new Map<string, Value>();

  const feed = (input: string, value: Value): void => {
    const before = feeds.get(input);
    feeds.set(input, value);
    if (before !== undefined) engine.free([before]);
  };
  /** Uploads what `row` gives for each picture of each slot; the rows of an empty slot are 0. */
  const upload = (
    input: string,
    dims: readonly number[],
    row: (slot: Slot, picture: number) => ArrayLike<number>,
  ): void => {
    const data = new Float32Array(batch * pictures * size(dims));
    slots.forEach((slot, index) => {
      if (slot === undefined) return;
      for (let picture = 0; picture < pictures; picture++)
        data.set(row(slot, picture), (index * pictures + picture) * size(dims));
    });
    feed(input, engine.upload(float32([batch * pictures, ...dims], data)));
  };
  /** Of several pictures of a unit each has random numbers of its own. */
  const random = (slot: Slot, picture: number, ...key: readonly number[]): Random =>
    randomOf(seed, attempt, slot.unit, ...key, ...(picture === 0 ? [] : [picture]));

  const uploadSlices = (): void => {
    for (const { input, dims, pick } of octave.step.slices) upload(input, dims, ({ unit }) => pick(unit));
  };

  /** Gives every empty slot the next unit: its start, its slice of the layer. */
  const fill = async (): Promise<void> => {
    // Pictures of different sizes cannot share a batch: with octaves all slots start together.
    if (octaves.length > 1) {
      if (slots.some((slot) => slot !== undefined)) return;
      octave = octaves[0] as Octave;
      engine.free(feeds.values());
      feeds = new Map();
    }
    const fresh = new Set<Slot>();
    slots.forEach((slot, index) => {
      if (slot !== undefined) return;
      const next = queue.next();
      if (next.done === true) return;
      const begun = {
        unit: next.value,
        step: 0,
        end: recipe.steps,
        curve: [],
        frames: [],
        startedAt: performance.now(),
      };
      slots[index] = begun;
      fresh.add(begun);
    });
    if (fresh.size === 0) return;
    uploadSlices();
    for (const [place, { input, dims, parameter }] of octave.step.state.entries()) {
      const value = feeds.get(input);
      const length = size(dims);
      // Where all slots are fresh nothing of what was is needed.
      const kept = value !== undefined && slots.some((slot) => slot !== undefined && !fresh.has(slot));
      const before = kept ? await download(engine, value) : undefined;
      const image = startImage(spec, octave, parameter);
      upload(input, dims, (slot, picture) => {
        if (!fresh.has(slot)) {
          const from = (slots.indexOf(slot) * pictures + picture) * length;
          return before?.subarray(from, from + length) ?? [];
        }
        if (parameter?.start !== 'recipe') return new Float32Array(length);
        const own = random(slot, picture, -1, ...(place === 0 && picture === 0 ? [] : [place]));
        return drawStart(recipe.start, { dims, grey: parameter.grey, image }, own);
      });
    }
  };

  /** Goes on to the octave that the slots have reached. */
  const grow = async (): Promise<void> => {
    const step = slots.find((slot) => slot !== undefined)?.step ?? 0;
    for (const next of octaves.slice(octaves.indexOf(octave) + 1)) {
      if (next.from > step) return;
      const before = feeds;
      feeds = await next.begin(before);
      engine.free(before.values());
      octave = next;
      uploadSlices();
    }
  };

  let unread: Unread[] = [];
  /** Gives each slot its share of what was not read. */
  const read = async (): Promise<void> => {
    const steps = unread;
    unread = [];
    for (const { slots, objective, picture } of steps) {
      const objectives = await download(engine, objective);
      const shown = picture && (await download(engine, picture));
      engine.free(picture === undefined ? [objective] : [objective, picture]);
      for (const [index, seen] of slots.entries()) {
        if (seen === undefined) continue;
        const row = index * pictures + (recipe.diversity?.shown ?? 0);
        const value = objectives[row] as number;
        seen.slot.curve.push(value);
        if (shown === undefined || !seen.shown) continue;
        const length = shown.length / (batch * pictures);
        const data = shown.slice(row * length, (row + 1) * length);
        seen.slot.frames.push({ step: seen.step, objective: value, picture: { ...pictureSize, data } });
      }
    }
  };

  try {
    await fill();
    while (slots.some((slot) => slot !== undefined)) {
      if (signal?.aborted === true) return;
      await grow();
      const { step, program } = octave;
      // The input's place among the draws keeps two transforms of one step apart.
      for (const [place, { input, dims, draw }] of step.draws.entries())
        upload(input, dims, (slot, picture) => draw(random(slot, picture, slot.step, place)));
      for (const { input, at } of step.scalars) upload(input, [1, 1, 1], (slot) => [at(slot.step, slot.end)]);

      const values = await program.run(feeds);
      for (const { input, output } of step.state) feed(input, values.get(output) as Value);
      const seen = slots.map(
        (slot) => slot && { slot, step: slot.step, shown: slot.step === slot.end || kept.has(slot.step) },
      );
      const due = seen.some((each) => each?.shown);
      const picture = values.get(step.picture) as Value;
      if (!due) engine.free([picture]);
      unread.push({
        slots: seen,
        objective: values.get(step.objective) as Value,
        picture: due ? picture : undefined,
      });
      // A recipe that stops by its curve must know it.
      if (due || recipe.stop !== undefined) await read();
      stepped?.(seen.filter((each) => each !== undefined).length);

      for (const [index, slot] of slots.entries()) {
        if (slot === undefined) continue;
        if (slot.step === slot.end) {
          slots[index] = undefined;
          const seconds = (performance.now() - slot.startedAt) / 1000 / batch;
          yield { unit: slot.unit, frames: slot.frames, curve: slot.curve, seconds };
        } else {
          // The update after this value is made already; the next one is the last and knows that it is.
          if (recipe.stop !== undefined && isFlat(recipe.stop, slot.curve))
            slot.end = Math.min(slot.end, slot.step + 2);
          slot.step++;
        }
      }
      await fill();
    }
  } finally {
    engine.free(feeds.values());
    engine.free(unread.map(({ objective }) => objective));
  }
}

/** For the start `image`: the parameter's values that give the picture at the octave's size. */
function startImage(
  { startPicture }: AscentSpec,
  { size: { height, width } }: Octave,
  parameter: Parameter | undefined,
): Float32Array | undefined {
  return startPicture && parameter?.encode?.(resized(startPicture, height, width).data);
}

async function download(engine: Engine, value: Value): Promise<Float32Array> {
  const tensor: Tensor = await engine.download(value);
  if (tensor.type !== 'float32') throw new Error(`Expected float32, got ${tensor.type}`);
  return tensor.data;
}
