import { describe, expect, it } from 'vitest';
import { convolutions, flopsOfStep, randomVgg16 } from '../../pipeline/bench/vgg16.ts';
import { extentUpTo } from '../../pipeline/network/extent.ts';
import type { Layer } from '../../pipeline/network/network.ts';
import { tinyNetwork } from '../ascent/tiny.ts';

describe('the extent of a network', () => {
  const network = randomVgg16();
  const of = (name: string, side: number) =>
    extentUpTo(network, network.layers.find((layer) => layer.name === name) as Layer, {
      height: side,
      width: side,
    });

  it('has VGG16’s products at each layer, of the layer itself one filter', () => {
    for (const { name } of convolutions) expect(of(name, 128).products * 4).toBe(flopsOfStep(name, 128));
  });

  it('has the values of all maps, of convolutions and activations and pools', () => {
    const map = 64 * 64 * 64;
    expect(of('block1_conv1', 64)).toMatchObject({ values: 64 * 64, kernels: 27 * 64 });
    expect(of('block1_conv2', 64)).toMatchObject({ values: 2 * map + 64 * 64, largest: map });
    expect(of('block2_conv1', 64)).toMatchObject({ values: 4.25 * map + 32 * 32, largest: map });
  });

  it('follows a flattened map into dense layers', () => {
    const tiny = tinyNetwork();
    const scores = extentUpTo(tiny, tiny.layers[3] as Layer, { height: 12, width: 12 });
    expect(scores.kernels).toBe(6 * 9 + 5 * 54);
    expect(scores.products).toBeGreaterThan(7 * 45 + 7);
  });
});
