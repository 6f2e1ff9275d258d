/** Random search: the base first, then one drawn recipe after another until trials, time or what can be drawn runs out. */

import { PhospheneError } from '../error.ts';
import type { Column } from '../sheet/column.ts';
import { measuredOf } from '../sheet/column.ts';
import type { Rows } from '../sheet/layers.ts';
import { type Limits, type MeasuredLayers, type Score, scoreOf } from './rank.ts';
import type { Point } from './space.ts';

/** One recipe that was tried on all units. */
export interface Trial {
  /** 0: the base. */
  readonly trial: number;
  /** What is varied in it; nothing in the base. */
  readonly point: Point;
  readonly column: Column;
  readonly score: Score;
}

/** A recipe was tried. */
export interface TrialEvent {
  readonly kind: 'trial';
  readonly trial: number;
  /** How many there will be at most, the base apart; undefined where time alone ends it. */
  readonly of: number | undefined;
  readonly point: Point;
  readonly score: Score;
}

export interface Budget {
  /** Beside the base. */
  readonly trials?: number;
  readonly seconds?: number;
}

export interface SearchEffects {
  /** Renders all units by the base with these values. */
  render(point: Point): Promise<Column>;
  readonly signal: AbortSignal;
  emit(event: TrialEvent): void;
  /** Milliseconds that only grow. */
  now(): number;
}

export type Ending = 'trials' | 'time' | 'exhausted' | 'interrupted';

export interface Search {
  /** As they were tried. */
  readonly trials: readonly Trial[];
  readonly ended: Ending;
}

/**
 * Tries recipes within a budget. Time counts from the first rendering; a trial is begun where it can be expected to end
 * in time. One that is interrupted is dropped, those before it stay.
 * @throws the signal's reason where not even the base was finished.
 * @throws PhospheneError where the base has no pictures, or none of its units answers: nothing can be held against it.
 */
export async function search(
  rows: readonly Rows[],
  points: Iterable<Point>,
  limits: Limits,
  budget: Budget,
  { render, signal, emit, now }: SearchEffects,
): Promise<Search> {
  const trials: Trial[] = [];
  let base: MeasuredLayers | undefined;
  const startedMs = now();
  // The longest: where the store has a trial already, the others still take their time.
  let longestMs = 0;
  const attempt = async (point: Point): Promise<boolean> => {
    const beganMs = now();
    const column = await render(point);
    if (signal.aborted) return false;
    longestMs = Math.max(longestMs, now() - beganMs);
    const measured = measuredLayers(rows, column);
    base ??= measured;
    const trial = trials.length;
    const score = scoreOf(measured, base, limits);
    trials.push({ trial, point, column, score });
    emit({ kind: 'trial', trial, of: budget.trials, point, score });
    return true;
  };

  if (!(await attempt({}))) {
    signal.throwIfAborted();
    return { trials, ended: 'interrupted' };
  }
  if (trials[0]?.score.score === null) {
    throw new PhospheneError(
      `Expected pictures to hold others against, found none by the recipe as it is: ${reasonOf(trials[0].column)}`,
    );
  }
  const drawn = points[Symbol.iterator]();
  for (;;) {
    if (signal.aborted) return { trials, ended: 'interrupted' };
    if (trials.length > (budget.trials ?? Number.POSITIVE_INFINITY)) return { trials, ended: 'trials' };
    const left = (budget.seconds ?? Number.POSITIVE_INFINITY) * 1000 - (now() - startedMs);
    if (left < longestMs) return { trials, ended: 'time' };
    const next = drawn.next();
    if (next.done === true) return { trials, ended: 'exhausted' };
    if (!(await attempt(next.value))) return { trials, ended: 'interrupted' };
  }
}

function reasonOf({ layers }: Column): string {
  for (const { cells } of layers.values()) {
    for (const cell of cells.values()) if (cell.kind === 'none') return cell.reason;
  }
  return 'no unit answers to its picture; choose others with --units';
}

const measuredLayers = (rows: readonly Rows[], { layers }: Column): MeasuredLayers =>
  rows.map(({ layer, units }) =>
    units.map(({ unit }) => measuredOf(layers.get(layer.name)?.cells.get(unit))),
  );
