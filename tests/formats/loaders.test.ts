/** Every loader against the outputs of the framework that the file comes from. */

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadNetwork } from '../../pipeline/formats/index.ts';
import { readModelFile } from '../../pipeline/formats/read.ts';
import type { Float32Tensor } from '../../pipeline/network/graph.ts';
import {
  data,
  gradientOf,
  isShared,
  largestDifference,
  loaderCase,
  rmsDifference,
  valuesOf,
} from './cases.ts';

interface Row {
  readonly fixture: string;
  /** Below ../shared/data. */
  readonly file: string;
  /** Name, kind and units of every layer. */
  readonly layers: string;
  readonly lambdas?: Readonly<Record<string, string>>;
  /** How many layers cannot be computed, of a file that ends early. */
  readonly gaps?: number;
  /** The fixture's name of a layer, as the file has it. */
  readonly nameInFile?: (layer: string) => string;
}

const convs = (names: readonly string[], units: readonly number[]): string =>
  names.map((name, index) => `${name} conv ${units[index]}`).join(', ');

const vgg = (counts: readonly number[]): string =>
  counts
    .flatMap((count, block) =>
      Array.from(
        { length: count },
        (_, at) => `block${block + 1}_conv${at + 1} conv ${Math.min(64 << block, 512)}`,
      ),
    )
    .join(', ');

const fire = (number: number, units: number): string =>
  convs(
    ['squeeze1x1', 'expand1x1', 'expand3x3'].map((part) => `fire${number}/${part}`),
    [units, 4 * units, 4 * units],
  );

/** Szegedy et al., "Going Deeper with Convolutions", table 1. */
const googLeNet = [
  'conv1/7x7_s2 conv 64, conv2/3x3_reduce conv 64, conv2/3x3 conv 192',
  ...Object.entries({
    '3a': [64, 96, 128, 16, 32, 32],
    '3b': [128, 128, 192, 32, 96, 64],
    '4a': [192, 96, 208, 16, 48, 64],
    '4b': [160, 112, 224, 24, 64, 64],
    '4c': [128, 128, 256, 24, 64, 64],
    '4d': [112, 144, 288, 32, 64, 64],
    '4e': [256, 160, 320, 32, 128, 128],
    '5a': [256, 160, 320, 32, 128, 128],
    '5b': [384, 192, 384, 48, 128, 128],
  }).map(([block, units]) =>
    convs(
      ['1x1', '3x3_reduce', '3x3', '5x5_reduce', '5x5', 'pool_proj'].map(
        (part) => `inception_${block}/${part}`,
      ),
      units,
    ),
  ),
  'loss3/classifier scores 1000',
].join(', ');

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
  {
    fixture: 'leyuzak_mnist_cnn.h5',
    file: 'keras-models/leyuzak_mnist_cnn.h5',
    layers:
      'conv2d_4 conv 32, conv2d_5 conv 32, conv2d_6 conv 64, conv2d_7 conv 64, dense_2 dense 256, dense_3 scores 10',
  },
  {
    fixture: 'jhas876622_mnist_cnn.h5',
    file: 'keras-models/jhas876622_mnist_cnn.h5',
    layers: 'conv2d_2 conv 32, conv2d_3 conv 64, dense_2 dense 128, dense_3 scores 10',
  },
  {
    fixture: 'naokishibuya_pilotnet_model.h5',
    file: 'keras-models/naokishibuya_pilotnet_model.h5',
    lambdas: { lambda_1: 'x / 127.5 - 1' },
    layers: `${convs(
      [1, 2, 3, 4, 5].map((index) => `convolution2d_${index}`),
      [24, 36, 48, 64, 64],
    )}, dense_1 dense 100, dense_2 dense 50, dense_3 dense 10, dense_4 dense 1`,
  },
  {
    fixture: 'mvirgo_full_CNN_model.h5',
    file: 'keras-models/mvirgo_full_CNN_model.h5',
    layers: convs(
      'Conv1 Conv2 Conv3 Conv4 Conv5 Conv6 Conv7 Deconv1 Deconv2 Deconv3 Deconv4 Deconv5 Deconv6 Final'.split(
        ' ',
      ),
      [8, 16, 16, 32, 32, 64, 64, 64, 64, 32, 32, 16, 16, 1],
    ),
  },
  {
    fixture: 'oarriaga_fer2013_mini_XCEPTION.102-0.66.hdf5',
    file: 'keras-models/oarriaga_fer2013_mini_XCEPTION.102-0.66.hdf5',
    layers: `${convs(
      'conv2d_1 conv2d_2 separable_conv2d_1 conv2d_3 separable_conv2d_2 separable_conv2d_3 conv2d_4 separable_conv2d_4 separable_conv2d_5 conv2d_5 separable_conv2d_6 separable_conv2d_7 conv2d_6 separable_conv2d_8 conv2d_7'.split(
        ' ',
      ),
      [8, 8, 16, 16, 16, 32, 32, 32, 64, 64, 64, 128, 128, 128, 7],
    )}, predictions scores 7`,
  },
  {
    fixture: 'tiny-vgg',
    file: 'tiny-vgg/model.json',
    layers: 'conv_1_1 conv 10, conv_1_2 conv 10, conv_2_1 conv 10, conv_2_2 conv 10, output scores 10',
  },
  { fixture: 'vgg16_blocks1-2', file: 'models/vgg16_blocks1-2_notop.h5', layers: vgg([2, 2]), gaps: 9 },
  { fixture: 'vgg16_notop', file: 'models/vgg16_notop.h5', layers: vgg([2, 2, 3, 3, 3]) },
  { fixture: 'vgg19_blocks1-3', file: 'models/vgg19_blocks1-3_notop.h5', layers: vgg([2, 2, 4]), gaps: 8 },
  {
    fixture: 'squeezenet_notop',
    file: 'models/squeezenet_weights_tf_dim_ordering_tf_kernels_notop.h5',
    layers: `conv1 conv 64, ${[16, 16, 32, 32, 48, 48, 64, 64].map((units, index) => fire(index + 2, units)).join(', ')}`,
    nameInFile: (layer) => layer.replace(/^(fire\d)_/, '$1/'),
  },
  { fixture: 'googlenet-64', file: 'models/googlenet.onnx', layers: googLeNet },
  { fixture: 'googlenet-224', file: 'models/googlenet.onnx', layers: googLeNet },
];

