/** From a layer's units to their renderings: attempts until a unit speaks, the 8 bits that people see, the measures. */

import type { Measures } from '../../content/schema.ts';
import type { Engine } from '../engine/engine.ts';
import { planesOf, show } from '../picture/display.ts';
import { highFrequencyShare } from '../picture/spectrum.ts';
import { lastResort } from '../recipe/resolve.ts';
import type { Scaling } from '../recipe/scaling.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { Rendering } from '../store/store.ts';
import { type Ascender, type Ascent, ascender } from './ascend.ts';
import {
  classifier,
  harshShare,
  type Measurer,
  measurer,
  type Response,
  type Robustness,
  robustness,
} from './measure.ts';
import { fewestPictures } from './octaves.ts';
import type { AscentSpec } from './step.ts';

export interface LayerSpec extends AscentSpec {
  readonly seed: number;
}

export interface LayerJob extends LayerSpec {
  readonly units: readonly number[];
}

/** A layer whose graphs are compiled: any of its units can be rendered, again and again. */
export interface OpenLayer {
  /**
   * Renders these units, yielding each as it is finished. Stops between two steps when `signal` is aborted.
   * @param stepped Called after each step with the number of pictures that it moved.
   */
  render(
    units: readonly number[],
    signal: AbortSignal,
    stepped?: (pictures: number) => void,
  ): AsyncGenerator<UnitRendering>;
  release(): Promise<void>;
}

/** What is known of a unit when its ascent is over; the caller adds where it belongs. */
export type UnitRendering = Pick<Rendering, 'unit' | 'frames' | 'curve' | 'measures' | 'seconds' | 'recipe'>;

/** An ascent, the 8 bits of its frames, and what the network makes of the last and the first of them. */
interface Candidate {
  readonly unit: number;
  readonly recipe: Recipe;
  readonly frames: Rendering['frames'];
  readonly curve: readonly number[];
  readonly seconds: number;
  readonly response: Response;
  readonly initial: Response;
  readonly robustness: Robustness;
}

/** Renders the units of a job, as `OpenLayer` does, with graphs compiled for it alone. */
export async function* renderLayer(
  { units, ...spec }: LayerJob,
  engine: Engine,
  signal: AbortSignal,
  stepped?: (pictures: number) => void,
): AsyncGenerator<UnitRendering> {
  const layer = await openLayer(spec, engine);
  try {
    yield* layer.render(units, signal, stepped);
  } finally {
    await layer.release();
  }
}

/** Compiles what the units of a layer are rendered and measured with. */
export async function openLayer({ batch, ...given }: LayerSpec, engine: Engine): Promise<OpenLayer> {
  const { layer, recipe } = given;
  const job = { ...given, batch: Math.max(fewestPictures(layer), batch) };
  let climber: Ascender | undefined = await ascender(job, engine);
  const meter = await measurer(job, engine);
  const classify = layer.kind === 'scores' ? await classifier(job, engine) : undefined;
  const finish = async (candidate: Candidate, dead: boolean): Promise<UnitRendering> => {
    const { unit, recipe, frames, curve, seconds, response, initial } = candidate;
    const published = planesOf((frames.at(-1) as Rendering['frames'][number]).pixels, job.size);
    const measures: Measures = {
      activation: response.activation,
      maxActivation: response.maxActivation,
      initialActivation: initial.activation,
      linearActivation: response.linearActivation,
      ...candidate.robustness,
      harshShare: harshShare(published),
      highFrequencyShare: highFrequencyShare(published),
      dead,
    };
    const rendering = { unit, recipe, frames, curve, seconds, measures };
    if (classify === undefined) return rendering;
    const [probabilities = new Float32Array()] = await classify.classify([published]);
    const prediction = predictionOf(probabilities, unit);
    const probability = probabilities[unit] ?? 0;
    return { ...rendering, measures: { ...measures, probability, prediction } };
  };

  const render: OpenLayer['render'] = async function* (units, signal, stepped = () => {}) {
    climber ??= await ascender(job, engine);
    const silent = new Map<number, Candidate>();
    // Where all attempts are compared, a few units at a time: what waits for its rivals is held in memory.
    const shares = recipe.keep === 'best' ? chunks(units, job.batch) : [units];
    for (const share of shares) {
      const best = new Map<number, Candidate>();
      for (let attempt = 0, open = share; attempt < recipe.attempts && open.length > 0; attempt++) {
        const ascents = climber.run(open, { seed: job.seed, attempt, signal, stepped });
        for await (const group of groups(ascents, job.batch)) {
          for (const candidate of await measure(group, recipe, meter, job.scaling)) {
            const { unit } = candidate;
            if (recipe.keep !== 'best' && !isSilent(candidate)) {
              best.delete(unit);
              yield await finish(candidate, false);
            } else if (isBetter(candidate, best.get(unit))) {
              best.set(unit, candidate);
            }
          }
        }
        if (signal.aborted) return;
        if (recipe.keep !== 'best') open = [...best.keys()];
      }
      for (const [unit, candidate] of best) {
        if (isSilent(candidate)) silent.set(unit, candidate);
        else yield await finish(candidate, false);
      }
    }
    if (silent.size === 0) return;
    // One at a time: each keeps the maps of a whole batch.
    await climber.release();
    climber = undefined;
    const woken = await wakened(job, [...silent.keys()], meter, engine, signal);
    if (signal.aborted) return;
    for (const [unit, candidate] of silent) {
      const awake = woken.get(unit);
      yield await finish(recipe.wake && awake !== undefined ? awake : candidate, awake === undefined);
    }
  };
  return {
    render,
    release: async () => {
      await Promise.all([climber, meter, classify].map((each) => each?.release()));
    },
  };
}

