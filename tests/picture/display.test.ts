import { describe, expect, it } from 'vitest';
import { planesOf, show } from '../../pipeline/picture/display.ts';

const grey2x2 = (values: readonly number[]) => ({
  channels: 1,
  height: 2,
  width: 2,
  data: Float32Array.from(values),
});

describe('show', () => {
  it('clips and rounds a picture that is in range as it is', () => {
    expect([...show({ kind: 'range' }, grey2x2([-3, 0.4, 254.6, 300]))]).toEqual([0, 0, 255, 255]);
  });

  it('standardises to the published mean and deviation', () => {
    // Mean 0, deviation 1: 127.5 ± 25.5; the Keras blog adds 1e-5 to the deviation.
    const shown = show({ kind: 'standardise', mean: 0.5, deviation: 0.1 }, grey2x2([-1, -1, 1, 1]));
    expect([...shown]).toEqual([102, 102, 153, 153]);
  });

  it('shows a constant picture standardised as its mean, not as NaN', () => {
    expect([...show({ kind: 'standardise', mean: 0.5, deviation: 0.1 }, grey2x2([7, 7, 7, 7]))]).toEqual([
      128, 128, 128, 128,
    ]);
  });

  it('takes the mean away, drops what is below it and stretches the rest to 255', () => {
    expect([...show({ kind: 'positive' }, grey2x2([0, 1, 2, 5]))]).toEqual([0, 0, 0, 255]);
    expect([...show({ kind: 'positive' }, grey2x2([3, 3, 3, 3]))]).toEqual([0, 0, 0, 0]);
  });

  it('puts planes into pixels, channel by channel', () => {
    const planes = { channels: 3, height: 1, width: 2, data: Float32Array.of(1, 2, 10, 20, 100, 200) };
    expect([...show({ kind: 'range' }, planes)]).toEqual([1, 10, 100, 2, 20, 200]);
  });
});

describe('planesOf', () => {
  it('is the inverse of show for pictures in range', () => {
    const size = { channels: 3, height: 2, width: 2 };
    const pixels = Uint8Array.from({ length: 12 }, (_, index) => index * 20);
    expect(show({ kind: 'range' }, planesOf(pixels, size))).toEqual(pixels);
  });
});
