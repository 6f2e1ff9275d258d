import { describe, expect, it } from 'vitest';
import type { SearchJson } from '../../../content/schema.ts';
import { search } from '../../../src/lib/search.ts';

const index: SearchJson = {
  models: [
    {
      slug: 'vgg16',
      title: 'VGG16',
      layers: [
        { slug: 'block3_conv1', name: 'block3_conv1', shown: [[0, 255]] },
        {
          slug: 'block3_conv2',
          name: 'block3_conv2',
          shown: [
            [0, 7],
            [17, 17],
          ],
        },
        {
          slug: 'predictions',
          name: 'predictions',
          shown: [[0, 2]],
          labels: ['tench', 'goldfish, Carassius auratus', 'great white shark', 'hammerhead'],
        },
      ],
    },
    { slug: 'mnist', title: 'MNIST ConvNet', layers: [{ slug: 'dense', name: 'dense', shown: [[0, 9]] }] },
  ],
};
const places = (query: string): string[] =>
  search(query, index).map(({ model, layer, unit }) =>
    [model, layer, unit].filter((part) => part !== undefined).join('/'),
  );

describe('search', () => {
  it.each([
    ['goldfish', 'vgg16/predictions/1'],
    ['carassius gold', 'vgg16/predictions/1'],
    ['SHARK', 'vgg16/predictions/2'],
    ['mnist', 'mnist'],
    ['block3_conv2', 'vgg16/block3_conv2'],
    ['vgg16 block3_conv2 17', 'vgg16/block3_conv2/17'],
    ['mnist dense 9', 'mnist/dense/9'],
  ])('finds for %o first %s', (query, place) => {
    expect(places(query)[0]).toBe(place);
  });

  it('finds units only where the gallery shows them', () => {
    expect(places('block3 17')).toEqual(['vgg16/block3_conv1/17', 'vgg16/block3_conv2/17']);
    expect(places('block3_conv2 8')).not.toContain('vgg16/block3_conv2/8');
    expect(places('hammerhead')).toEqual([]);
  });

  it('finds nothing where a word is not there, and nothing for nothing', () => {
    expect(places('goldfish zebra')).toEqual([]);
    expect(places('  ')).toEqual([]);
  });
});
