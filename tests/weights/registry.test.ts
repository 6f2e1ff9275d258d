/** The models whose content files come with the project, though their weights do not. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ModelFile, readModels } from '../../pipeline/content.ts';
import { planModel } from '../../pipeline/plan.ts';
import { fixturePath, fixturesMissing, ifMissing, readData } from '../fixtures.ts';

async function model(slug: string): Promise<ModelFile> {
  const [found] = await readModels(join(import.meta.dirname, '../../content'), [slug]);
  if (found === undefined) throw new Error(`There is no content file for ${slug}`);
  return found;
}
const data = (name: string): string => fixturePath('../data/models', name);

/** Sizes and MD5 sums as Keras publishes them: keras/src/applications, `file_hash`, and its download progress. */
const published = {
  vgg16: [
    [
      'vgg16/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5',
      58_889_256,
      '6d6bbae143d832006294945121d1f1fc',
    ],
    ['vgg16/vgg16_weights_tf_dim_ordering_tf_kernels.h5', 553_467_096, '64373286793e3c8b2b4e3219cbf3544b'],
  ],
  vgg19: [
    [
      'vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5',
      80_134_624,
      '253f8cb515780f3b799900260a226db6',
    ],
    ['vgg19/vgg19_weights_tf_dim_ordering_tf_kernels.h5', 574_710_816, 'cbe5617147190e668d6c5d5026f83318'],
  ],
} as const;

/** Trained numbers of the paper's table 2, configurations D and E, in float32; HDF5 adds a few kilobytes. */
const parameters = { vgg16: [14_714_688, 138_357_544], vgg19: [20_024_384, 143_667_240] } as const;

describe('the content files of the large models', () => {
  it.each(['vgg16', 'vgg19'] as const)('%s names the files that Keras publishes', async (slug) => {
    const { weights } = await model(slug);
    if (typeof weights === 'string') throw new Error('Expected kept files');
    expect(weights.map(({ layers: _, ...file }) => file)).toEqual(
      published[slug].map(([path, bytes, md5]) => ({
        file: path.split('/')[1],
        url: `https://storage.googleapis.com/tensorflow/keras-applications/${path}`,
        bytes,
        checksum: `md5:${md5}`,
      })),
    );
    weights.forEach(({ bytes = 0 }, index) => {
      const overhead = bytes - 4 * (parameters[slug][index] ?? 0);
      expect(overhead).toBeGreaterThan(0);
      expect(overhead).toBeLessThan(50_000);
    });
    expect(weights.map(({ layers }) => layers?.length)).toEqual(slug === 'vgg16' ? [13, 16] : [16, 19]);
  });

  it('have the 1,000 classes in the order of the scores', async () => {
    const classes = (await model('vgg16')).content.classes ?? [];
    expect(classes).toHaveLength(1000);
    expect([classes[0], classes[7], classes[254], classes[281], classes[999]]).toEqual([
      'tench',
      'cock',
      'pug',
      'tabby',
      'toilet tissue',
    ]);
    expect((await model('vgg19')).content.classes).toEqual(classes);
    expect((await model('googlenet')).content.classes).toEqual(classes);
  });
});

describe.skipIf(fixturesMissing)(
  `the content files of the large models, held against networks${ifMissing}`,
  () => {
    it('the classes are those of Keras', async () => {
      const index: Record<string, [string, string]> = JSON.parse(
        Buffer.from(readData('imagenet_class_index.json')).toString(),
      );
      const names = Array.from({ length: 1000 }, (_, at) => index[at]?.[1].replaceAll('_', ' '));
      expect((await model('vgg16')).content.classes).toEqual(names);
    });

    it.each([
      ['vgg16', 'vgg16_notop.h5', 13, 4_224],
      ['vgg19', 'vgg19_blocks1-3_notop.h5', 8, 1_408],
    ])('%s plans the convolutions of a file of its layout', async (slug, file, layers, units) => {
      const one = await model(slug);
      const plan = await planModel({ ...one, weightsFile: data(file) });
      const [notop] = one.weights as readonly { readonly layers?: readonly string[] }[];
      expect(plan.layers.map(({ layer }) => layer.name)).toEqual(notop?.layers?.slice(0, layers));
      expect(plan.layers.reduce((sum, each) => sum + each.units.length, 0)).toBe(units);
      expect(plan.scaling).toEqual({
        source: [2, 1, 0],
        mean: [103.939, 116.779, 123.68],
        deviation: [1, 1, 1],
      });
    });

    it('googlenet plans an ONNX export with all its convolutions and classes', async () => {
      const plan = await planModel({ ...(await model('googlenet')), weightsFile: data('googlenet.onnx') });
      expect(plan.layers).toHaveLength(58);
      const sides = plan.layers.map(({ size }) => [size.height, size.width]);
      expect([sides[0], sides.at(-1)]).toEqual([
        [64, 64],
        [224, 224],
      ]);
      expect(plan.scaling).toEqual({ source: [2, 1, 0], mean: [104, 117, 123], deviation: [1, 1, 1] });
      const scores = plan.layers.at(-1);
      expect(scores?.layer).toMatchObject({ name: 'loss3/classifier', kind: 'scores', units: 1000 });
      expect(scores?.units[283]).toMatchObject({ unit: 283, label: 'Persian cat' });
    });
  },
);

describe('the classes in a text file', () => {
  it('are one a line, as they stand there', () => {
    const text = readFileSync(join(import.meta.dirname, '../../content/classes/imagenet.txt'), 'utf8');
    expect(text.split('\n')).toHaveLength(1001);
    expect(text).not.toMatch(/_|\r| \n/);
  });
});
