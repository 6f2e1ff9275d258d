/** Ascending numbers in short: as runs, `[first, last]`, and as text, `0-15,40`. */

export type Run = [first: number, last: number];

/** Ascending numbers as runs: 0, 1, 2, 5 are [0, 2] and [5, 5]. */
export function runsOf(numbers: Iterable<number>): Run[] {
  const runs: Run[] = [];
  for (const number of numbers) {
    const last = runs.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else runs.push([number, number]);
  }
  return runs;
}

/** `0-2,5` */
export function runsText(numbers: Iterable<number>): string {
  return runsOf(numbers)
    .map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`))
    .join(',');
}

/** What `runsText` wrote; no numbers for any other text, and never more than a million. */
export function numbersIn(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const [, first, last] = /^(\d{1,9})(?:-(\d{1,9}))?$/.exec(part) ?? [];
    if (first === undefined) return [];
    const length = Number(last ?? first) - Number(first) + 1;
    return Array.from({ length: Math.min(Math.max(length, 0), 1_000_000) }, (_, at) => Number(first) + at);
  });
}
