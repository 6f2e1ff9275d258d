/** One run of `publish`: what it works with, and what it counts. */

import type { PublishEvent } from '../events.ts';
import { disk, type Files } from '../files.ts';
import type { Store } from '../store/store.ts';
import { GalleryFiles } from './gallery-files.ts';
import type { WantedUnit } from './wanted.ts';

/** How addresses that were published once are kept alive. */
export interface Promises {
  /** ISO date. */
  readonly today: string;
  /** Models that are not among those to publish because their weights are not here, and why, as words. */
  readonly absent: ReadonlyMap<string, string>;
}

export interface PublishEffects {
  readonly store: Store;
  /** Holds `models/`; `gallery/` is written there. */
  readonly contentDir: string;
  /** Served as it is; `gallery/` is written there. */
  readonly publicDir: string;
  /** Stops between two units; what is there then is whole, but some of it may be of the last run. */
  readonly signal: AbortSignal;
  readonly files?: Files;
  /** Without them the gallery is only for looking at: no address is promised, and none that was is kept. */
  readonly promises?: Promises;
  emit(event: PublishEvent): void;
}

export class PublishRun {
  readonly store: Store;
  readonly signal: AbortSignal;
  readonly gallery: GalleryFiles;
  readonly emit: (event: PublishEvent) => void;
  /** Units, and those whose pictures were encoded or right already. */
  readonly counts = { total: 0, missing: 0, damaged: 0, dead: 0, encoded: 0, kept: 0 };
  /** Units of the newest gallery by the name of their recipe. */
  readonly byRecipe = new Map<string, number>();
  /** Fingerprints that the store was found to have. */
  readonly #found = new Set<string>();

  constructor({ store, signal, files = disk, contentDir, publicDir, emit }: PublishEffects) {
    this.store = store;
    this.signal = signal;
    this.gallery = new GalleryFiles(files, contentDir, publicDir);
    this.emit = emit;
  }

  /** Of these units the fingerprints that the store has; each is looked for once. */
  async inStore(wanted: readonly WantedUnit[]): Promise<ReadonlySet<string>> {
    const open = wanted.map(({ fingerprint }) => fingerprint).filter((each) => !this.#found.has(each));
    for (const each of await this.store.hasAll(open)) this.#found.add(each);
    return new Set(wanted.map(({ fingerprint }) => fingerprint).filter((each) => this.#found.has(each)));
  }

  /** Removes a rendering that is not as it was written, so that it is rendered again. */
  async removeDamaged(fingerprint: string): Promise<void> {
    await this.store.remove(fingerprint);
    this.#found.delete(fingerprint);
  }

  countRecipes(units: Readonly<Record<string, number>>): void {
    for (const [name, count] of Object.entries(units)) {
      this.byRecipe.set(name, (this.byRecipe.get(name) ?? 0) + count);
    }
  }
}
