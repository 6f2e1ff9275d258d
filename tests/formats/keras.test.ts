/** Keras' layers and TensorFlow's operations, against what Keras computes; fixtures/make.py made the files. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadNetwork } from '../../pipeline/formats/index.ts';
import { readModelFile } from '../../pipeline/formats/read.ts';
import { type Float32Tensor, float32 } from '../../pipeline/network/graph.ts';
import { largestDifference, toNchw, valuesOf } from './cases.ts';

const folder = join(import.meta.dirname, 'fixtures');

interface Packed {
  readonly dims: readonly number[];
  readonly data: string;
}

const unpacked = ({ dims, data }: Packed): Float32Tensor =>
  float32(dims, new Float32Array(Uint8Array.from(Buffer.from(data, 'base64')).buffer));

const cases = [
  ...readdirSync(folder).filter((file) => /\.(keras|h5)$/.test(file)),
  'tfjs_graph/model.json',
].map((file) => ({ file, name: file.replace(/[./].*$/, '') }));

describe('models against Keras itself', () => {
  it.each(cases)(
    '$file: the outputs shown in the fixture to 1e-5 of their largest value',
    async ({ file, name }) => {
      const network = await loadNetwork(await readModelFile(join(folder, file)));
      expect(network.gaps).toEqual([]);
      const { input, layers } = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as {
        input: Packed;
        layers: Record<string, Packed>;
      };
      const values = await valuesOf(network, toNchw(unpacked(input)), Object.keys(layers));
      for (const [layer, packed] of Object.entries(layers)) {
        const seen = unpacked(packed);
        const got = values.get(layer);
        // A picture is NCHW in the graph unless a layer had to see Keras' own order.
        const truth = got?.dims.join() === seen.dims.join() ? seen : toNchw(seen);
        const most = truth.data.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
        expect(largestDifference(got, truth), layer).toBeLessThanOrEqual(1e-5 * most);
      }
    },
  );
});

it('a layer that is called twice is two layers, with weights in common', async () => {
  const { layers, graph } = await loadNetwork(await readModelFile(join(folder, 'nested.keras')));
  expect(layers.map(({ name }) => name)).toEqual([
    'shared',
    'shared_2',
    'inner_conv',
    'head_conv',
    'head_dense',
    'scores',
  ]);
  const kernels = graph.nodes.filter(({ op }) => op === 'Conv').map(({ inputs }) => inputs[1]);
  expect(kernels.slice(0, 2)).toEqual(['shared/kernel', 'shared/kernel']);
});
