/** An engine that counts what is asked of it, around another one. */

import type { Engine, Value } from '../../pipeline/engine/engine.ts';

export interface Counts {
  uploads: number;
  downloads: number;
  /** Numbers from 0 of the runs after which something was downloaded, each once. */
  runsWithDownloads: number[];
  /** Values that were made and not freed, now and at most. */
  live: number;
  most: number;
}

/** `made` is called with each value that a run makes. */
export function counting(
  engine: Engine,
  made: (value: Value) => void = () => {},
): { engine: Engine; counts: Counts } {
  const live = new Set<Value>();
  let runs = 0;
  const counts: Counts = { uploads: 0, downloads: 0, runsWithDownloads: [], live: 0, most: 0 };
  const note = (): void => {
    counts.live = live.size;
    counts.most = Math.max(counts.most, live.size);
  };
  return {
    counts,
    engine: {
      ...engine,
      // What is run on the host to learn sizes is no part of it.
      host: engine.host ?? engine,
      upload(tensor) {
        counts.uploads++;
        const value = engine.upload(tensor);
        live.add(value);
        note();
        return value;
      },
      async download(value) {
        counts.downloads++;
        if (counts.runsWithDownloads.at(-1) !== runs - 1) counts.runsWithDownloads.push(runs - 1);
        return engine.download(value);
      },
      free(values) {
        const freed = [...values];
        for (const value of freed) live.delete(value);
        note();
        engine.free(freed);
      },
      async compile(...given) {
        const program = await engine.compile(...given);
        return {
          ...program,
          async run(feeds) {
            const values = await program.run(feeds);
            runs++;
            for (const value of values.values()) {
              live.add(value);
              made(value);
            }
            note();
            return values;
          },
        };
      },
    },
  };
}
