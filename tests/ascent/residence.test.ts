import { describe, expect, it } from 'vitest';
import { ascender } from '../../pipeline/ascent/ascend.ts';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import type { Layer } from '../../pipeline/network/network.ts';
import { frameSteps } from '../../pipeline/recipe/frames.ts';
import { resolveRecipe } from '../../pipeline/recipe/resolve.ts';
import { resolveScaling } from '../../pipeline/recipe/scaling.ts';
import { counting } from './counting.ts';
import { tinyNetwork } from './tiny.ts';

/** What an ascent of `units` units of layer a, two at a time, asks of its engine. */
async function count(recipeOf: object, units: number) {
  const network = tinyNetwork(1);
  const recipe = resolveRecipe({ preset: 'phosphene', ...recipeOf }, 'test');
  const { engine, counts } = counting(cpuEngine());
  const climber = await ascender(
    {
      network,
      layer: network.layers[0] as Layer,
      recipe,
      scaling: resolveScaling('0..1', 1),
      size: { channels: 1, height: 12, width: 12 },
      batch: 2,
    },
    engine,
  );
  const all = Array.from({ length: units }, (_, unit) => unit);
  const ascents = await Array.fromAsync(climber.run(all, { seed: 1, attempt: 0 }));
  await climber.release();
  return { ascents, counts };
}

describe('an ascent', () => {
  it('downloads nothing between frames, and what was not read when one is due', async () => {
    const { counts, ascents } = await count({ steps: 20 }, 2);
    expect(ascents[0]?.curve).toHaveLength(21);
    expect(counts.runsWithDownloads).toEqual(frameSteps(20));
    // 21 objectives, 7 frames.
    expect(counts.downloads).toBe(21 + 7);
  });

  it('begins the next units without a look at the last ones', async () => {
    const { counts, ascents } = await count({ steps: 4 }, 4);
    expect(ascents).toHaveLength(4);
    expect(counts.runsWithDownloads).toEqual([0, 1, 2, 4, 5, 6, 7, 9]);
    expect(counts.downloads).toBe(2 * (5 + 4));
  });

  it('uploads what changes from step to step alone: random numbers and numbers of the step', async () => {
    const [few, many] = [await count({ steps: 8 }, 2), await count({ steps: 16 }, 2)];
    // Two shifts; rate and two corrections of Adam.
    expect(many.counts.uploads - few.counts.uploads).toBe(8 * (2 + 3));
  });

  it.each([
    ['one size', { steps: 20 }],
    ['octaves', { preset: 'multi-scale', steps: 12 }],
    ['a stop', { steps: 30, stop: { window: 2, gain: 0.5 } }],
  ])('with %s frees all that it made, and holds no more at step 20 than at step 5', async (_, recipe) => {
    const { counts } = await count(recipe, 4);
    expect(counts.live).toBe(0);
    const { most } = (await count({ ...recipe, steps: 6 }, 4)).counts;
    // Objectives wait for the next frame: one small value a step.
    expect(counts.most).toBeLessThanOrEqual(most + 8);
  });
});
