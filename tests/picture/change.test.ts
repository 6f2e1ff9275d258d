import { describe, expect, it } from 'vitest';
import { atContrast, shifted, zoomed } from '../../pipeline/picture/change.ts';

const grey = (height: number, width: number, values: readonly number[]) => ({
  channels: 1,
  height,
  width,
  data: Float32Array.from(values),
});

describe('shifted', () => {
  it('moves down and right, repeating the border', () => {
    expect([...shifted(grey(2, 2, [1, 2, 3, 4]), 1, 0).data]).toEqual([1, 2, 1, 2]);
    expect([...shifted(grey(2, 2, [1, 2, 3, 4]), 0, -1).data]).toEqual([2, 2, 4, 4]);
  });
});

describe('zoomed', () => {
  it('enlarges about the centre: a ramp becomes flatter by the factor', () => {
    const { data } = zoomed(grey(1, 5, [0, 10, 20, 30, 40]), 2);
    expect([...data]).toEqual([10, 15, 20, 25, 30]);
  });

  it('reduces about the centre and repeats the border', () => {
    const { data } = zoomed(grey(5, 1, [0, 10, 20, 30, 40]), 0.5);
    expect([...data]).toEqual([0, 0, 20, 40, 40]);
  });

  it('leaves a picture as it is with the factor 1', () => {
    const picture = grey(2, 3, [1, 2, 3, 4, 5, 6]);
    expect(zoomed(picture, 1)).toEqual(picture);
  });
});

describe('atContrast', () => {
  it('scales the deviation from grey to the contrast and rounds', () => {
    // Deviations -1, 1, 1, -1: RMS 1.
    expect([...atContrast(grey(2, 2, [99, 101, 101, 99]), [100], 48).data]).toEqual([52, 148, 148, 52]);
  });

  it('takes the grey of each channel', () => {
    const picture = { channels: 2, height: 1, width: 1, data: Float32Array.of(13, 24) };
    // Deviations 3 and 4 of 10 and 20: RMS √12.5, gain 10 / √12.5.
    expect([...atContrast(picture, [10, 20], 10).data]).toEqual([18, 31]);
  });

  it('clips to 0..255 and leaves a grey picture grey', () => {
    expect([...atContrast(grey(1, 2, [0, 255]), [127.5], 200).data]).toEqual([0, 255]);
    expect([...atContrast(grey(1, 2, [100, 100]), [100], 48).data]).toEqual([100, 100]);
  });
});
