/** Renderings to store and publish: small, different for each seed, of no network. */

import { createHash } from 'node:crypto';
import type { FingerprintParts } from '../../pipeline/store/fingerprint.ts';
import type { Rendering } from '../../pipeline/store/store.ts';

/** A fingerprint that no network has. */
export function fingerprintOf(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex');
}

/** What a unit was made from, of no network. */
export function partsOf(unit: number): FingerprintParts {
  const digest = fingerprintOf('part');
  return {
    version: 1,
    structure: digest,
    weights: digest,
    slice: fingerprintOf(`slice ${unit}`),
    unit,
    scaling: digest,
    recipe: digest,
    lastResort: digest,
    size: digest,
    frames: digest,
    seed: 0,
  };
}

/** A rendering whose pixels take all 256 values; `changes` replaces what a test is about. */
export function rendering(seed: number, changes: Partial<Rendering> = {}): Rendering {
  const { widthPx, heightPx, channels } = { widthPx: 28, heightPx: 20, channels: 1 as const, ...changes };
  const steps = [0, 1, 2, 4];
  return {
    fingerprint: fingerprintOf(`rendering ${seed}`),
    model: 'mnist',
    layer: 'conv2d',
    unit: seed,
    widthPx,
    heightPx,
    channels,
    frames: steps.map((step, frame) => ({
      step,
      objective: step + seed / 7,
      pixels: Uint8Array.from(
        { length: widthPx * heightPx * channels },
        (_, index) => (index * 7 + frame * 50 + seed * 13) % 256,
      ),
    })),
    curve: [0, 1, 2, 3, 4].map((step) => step + seed / 7),
    measures: {
      activation: 1.5 + seed,
      maxActivation: 2.25,
      initialActivation: 0.1,
      linearActivation: 1.5,
      keptUnderShifts: seed % 2 === 0 ? 0.75 : null,
      keptUnderScales: seed % 2 === 0 ? 0.5 : null,
      equalContrastActivation: 1.25,
      harshShare: 0.01,
      highFrequencyShare: 0.125,
      dead: false,
    },
    recipe: { name: 'test', steps: 4, objective: { kind: 'mean', of: 'linear' } },
    seed: 0,
    engine: 'cpu',
    device: 'a processor',
    seconds: 0.25,
    renderedAt: '2026-01-02T03:04:05.678Z',
    ...changes,
  };
}
