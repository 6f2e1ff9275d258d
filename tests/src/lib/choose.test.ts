import { describe, expect, it } from 'vitest';
import { evenly, sharedWidth } from '../../../src/lib/choose.ts';

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
