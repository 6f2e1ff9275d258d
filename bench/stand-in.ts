/** A rendering as others are, of few pixels and no network: for benchmarks in which only number and size matter. */

import type { Rendering } from '../pipeline/store/store.ts';

const steps = [0, 1, 2, 4, 8, 16, 32, 64, 128, 256];

/** @param own What tells it from others; pictures are `sidePx` square, colour, of one value. */
export function standIn(
  own: Pick<Rendering, 'fingerprint' | 'layer' | 'unit'> & Partial<Rendering>,
  sidePx: number,
  value: number,
): Rendering {
  return {
    model: 'vgg16',
    widthPx: sidePx,
    heightPx: sidePx,
    channels: 3,
    frames: steps.map((step) => ({
      step,
      objective: step + 1 / 3,
      pixels: new Uint8Array(3 * sidePx ** 2).fill(value),
    })),
    curve: Array.from({ length: 257 }, (_, step) => Math.sin(step + value) * 100),
    measures: {
      activation: 1 / 3,
      maxActivation: 2 / 3,
      initialActivation: 0.1,
      linearActivation: 1 / 3,
      keptUnderShifts: 0.75,
      keptUnderScales: 0.5,
      equalContrastActivation: 1.25,
      harshShare: 0.01,
      highFrequencyShare: 0.125,
      dead: false,
    },
    recipe: { name: 'bench', steps: 256, objective: { kind: 'mean', of: 'linear' } },
    seed: 0,
    engine: 'cpu',
    device: 'a processor',
    seconds: 0.25,
    renderedAt: '2026-01-02T03:04:05.678Z',
    ...own,
  };
}
