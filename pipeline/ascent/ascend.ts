/**
 * The loop: a batch of slots, one unit a slot, all moved by one run of the step graph. A slot that is finished is
 * given the next unit at once. What happens in a slot depends on its unit, seed and step alone.
 */

import type { Engine, Value } from '../engine/engine.ts';
import { float32, size, type Tensor } from '../network/graph.ts';
import type { Planes } from '../picture/display.ts';
import { randomOf } from '../recipe/random.ts';
import { drawStart } from '../recipe/starts.ts';
import { compileOctaves, type Octave } from './octaves.ts';
import type { AscentSpec } from './step.ts';

/** What became of one unit. */
export interface Ascent {
  readonly unit: number;
  /** At `frameSteps`, first to last. */
  readonly frames: readonly { readonly step: number; readonly objective: number; readonly picture: Planes }[];
  /** The objective before update k + 1; the last value is of the finished picture. steps + 1 values. */
  readonly curve: readonly number[];
  readonly seconds: number;
}

/** 0, 1, 2, 4, 8 … and the last: the steps that are kept as frames. */
export function frameSteps(steps: number): number[] {
  const kept = [0];
  for (let step = 1; step < steps; step *= 2) kept.push(step);
  return steps > 0 ? [...kept, steps] : kept;
}

interface Slot {
  unit: number;
  step: number;
  curve: number[];
  frames: Ascent['frames'][number][];
  startedAt: number;
}

export interface Ascender {
  /** Yields each unit as it is finished. `attempt` changes all random numbers. Stops early when `signal` is aborted. */
  run(
    units: Iterable<number>,
    options: { seed: number; attempt: number; signal?: AbortSignal },
  ): AsyncGenerator<Ascent>;
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
  { seed, attempt, signal }: { seed: number; attempt: number; signal?: AbortSignal },
): AsyncGenerator<Ascent> {
  const { batch, recipe, size: pictureSize } = spec;
  const kept = new Set(frameSteps(recipe.steps));
  const queue = units[Symbol.iterator]();
  const slots: (Slot | undefined)[] = new Array(batch).fill(undefined);
  let octave = octaves[0] as Octave;
  let feeds = new Map<string, Value>();
  const upload = (name: string, dims: readonly number[], data: Float32Array): void =>
    void feeds.set(name, engine.upload(float32([batch, ...dims], data)));

  const uploadSlices = (): void => {
    for (const { input, dims, pick } of octave.step.slices) {
      const data = new Float32Array(batch * size(dims));
      for (const [index, slot] of slots.entries())
        if (slot !== undefined) data.set(pick(slot.unit), index * size(dims));
      upload(input, dims, data);
    }
  };

  /** Gives every empty slot the next unit: its start, its slice of the layer. */
  const fill = async (): Promise<void> => {
    // Pictures of different sizes cannot share a batch: with octaves all slots start together.
    if (octaves.length > 1) {
      if (slots.some((slot) => slot !== undefined)) return;
      octave = octaves[0] as Octave;
      feeds = new Map();
    }
    const fresh = new Set<number>();
    slots.forEach((slot, index) => {
      if (slot !== undefined) return;
      const next = queue.next();
      if (next.done === true) return;
      slots[index] = { unit: next.value, step: 0, curve: [], frames: [], startedAt: performance.now() };
      fresh.add(index);
    });
    if (fresh.size === 0) return;
    uploadSlices();
    for (const [place, { input, dims, start }] of octave.step.state.entries()) {
      const value = feeds.get(input);
      const length = size(dims);
      const data = value === undefined ? new Float32Array(batch * length) : await download(engine, value);
      for (const index of fresh) {
        const key = [seed, attempt, (slots[index] as Slot).unit, -1];
        const random = randomOf(...key, ...(place === 0 ? [] : [place]));
        data.set(
          start === 'recipe' ? drawStart(recipe.start, length, random) : new Float32Array(length),
          index * length,
        );
      }
      upload(input, dims, data);
    }
  };

  /** Goes on to the octave that the slots have reached. */
  const grow = async (): Promise<void> => {
    const step = slots.find((slot) => slot !== undefined)?.step ?? 0;
    for (const next of octaves.slice(octaves.indexOf(octave) + 1)) {
      if (next.from > step) return;
      feeds = await next.begin(feeds);
      octave = next;
      uploadSlices();
    }
  };

  await fill();
  while (slots.some((slot) => slot !== undefined)) {
    if (signal?.aborted === true) return;
    await grow();
    const { step, program } = octave;
    for (const { input, dims, draw } of step.draws) {
      const data = new Float32Array(batch * size(dims));
      slots.forEach((slot, index) => {
        if (slot === undefined) return;
        // The input's place among the draws keeps two transforms of one step apart.
        const place = step.draws.findIndex((other) => other.input === input);
        data.set(draw(randomOf(seed, attempt, slot.unit, slot.step, place)), index * size(dims));
      });
      upload(input, dims, data);
    }
    for (const { input, at } of step.scalars) {
      upload(
        input,
        [1, 1, 1],
        Float32Array.from(slots, (slot) => at(slot?.step ?? 0)),
      );
    }

    const values = await program.run(feeds);
    for (const { input, output } of step.state) feeds.set(input, values.get(output) as Value);
    const objective = await download(engine, values.get(step.objective) as Value);
    const due = slots.some((slot) => slot !== undefined && kept.has(slot.step));
    const pictures = due ? await download(engine, values.get(step.picture) as Value) : undefined;

    for (const [index, slot] of slots.entries()) {
      if (slot === undefined) continue;
      const value = objective[index] as number;
      slot.curve.push(value);
      if (pictures !== undefined && kept.has(slot.step)) {
        const length = pictures.length / batch;
        const data = pictures.slice(index * length, (index + 1) * length);
        slot.frames.push({ step: slot.step, objective: value, picture: { ...pictureSize, data } });
      }
      if (slot.step === recipe.steps) {
        slots[index] = undefined;
        const seconds = (performance.now() - slot.startedAt) / 1000 / batch;
        yield { unit: slot.unit, frames: slot.frames, curve: slot.curve, seconds };
      } else {
        slot.step++;
      }
    }
    await fill();
  }
}

async function download(engine: Engine, value: Value): Promise<Float32Array> {
  const tensor: Tensor = await engine.download(value);
  if (tensor.type !== 'float32') throw new Error(`Expected float32, got ${tensor.type}`);
  return tensor.data;
}
