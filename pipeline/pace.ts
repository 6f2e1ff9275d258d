/** How fast work goes and how long the rest takes, from the moments at which pieces of it were done. */

/** Pieces come in batches, and layers differ: this long a stretch evens out the first and follows the second. */
const windowMs = 30_000;

export class Pace {
  #total: number;
  /** [moment, pieces done by then], the oldest first; always one at or before the window's start. */
  readonly #marks: [atMs: number, done: number][];

  /** @param done Pieces that were there before; they say nothing of how fast it goes. */
  constructor(total: number, nowMs: number, done = 0) {
    this.#total = total;
    this.#marks = [[nowMs, done]];
  }

  /** Says that `done` pieces in all are finished at this moment, of `total`, which may have become fewer. */
  mark(done: number, nowMs: number, total = this.#total): void {
    this.#total = total;
    this.#marks.push([nowMs, done]);
    while ((this.#marks[1]?.[0] ?? nowMs) < nowMs - windowMs) this.#marks.shift();
  }

  /** Pieces a second of late; 0 while none is done. */
  rate(nowMs: number): number {
    const [from, before] = this.#marks[0] ?? [nowMs, 0];
    const done = this.#marks.at(-1)?.[1] ?? 0;
    const elapsedMs = nowMs - from;
    return elapsedMs > 0 ? ((done - before) * 1000) / elapsedMs : 0;
  }

  /** Seconds until all is done; undefined while there is no rate to judge by. */
  secondsLeft(nowMs: number): number | undefined {
    const left = this.#total - (this.#marks.at(-1)?.[1] ?? 0);
    const rate = this.rate(nowMs);
    if (left <= 0) return 0;
    return rate > 0 ? left / rate : undefined;
  }
}
