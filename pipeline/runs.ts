/** Ascending numbers in short: as runs, `[first, last]`, and as text, `0-15,40`. */

export type Run = [first: number, last: number];

/** Ascending numbers as runs: 0, 1, 2, 5 are [0, 2] and [5, 5]. */
export function runsOf(units: readonly number[]): Run[] {
  const runs: Run[] = [];
  for (const unit of units) {
    const last = runs.at(-1);
    if (last?.[1] === unit - 1) last[1] = unit;
    else runs.push([unit, unit]);
  }
  return runs;
}
