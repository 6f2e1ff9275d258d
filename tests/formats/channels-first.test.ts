/** A model built with channels first gives what the same weights give with channels last. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync, zipSync } from 'fflate';
import { expect, it } from 'vitest';
import { loadNetwork } from '../../pipeline/formats/index.ts';
import { float32 } from '../../pipeline/network/graph.ts';
import { largestDifference, valuesOf } from './cases.ts';

const load = (bytes: Uint8Array) =>
  loadNetwork({
    name: 'mnist.keras',
    bytes,
    sibling: async () => {
      throw new Error('no other file is expected to be read');
    },
  });

it('channels first and last agree, flattening before the dense layer included', async () => {
  const last = new Uint8Array(readFileSync(join(import.meta.dirname, '../../content/weights/mnist.keras')));
  const entries = unzipSync(last);
  const config = new TextDecoder()
    .decode(entries['config.json'])
    .replaceAll('"channels_last"', '"channels_first"')
    .replaceAll('[null, 28, 28, 1]', '[null, 1, 28, 28]')
    .replace(/("class_name": "BatchNormalization".*?"axis": )-1/g, '$11');
  expect(config).toContain('[null, 1, 28, 28]');
  const first = zipSync({ ...entries, 'config.json': new TextEncoder().encode(config) }, { level: 0 });
  const picture = float32(
    [2, 1, 28, 28],
    Float32Array.from({ length: 2 * 784 }, (_, at) => Math.abs(Math.sin(at))),
  );
  const [a, b] = await Promise.all([last, first].map(load));
  if (a === undefined || b === undefined) throw new Error('two networks are expected');
  expect(b.layers).toEqual(a.layers);
  const names = a.layers.map(({ output }) => output);
  const [left, right] = [await valuesOf(a, picture, names), await valuesOf(b, picture, names)];
  for (const name of names) {
    const truth = left.get(name);
    expect(truth && largestDifference(right.get(name), truth), name).toBeLessThan(1e-5);
  }
});
