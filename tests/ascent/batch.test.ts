import { describe, expect, it } from 'vitest';
import { batchFor, memoryBytes } from '../../pipeline/ascent/batch.ts';
import { randomVgg16 } from '../../pipeline/bench/vgg16.ts';
import { PhospheneError } from '../../pipeline/error.ts';
import { extentUpTo } from '../../pipeline/network/extent.ts';
import type { Layer } from '../../pipeline/network/network.ts';

const network = randomVgg16();
const layerOf = (name: string): Layer => network.layers.find((layer) => layer.name === name) as Layer;
const square = (side: number) => ({ channels: 3, height: side, width: side });
const batchAt = (name: string, side: number, units = 512, maxBytes?: number): number =>
  batchFor(network, layerOf(name), square(side), units, maxBytes);

describe('the batch', () => {
  it('is as large as helps where pictures are small, and never larger than there are units', () => {
    expect(batchAt('block1_conv2', 64)).toBe(16);
    expect(batchAt('block1_conv2', 128)).toBe(8);
    expect(batchAt('block1_conv2', 64, 3)).toBe(3);
    expect(batchAt('block5_conv3', 512)).toBe(1);
  });

  it.each([600e6, 1e9, 2e9, 4e9])('keeps to %i bytes by the stated formula', (maxBytes) => {
    for (const { name } of network.layers) {
      const extent = extentUpTo(network, layerOf(name), square(128));
      if (memoryBytes(network, extent, square(128), 1) > maxBytes) continue;
      const batch = batchAt(name, 128, 512, maxBytes);
      expect(memoryBytes(network, extent, square(128), batch)).toBeLessThanOrEqual(maxBytes);
    }
  });

  it('is refused in one sentence where not even one picture has room', () => {
    expect(() => batchAt('block5_conv3', 128, 8, 300e6)).toThrow(PhospheneError);
    expect(() => batchAt('block5_conv3', 128, 8, 300e6)).toThrow(
      /--max-memory to leave room for one picture of 128×128 px at layer 'block5_conv3'.* found 300 MB/,
    );
  });
});
