import { describe, expect, it } from 'vitest';
import { joinStrip, type Pixels, splitStrip, spread } from '../../pipeline/picture/strip.ts';

const grey = (widthPx: number, values: number[]): Pixels => ({
  pixels: Uint8Array.from(values),
  widthPx,
  heightPx: values.length / widthPx,
  channels: 1,
});

describe('joinStrip', () => {
  it('puts the rows of grey pictures side by side', () => {
    const strip = joinStrip([grey(2, [1, 2, 3, 4]), grey(2, [5, 6, 7, 8])]);
    expect(strip).toEqual({ ...grey(4, [1, 2, 5, 6, 3, 4, 7, 8]) });
  });

  it('keeps the channels of a pixel together', () => {
    const rgb = (values: number[]): Pixels => ({
      pixels: Uint8Array.from(values),
      widthPx: 1,
      heightPx: 2,
      channels: 3,
    });
    const strip = joinStrip([rgb([1, 2, 3, 4, 5, 6]), rgb([7, 8, 9, 10, 11, 12])]);
    expect([...strip.pixels]).toEqual([1, 2, 3, 7, 8, 9, 4, 5, 6, 10, 11, 12]);
  });

  it('is undone by splitStrip', () => {
    const pictures = [0, 1, 2].map((n) => grey(3, [n, 1, 2, 3, 4, n]));
    expect(splitStrip(joinStrip(pictures), 3)).toEqual(pictures);
  });

  it('refuses nothing, and pictures of two sizes', () => {
    expect(() => joinStrip([])).toThrow(/at least one picture/);
    expect(() => joinStrip([grey(2, [1, 2]), grey(1, [1, 2])])).toThrow(/Expected picture 1 of a strip/);
    expect(() => splitStrip(grey(4, [1, 2, 3, 4]), 3)).toThrow(/a strip of 3 pictures, got one 4 px wide/);
  });
});

describe('spread', () => {
  it.each([
    [3, 5, [0, 1, 2]],
    [5, 5, [0, 1, 2, 3, 4]],
    [9, 5, [0, 2, 4, 6, 8]],
    [9, 2, [0, 8]],
    [9, 1, [8]],
  ])('takes of %i indices at most %i, first and last among them', (count, limit, indices) => {
    expect(spread(count, limit)).toEqual(indices);
  });
});
