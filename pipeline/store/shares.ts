/** What of some work is still to be done, and which part of it this process does next, while others do theirs. */

import type { Claims } from './claims.ts';
import type { Store } from './store.ts';

/** Work on units that the store lacks. */
interface Lacking {
  readonly missing: ReadonlyMap<number, { readonly fingerprint: string }>;
}

/** Units that are claimed and rendered together: few enough that two processes share a layer, enough for one session. */
const unitsOfShare = 128;

export class Shares<Job extends Lacking> {
  readonly #store: Store;
  readonly #claims: Claims | undefined;
  readonly #open: ReadonlyMap<Job, Set<number>>;
  readonly #found: (job: Job, units: number) => void;
  readonly #held = new Set<string>();

  /** @param found Told of units that another process rendered meanwhile. */
  constructor(
    store: Store,
    claims: Claims | undefined,
    jobs: readonly Job[],
    found: (job: Job, units: number) => void,
  ) {
    this.#store = store;
    this.#claims = claims;
    this.#open = new Map(jobs.map((job) => [job, new Set(job.missing.keys())]));
    this.#found = found;
  }

  get open(): number {
    return [...this.#open.values()].reduce((sum, units) => sum + units.size, 0);
  }

  get isOpen(): boolean {
    return this.open > 0;
  }

  /** The next units of a job that nobody else renders; none where there are none, now. */
  async take(job: Job): Promise<ReadonlySet<number>> {
    const open = this.#open.get(job) ?? new Set();
    if (this.#claims === undefined || open.size === 0) return new Set(open);
    const taken = new Set<number>();
    for (const unit of open) {
      if (taken.size === unitsOfShare) break;
      const fingerprint = fingerprintOf(job, unit);
      if (!(await this.#claims.take(fingerprint))) continue;
      this.#held.add(fingerprint);
      taken.add(unit);
    }
    // Whoever had a claim before may have made what it is for.
    const there = await this.#store.hasAll([...open].map((unit) => fingerprintOf(job, unit)));
    const made = [...open].filter((unit) => there.has(fingerprintOf(job, unit)));
    await this.done(job, new Set(made));
    for (const unit of made) taken.delete(unit);
    if (made.length > 0) this.#found(job, made.length);
    if (taken.size === 0 && made.length > 0) return this.take(job);
    return taken;
  }

  /** Rendered, or failed: nothing more is done for them. */
  async done(job: Job, units: ReadonlySet<number>): Promise<void> {
    for (const unit of units) {
      this.#open.get(job)?.delete(unit);
      await this.#release(fingerprintOf(job, unit));
    }
  }

  async #release(fingerprint: string): Promise<void> {
    if (this.#held.delete(fingerprint)) await this.#claims?.release(fingerprint);
  }

  async close(): Promise<void> {
    for (const fingerprint of [...this.#held]) await this.#release(fingerprint);
    await this.#claims?.close();
  }
}

const fingerprintOf = ({ missing }: Lacking, unit: number): string => missing.get(unit)?.fingerprint ?? '';
