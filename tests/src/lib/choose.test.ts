import { describe, expect, it } from 'vitest';
import { type GalleryModel, galleryModel } from '../../../content/schema.ts';
import { evenly, faceModel, sharedWidth } from '../../../src/lib/choose.ts';

describe('evenly', () => {
  it('keeps all where there is room', () => expect(evenly([1, 2, 3], 3)).toEqual([1, 2, 3]));

  it('keeps the first and the last, and spreads the rest', () => {
    const sixteen = Array.from({ length: 16 }, (_, place) => place);
    expect(evenly(sixteen, 6)).toEqual([0, 3, 6, 9, 12, 15]);
    expect(evenly(sixteen, 1)).toEqual([0]);
  });
});

it('pictures share a width or have none', () => {
  expect(sharedWidth([{ widthPx: 28 }, { widthPx: 28 }])).toBe(28);
  expect(sharedWidth([{ widthPx: 64 }, { widthPx: 224 }])).toBeUndefined();
  expect(sharedWidth([])).toBeUndefined();
});

describe('the model that stands for the gallery', () => {
  const model = (slug: string, channels: number, samples: number): GalleryModel =>
    galleryModel.parse({
      slug,
      title: slug,
      sha256: '',
      format: 'onnx',
      parameters: 1,
      input: { channels, heightPx: null, widthPx: null, scaling: 'none' },
      layers: [layer(samples)],
    });
  const layer = (samples: number) => ({
    ...{ slug: 'conv', name: 'conv', kind: 'conv', index: 0, units: 12, published: 12, dead: 0 },
    ...{ picture: { heightPx: 8, widthPx: 8 }, output: [12, 8, 8], receptiveFieldPx: 3 },
    samples: Array.from({ length: samples }, (_, unit) => ({ unit, file: '', widthPx: 8, heightPx: 8 })),
  });

  it('is in colour and has the most to show, the first where several do', () => {
    const models = [model('grey', 1, 12), model('few', 3, 4), model('many', 3, 12), model('too', 3, 12)];
    expect(faceModel(models)?.slug).toBe('many');
    expect(faceModel(models.slice(0, 1))?.slug).toBe('grey');
    expect(faceModel([])).toBeUndefined();
  });
});
