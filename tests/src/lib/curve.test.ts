import { describe, expect, it } from 'vitest';
import { drawCurve, framePosition } from '../../../src/lib/curve.ts';

describe('the place of a step among the frames', () => {
  const frames = [0, 1, 2, 4, 8, 16];

  it.each(frames.map((step, place) => [step, place]))(
    'step %d of a frame stands at frame %d',
    (step, place) => expect(framePosition(step, frames)).toBe(place),
  );

  it('between two frames is logarithmic, as the frames are', () => {
    expect(framePosition(3, frames)).toBeCloseTo(Math.log2(3) + 1, 12);
    expect(framePosition(12, frames)).toBeCloseTo(Math.log2(12) + 1, 12);
  });

  it('is linear after step 0, and never beyond the last frame', () => {
    expect(framePosition(2, [0, 8])).toBe(0.25);
    expect(framePosition(99, frames)).toBe(5);
  });
});

describe('the curve', () => {
  const frames = [
    { step: 0, objective: -1 },
    { step: 1, objective: 0 },
    { step: 2, objective: 3 },
  ];

  it('runs from frame centre to frame centre, low values below', () => {
    const { path, points, low, high } = drawCurve(
      [
        [0, -1],
        [1, 0],
        [2, 3],
      ],
      frames,
      100,
      10,
    );
    expect(path).toBe('M50 90L150 70L250 10');
    expect(points).toEqual([
      { x: 50, y: 90 },
      { x: 150, y: 70 },
      { x: 250, y: 10 },
    ]);
    expect([low, high]).toEqual([-1, 3]);
  });

  it('is a level line in the middle where nothing changes', () => {
    const level = frames.map(({ step }) => ({ step, objective: 2 }));
    expect(
      drawCurve(
        [
          [0, 2],
          [2, 2],
        ],
        level,
        100,
        10,
      ).path,
    ).toBe('M50 50L250 50');
  });

  it('leaves out values that are not finite', () => {
    expect(
      drawCurve(
        [
          [0, -1],
          [1, Number.NaN],
          [2, 3],
        ],
        frames,
        100,
        10,
      ).path,
    ).toBe('M50 90L250 10');
  });
});
