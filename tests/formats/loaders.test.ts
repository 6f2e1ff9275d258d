/** Every loader against the outputs of the framework that the file comes from. */

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadNetwork } from '../../pipeline/formats/index.ts';
import { readModelFile } from '../../pipeline/formats/read.ts';
import { data, isShared, largestDifference, loaderCase, toNchw, valuesOf } from './cases.ts';

interface Row {
  readonly fixture: string;
  /** Below ../shared/data. */
  readonly file: string;
  /** Name, kind and units of every layer. */
  readonly layers: string;
}

const rows: readonly Row[] = [
  {
    fixture: 'leyuzak_mnist_cnn.keras',
    file: 'keras-models/leyuzak_mnist_cnn.keras',
    layers:
      'conv2d_4 conv 32, conv2d_5 conv 32, conv2d_6 conv 64, conv2d_7 conv 64, dense_2 dense 256, dense_3 scores 10',
  },
  {
    fixture: 'jhas876622_mnist_cnn.keras',
    file: 'keras-models/jhas876622_mnist_cnn.keras',
    layers: 'conv2d_2 conv 32, conv2d_3 conv 64, dense_2 dense 128, dense_3 scores 10',
  },
];

describe.skipIf(!isShared)('loaders against the original frameworks (need ../shared)', () => {
  it.each(rows)('$fixture: every layer within its tolerance', async ({ fixture, file, layers }) => {
    const network = await loadNetwork(await readModelFile(join(data, file)));
    expect(network.layers.map(({ name, kind, units }) => `${name} ${kind} ${units}`).join(', ')).toBe(layers);
    expect(network.gaps).toEqual([]);

    const { input, layers: truths } = loaderCase(fixture);
    const values = await valuesOf(
      network,
      toNchw(input),
      truths.map(({ layer }) => layer),
    );
    for (const { layer, tolerance, truth } of truths) {
      expect(largestDifference(values.get(layer), toNchw(truth)), layer).toBeLessThanOrEqual(tolerance);
    }
  });
});
