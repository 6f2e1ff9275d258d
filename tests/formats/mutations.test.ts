/**
 * Damaged files end in a network or in one sentence. A few hundred here; `npm run mutations` runs 2,000 a format.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { PhospheneError } from '../../pipeline/error.ts';
import { loadNetwork } from '../../pipeline/formats/index.ts';
import { inspect } from '../../pipeline/network/inspect.ts';
import { encodeModel } from '../../pipeline/network/onnx.ts';
import { damaged } from './mutations.ts';

const count = Number(process.env['PHOSPHENE_MUTATIONS'] ?? 16);
const longestMs = 10_000;
const mostBytes = 2 * 2 ** 30;

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(join(import.meta.dirname, 'fixtures', name)));

/** The small archive with one of its parts damaged. */
function archive(part: string, seed: number): Uint8Array {
  const entries = unzipSync(fixture('nested.keras'));
  const whole = entries[part];
  if (whole === undefined) throw new Error(`the fixture has no ${part}`);
  return zipSync({ ...entries, [part]: damaged(whole, seed) }, { level: 0 });
}

let made: Uint8Array | undefined;
async function onnx(): Promise<Uint8Array> {
  made ??= encodeModel((await loadNetwork(fileOf('pools.keras', fixture('pools.keras')))).graph);
  return made;
}

const fileOf = (name: string, bytes: Uint8Array) => ({
  name,
  bytes,
  sibling: async (): Promise<Uint8Array> => fixture('tfjs/group1-shard1of1.bin'),
});

const formats: Record<string, (seed: number) => Uint8Array | Promise<Uint8Array>> = {
  'a .keras archive': (seed) => damaged(fixture('nested.keras'), seed),
  'the configuration in a .keras archive': (seed) => archive('config.json', seed),
  'the weights in a .keras archive': (seed) => archive('model.weights.h5', seed),
  'a Keras HDF5 file': (seed) => damaged(fixture('keras2.h5'), seed),
  'a TensorFlow.js layers model': (seed) => damaged(fixture('tfjs/model.json'), seed),
  'an ONNX model': async (seed) => damaged(await onnx(), seed),
};

async function outcome(bytes: Uint8Array): Promise<string> {
  const engine = cpuEngine();
  try {
    const network = await loadNetwork(fileOf('model', bytes));
    await inspect('model', network, engine);
    return 'network';
  } catch (error) {
    if (error instanceof PhospheneError) return error.message;
    throw error;
  }
}

describe('damage', () => {
  it.each(Object.entries(formats))(
    `to %s ends in a network or in one sentence (${count} times)`,
    async (_, make) => {
      const outcomes = new Set<string>();
      for (let seed = 1; seed <= count; seed++) {
        const bytes = await make(seed);
        const start = performance.now();
        let result: string;
        try {
          result = await outcome(bytes);
        } catch (cause) {
          throw new Error(`seed ${seed}`, { cause });
        }
        expect(performance.now() - start, `seed ${seed}`).toBeLessThan(longestMs);
        expect(result, `seed ${seed}`).not.toMatch(/\n/);
        expect(result.length, `seed ${seed}`).toBeLessThan(1000);
        outcomes.add(result);
      }
      expect(process.memoryUsage.rss()).toBeLessThan(mostBytes);
      expect(outcomes.size).toBeGreaterThan(1);
    },
    60_000 + count * 1000,
  );
});
