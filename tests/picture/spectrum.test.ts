import { describe, expect, it } from 'vitest';
import { highFrequencyShare } from '../../pipeline/picture/spectrum.ts';
import { randomOf } from '../../pipeline/recipe/random.ts';

function picture(height: number, width: number, at: (y: number, x: number) => number, channels = 1) {
  const data = Float32Array.from({ length: channels * height * width }, (_, index) =>
    at(Math.floor(index / width) % height, index % width),
  );
  return { channels, height, width, data };
}

const wave = (cycles: number) => 127 + 60 * Math.cos(2 * Math.PI * cycles);

describe('highFrequencyShare', () => {
  it.each([
    ['a wave of 8 pixels across', picture(16, 24, (_y, x) => wave(x / 8)), 0],
    ['a wave of 3 pixels across', picture(16, 24, (_y, x) => wave(x / 3)), 1],
    ['a wave of 3 pixels down', picture(24, 15, (y) => wave(y / 3)), 1],
    ['a chessboard', picture(8, 8, (y, x) => ((x + y) % 2) * 255), 1],
    ['both waves at once', picture(24, 24, (y, x) => wave(x / 8) + wave(y / 3)), 0.5],
    ['a wave askew, .2 cycles down and .2 across', picture(20, 20, (y, x) => wave((x + y) / 5)), 1],
    ['a flat colour', picture(9, 7, () => 90), 0],
  ])('of %s is right', (_, planes, share) => expect(highFrequencyShare(planes)).toBeCloseTo(share, 6));

  it('of white noise is the area of the spectrum outside the circle: 1 - π/16 of it', () => {
    const random = randomOf(7);
    const noise = picture(96, 128, () => 255 * random.uniform());
    expect(highFrequencyShare(noise)).toBeCloseTo(1 - Math.PI / 16, 1);
  });

  it('is that of the mean of the channels', () => {
    expect(highFrequencyShare(picture(12, 12, (_y, x) => wave(x / 3), 3))).toBeCloseTo(1, 6);
  });
});