describe.skipIf(!isShared)('loaders against the original frameworks (need ../shared)', () => {
  it.each(rows)(
    '$fixture: every layer within its tolerance',
    async ({ fixture, file, layers, lambdas, gaps = 0, nameInFile = (layer) => layer }) => {
      const network = await loadNetwork(await readModelFile(join(data, file)), { lambdas });
      expect(network.layers.map(({ name, kind, units }) => `${name} ${kind} ${units}`).join(', ')).toBe(
        layers,
      );
      expect(network.gaps).toHaveLength(gaps);

      const { input, layers: truths } = loaderCase(fixture);
      const values = await valuesOf(
        network,
        input,
        truths.map(({ layer }) => nameInFile(layer)),
      );
      for (const { layer, tolerance, truth } of truths) {
        expect(largestDifference(values.get(nameInFile(layer)), truth), layer).toBeLessThanOrEqual(tolerance);
      }
    },
  );

  it.each(rows.filter(({ fixture }) => ['vgg16_notop', 'googlenet-64', 'googlenet-224'].includes(fixture)))(
    '$fixture: the gradient of the picture within its tolerances',
    async ({ fixture, file }) => {
      const network = await loadNetwork(await readModelFile(join(data, file)));
      const { input, gradient } = loaderCase(fixture);
      if (gradient === undefined) throw new Error(`${fixture} has no gradient`);
      const { layer, cotangent, truth, tolerance, toleranceRms } = gradient;
      const found = await gradientOf(network, input, layer, cotangent);
      expect(largestDifference(found, truth)).toBeLessThanOrEqual(tolerance);
      expect(rmsDifference(found as Float32Tensor, truth)).toBeLessThanOrEqual(toleranceRms);
    },
  );
});
