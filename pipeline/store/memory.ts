/** The store in memory, for as long as the process lives. */

import type { Rendering, RenderingRecord, Store } from './store.ts';

export class MemoryStore implements Store {
  readonly #renderings = new Map<string, Rendering>();

  has(fingerprint: string): Promise<boolean> {
    return Promise.resolve(this.#renderings.has(fingerprint));
  }

  hasAll(fingerprints: Iterable<string>): Promise<ReadonlySet<string>> {
    return Promise.resolve(new Set([...fingerprints].filter((each) => this.#renderings.has(each))));
  }

  read(fingerprint: string): Promise<Rendering | undefined> {
    return Promise.resolve(structuredClone(this.#renderings.get(fingerprint)));
  }

  write(rendering: Rendering): Promise<void> {
    if (!this.#renderings.has(rendering.fingerprint)) {
      this.#renderings.set(rendering.fingerprint, structuredClone(rendering));
    }
    return Promise.resolve();
  }

  remove(fingerprint: string): Promise<void> {
    this.#renderings.delete(fingerprint);
    return Promise.resolve();
  }

  async *list(): AsyncGenerator<string> {
    yield* [...this.#renderings.keys()].sort();
  }

  async *records(): AsyncGenerator<RenderingRecord> {
    for (const { frames, ...known } of this.#renderings.values()) {
      yield structuredClone({ ...known, frames: frames.map(({ pixels: _, ...frame }) => frame) });
    }
  }
}
