/** How long one step of one picture takes: whole ascents are run, by turns where they are compared. */

import { setTimeout } from 'node:timers/promises';
import { type Ascender, ascender } from '../ascent/ascend.ts';
import type { AscentSpec } from '../ascent/step.ts';
import type { Engine } from '../engine/engine.ts';

/** One of those that take turns: a run gives the milliseconds of one step of one picture. */
export interface Contestant {
  run(): Promise<number>;
  release(): Promise<void>;
}

/** Ascents, and the share of their time in which no step was computed. */
export interface Climber extends Contestant {
  hostShare(): number;
}

/** Ascents of `spec`; starts and frames belong to them, but the time counts from the first step's end. */
export async function climbing(spec: AscentSpec, engine: Engine): Promise<Climber> {
  const { batch } = spec;
  let [computing, all] = [0, 0];
  const compile: Engine['compile'] = async (graph, liberties, copies) => {
    const program = await engine.compile(graph, liberties, copies);
    return {
      async run(feeds) {
        const startedAt = performance.now();
        const values = await program.run(feeds);
        computing += performance.now() - startedAt;
        return values;
      },
      release: () => program.release(),
    };
  };
  const climber: Ascender = await ascender(spec, { ...engine, compile });
  const units = Array.from({ length: batch }, (_, unit) => unit % spec.layer.units);
  return {
    async run() {
      const moments: number[] = [];
      const stepped = (): void => {
        if (moments.length === 0) computing = 0;
        moments.push(performance.now());
      };
      for await (const _ of climber.run(units, { seed: 0, attempt: 0, stepped }));
      const [first = 0, last = 0] = [moments[0], moments.at(-1)];
      all = last - first;
      return all / (moments.length - 1) / batch;
    },
    hostShare: () => 1 - computing / all,
    release: () => climber.release(),
  };
}

/** Before each turn: for a while the threads of whoever ran before wait actively, and take a core. */
const restMs = 200;

/**
 * Milliseconds a picture-step of each contestant, of each of `rounds` rounds in which all take a turn one after the other,
 * so that whatever else the machine does slows all of them; a first round that warms up does not count.
 */
export async function byTurns(contestants: readonly Contestant[], rounds = 7): Promise<number[][]> {
  const found = contestants.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, contestant] of contestants.entries()) {
      await setTimeout(restMs);
      const ms = await contestant.run();
      if (round >= 0) found[index]?.push(ms);
    }
  }
  return found;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (low + high) / 2;
}

/** The middle of what the ones took of the others, round by round: both were slowed alike. */
export const medianRatio = (ones: readonly number[], others: readonly number[]): number =>
  median(ones.map((one, round) => one / (others[round] as number)));