/** What the recipe `wake` makes of units that their own recipe left silent: those that it made active. */
async function wakened(
  job: LayerSpec,
  silent: readonly number[],
  meter: Measurer,
  engine: Engine,
  signal: AbortSignal,
): Promise<Map<number, Candidate>> {
  const { seed, batch, scaling } = job;
  const climber = await ascender({ ...job, recipe: lastResort }, engine);
  const found = new Map<number, Candidate>();
  try {
    for (let attempt = 0; attempt < lastResort.attempts; attempt++) {
      const rest = silent.filter((unit) => !found.has(unit));
      for await (const ascents of groups(climber.run(rest, { seed, attempt, signal }), batch)) {
        for (const candidate of await measure(ascents, lastResort, meter, scaling)) {
          if (!isSilent(candidate)) found.set(candidate.unit, candidate);
        }
      }
    }
  } finally {
    await climber.release();
  }
  return found;
}

/**
 * A map that is 0 everywhere: the unit says nothing, and a ReLU passes no gradient. Where the recipe does not ask the
 * unit to speak, its silence is no failure.
 */
function isSilent({ recipe: { objective }, response: { maxActivation, minActivation } }: Candidate): boolean {
  const asked = objective.negative !== true && objective.kind !== 'norm';
  return asked && maxActivation === 0 && minActivation === 0;
}

/** Of two attempts at one unit: it speaks, or it does in both and its objective ends higher, or in none and is nearer. */
function isBetter(candidate: Candidate, than: Candidate | undefined): boolean {
  if (than === undefined) return true;
  const [silent, other] = [isSilent(candidate), isSilent(than)];
  if (silent !== other) return other;
  if (silent) return candidate.response.linearActivation > than.response.linearActivation;
  return (candidate.curve.at(-1) ?? 0) > (than.curve.at(-1) ?? 0);
}

async function measure(
  ascents: readonly Ascent[],
  recipe: Recipe,
  meter: Measurer,
  scaling: Scaling,
): Promise<Candidate[]> {
  const units = ascents.map(({ unit }) => unit);
  const frames = ascents.map((ascent) =>
    ascent.frames.map(({ step, objective, picture }) => ({
      step,
      objective,
      pixels: show(recipe.display, picture),
    })),
  );
  const planes = (place: 0 | -1) =>
    ascents.map((ascent, index) =>
      planesOf(
        frames[index]?.at(place)?.pixels as Uint8Array,
        ascent.frames.at(place)?.picture as Ascent['frames'][number]['picture'],
      ),
    );
  const published = planes(-1);
  const responses = await meter.respond(units, published);
  const initials = await meter.respond(units, planes(0));
  const activations = responses.map(({ activation }) => activation);
  const robust = await robustness(meter, units, published, activations, scaling);
  return ascents.map(({ unit, curve, seconds }, index) => ({
    unit,
    recipe,
    curve,
    seconds,
    frames: frames[index] as Candidate['frames'],
    response: responses[index] as Response,
    initial: initials[index] as Response,
    robustness: robust[index] as Robustness,
  }));
}

function predictionOf(probabilities: Float32Array, unit: number): NonNullable<Measures['prediction']> {
  const predicted = probabilities.reduce(
    (best, value, index) => (value > (probabilities[best] as number) ? index : best),
    0,
  );
  return {
    unit: predicted,
    probability: probabilities[predicted] as number,
    right: predicted === unit,
  };
}

/** The same for what is there already. */
function chunks<T>(items: readonly T[], length: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / length) }, (_, place) =>
    items.slice(place * length, (place + 1) * length),
  );
}

/** The items in groups of `length`; the last one may be shorter. */
async function* groups<T>(items: AsyncIterable<T>, length: number): AsyncGenerator<T[]> {
  let group: T[] = [];
  for await (const item of items) {
    group.push(item);
    if (group.length === length) {
      yield group;
      group = [];
    }
  }
  if (group.length > 0) yield group;
}
