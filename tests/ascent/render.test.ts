import { describe, expect, it } from 'vitest';
import { renderLayer, type UnitRendering } from '../../pipeline/ascent/layer.ts';
import type { Value } from '../../pipeline/engine/engine.ts';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { float32 } from '../../pipeline/network/graph.ts';
import type { Layer } from '../../pipeline/network/network.ts';
import { resized } from '../../pipeline/picture/change.ts';
import { show } from '../../pipeline/picture/display.ts';
import { frameSteps } from '../../pipeline/recipe/frames.ts';
import { presets } from '../../pipeline/recipe/presets.ts';
import { resolveRecipe } from '../../pipeline/recipe/resolve.ts';
import { resolveScaling } from '../../pipeline/recipe/scaling.ts';
import { isFlat } from '../../pipeline/recipe/stopping.ts';
import { tinyNetwork } from './tiny.ts';

const engine = cpuEngine();

async function render(
  layerName: string,
  units: readonly number[],
  batch: number,
  recipeOf: Parameters<typeof resolveRecipe>[0] = { preset: 'phosphene', steps: 9 },
  channels = 1,
): Promise<Map<number, UnitRendering>> {
  const network = tinyNetwork(channels);
  const layer = network.layers.find(({ name }) => name === layerName) as Layer;
  const size = { channels, height: 12, width: 12 };
  const recipe = resolveRecipe(recipeOf, 'test');
  const job = {
    network,
    layer,
    recipe,
    scaling: resolveScaling('0..1', channels),
    size,
    batch,
    seed: 7,
    units,
  };
  const found = new Map<number, UnitRendering>();
  for await (const rendering of renderLayer(job, engine, new AbortController().signal))
    found.set(rendering.unit, rendering);
  return found;
}

/** All that is kept of a unit, without how long it took. */
const kept = (rendering: UnitRendering | undefined) => ({ ...rendering, seconds: undefined });

describe('frameSteps', () => {
  it('keeps 0, the powers of two and the last step', () => {
    expect(frameSteps(0)).toEqual([0]);
    expect(frameSteps(1)).toEqual([0, 1]);
    expect(frameSteps(8)).toEqual([0, 1, 2, 4, 8]);
    expect(frameSteps(20)).toEqual([0, 1, 2, 4, 8, 16, 20]);
  });
});

describe('renderLayer', () => {
  it.each(['a', 'b', 'c', 'd'])(
    'makes the same bytes of layer %s whatever the batch and whichever units share it',
    async (name) => {
      const together = await render(name, [0, 1, 2, 3], 4);
      const twos = await render(name, [3, 1, 0, 2], 2);
      const alone = await render(name, [2], 1);
      const padded = await render(name, [2], 5);
      for (const unit of [0, 1, 2, 3]) expect(kept(twos.get(unit))).toEqual(kept(together.get(unit)));
      expect(kept(alone.get(2))).toEqual(kept(together.get(2)));
      expect(kept(padded.get(2))).toEqual(kept(together.get(2)));
    },
  );

  it.each(Object.keys(presets))('raises the objective by the recipe %s', async (preset) => {
    // Layer d takes one size only, and b has no map left of the smallest octave.
    const [layer, unit] =
      resolveRecipe(preset, 'test').octaves === undefined ? (['d', 1] as const) : (['a', 4] as const);
    for (const channels of [1, 3]) {
      const [rendering] = (await render(layer, [unit], 1, { preset, steps: 32 }, channels)).values();
      const { curve = [], frames = [] } = rendering ?? {};
      expect(curve).toHaveLength(33);
      expect(curve.at(-1)).toBeGreaterThan(curve[0] as number);
      expect(frames.map(({ step }) => step)).toEqual([0, 1, 2, 4, 8, 16, 32]);
      expect(frames.every(({ step, objective }) => objective === curve[step])).toBe(true);
      expect(frames.every(({ pixels }) => pixels.length === 144 * channels)).toBe(true);
    }
  });

  it.each<[string, string, Readonly<Record<string, unknown>>]>([
    ['octaves', 'a', { preset: 'multi-scale', steps: 9 }],
    [
      'filters that act now and then',
      'd',
      {
        preset: 'wake',
        steps: 9,
        attempts: 1,
        regularisers: [
          { kind: 'clip' },
          { kind: 'decay', amount: 0.01, last: false },
          { kind: 'blur', deviation: 0.5, every: 3 },
          { kind: 'median', side: 3, every: 4, last: false },
          { kind: 'bilateral', side: 5, deviation: 1, range: 20, every: 2 },
          { kind: 'small-norm', share: 0.1 },
          { kind: 'small-contribution', share: 0.1, every: 2, last: false },
          { kind: 'total-variation', weight: 1e-4 },
          { kind: 'norm', weight: 1e-6, p: 3, every: 2 },
        ],
      },
    ],
    ['all of lucid', 'b', { preset: 'lucid', steps: 9 }],
    [
      'what is cropped, blurred, mirrored and noisy',
      'b',
      {
        preset: 'lucid',
        steps: 9,
        transforms: [
          { kind: 'crop', low: 0.5 },
          { kind: 'noise', deviation: 8 },
          { kind: 'blur', deviation: 0.7 },
          { kind: 'flip' },
        ],
      },
    ],
    [
      'phases',
      'b',
      {
        preset: 'lucid',
        steps: 9,
        parameterisation: { kind: 'phase' },
        start: { kind: 'uniform', low: -3, high: 3 },
      },
    ],
    [
      'a pyramid and a clipped range',
      'c',
      {
        preset: 'lucid',
        steps: 9,
        parameterisation: { kind: 'pyramid', levels: 3, valid: 'clip' },
        optimiser: { kind: 'nadam' },
      },
    ],
    [
      'several units together',
      'b',
      {
        preset: 'phosphene',
        steps: 9,
        objective: { kind: 'joint', others: [{ unit: 4, weight: 0.5 }] },
      },
    ],
    ['the norm of a layer', 'c', { preset: 'lucid', steps: 9, objective: { kind: 'norm', p: 3 } }],
    [
      'diverse pictures of each unit',
      'b',
      {
        preset: 'phosphene',
        steps: 9,
        diversity: { pictures: 3, weight: 10, shown: 1 },
      },
    ],
    [
      'diverse pictures of dense units',
      'c',
      {
        preset: 'phosphene',
        steps: 9,
        diversity: { pictures: 2, weight: 10 },
      },
    ],
  ])('makes the same bytes with %s whatever shares the batch', async (_, layer, recipe) => {
    const together = await render(layer, [0, 1, 2, 3], 4, recipe, 3);
    const alone = await render(layer, [2], 1, recipe, 3);
    const twos = await render(layer, [3, 2, 0], 2, recipe, 3);
    expect(kept(alone.get(2))).toEqual(kept(together.get(2)));
    expect(kept(twos.get(0))).toEqual(kept(together.get(0)));
  });

  it('makes the pictures of one unit differ, of 255 by tens, where diversity weighs', async () => {
    const apart = async (weight: number): Promise<number> => {
      const shown: Uint8Array[] = [];
      for (const picture of [0, 1]) {
        const diversity = { pictures: 2, weight, shown: picture };
        const [rendering] = (
          await render('b', [1], 1, { preset: 'phosphene', steps: 48, diversity }, 3)
        ).values();
        shown.push(rendering?.frames.at(-1)?.pixels ?? new Uint8Array());
      }
      const [a = new Uint8Array(), b = new Uint8Array()] = shown;
      return Math.sqrt(
        a.reduce((sum, value, index) => sum + (value - (b[index] as number)) ** 2, 0) / a.length,
      );
    };
    expect(await apart(1e-6)).toBeLessThan(30);
    expect(await apart(1)).toBeGreaterThan(60);
  });

  it('stops each unit where its objective is flat, and gives its place to the next at once', async () => {
    const recipe = {
      preset: 'phosphene',
      steps: 200,
      attempts: 1,
      wake: false,
      stop: { window: 4, gain: 0.005 },
    };
    const all = [0, 1, 2, 3, 4];
    const together = await render('b', all, 5, recipe, 3);
    const refilled = await render('b', all, 2, recipe, 3);
    const ends = all.map((unit) => {
      const { frames = [], curve = [] } = together.get(unit) ?? {};
      expect(kept(refilled.get(unit))).toEqual(kept(together.get(unit)));
      expect(frames.at(-1)).toMatchObject({ step: curve.length - 1, objective: curve.at(-1) });
      // One more update was on its way, and one knew that it is the last.
      expect(isFlat(recipe.stop, curve.slice(0, -2))).toBe(true);
      expect(isFlat(recipe.stop, curve.slice(0, -3))).toBe(false);
      return curve.length - 1;
    });
    expect(Math.max(...ends)).toBeLessThan(200);
    expect(new Set(ends).size).toBeGreaterThan(2);
  });

  it('knows the last step where it stops early: filters that are not for it leave it alone', async () => {
    const recipe = (last: boolean) => ({
      preset: 'wake',
      steps: 100,
      attempts: 1,
      stop: { window: 3, gain: 0.5 },
      regularisers: [{ kind: 'decay', amount: 1, ...(last ? {} : { last }) }],
    });
    const finished = async (last: boolean): Promise<Set<number>> => {
      const { frames = [] } = (await render('a', [1], 1, recipe(last), 3)).get(1) ?? {};
      expect(frames.at(-1)?.step).toBeLessThan(100);
      return new Set(frames.at(-1)?.pixels);
    };
    // A decay of all leaves nothing but 0.
    expect(await finished(true)).toEqual(new Set([0]));
    expect((await finished(false)).size).toBeGreaterThan(10);
  });

  it('starts from a picture, in the numbers that the recipe optimises, at the size of the first octave', async () => {
    const network = tinyNetwork(3);
    const layer = network.layers[0] as Layer;
    const size = { channels: 3, height: 12, width: 12 };
    const data = Float32Array.from({ length: 432 }, (_, index) => (index * 37) % 256);
    const startPicture = { ...size, data };
    const first = async (recipe: object): Promise<Uint8Array | undefined> => {
      const job = {
        network,
        layer,
        recipe: resolveRecipe(
          { preset: 'wake', steps: 4, start: { kind: 'image', file: 'x' }, ...recipe },
          'test',
        ),
        scaling: resolveScaling('caffe', 3),
        size,
        startPicture,
        batch: 1,
        seed: 0,
        units: [0],
      };
      for await (const { frames } of renderLayer(job, engine, new AbortController().signal))
        return frames[0]?.pixels;
      return undefined;
    };
    const whole = Uint8Array.from(
      { length: 432 },
      (_, index) => data[(index % 3) * 144 + Math.floor(index / 3)] as number,
    );
    expect(await first({})).toEqual(whole);
    expect(await first({ parameterisation: { kind: 'pixels', space: 'input' } })).toEqual(whole);
    const small = resized(resized(startPicture, 6, 6), 12, 12);
    const twoOctaves = await first({ octaves: { count: 2, factor: 2 } });
    expect(twoOctaves).toEqual(show({ kind: 'range' }, small));
  });

  it('renders where transforms change the size of what only one size fits', async () => {
    const [rendering] = (await render('d', [1], 1, { preset: 'lucid', steps: 4 }, 3)).values();
    expect(rendering?.curve).toHaveLength(5);
    expect(rendering?.frames.at(-1)?.pixels).toHaveLength(432);
  });

  it('shows every octave at the full size, and refuses octaves where only one size fits', async () => {
    const { frames = [], curve } = (await render('a', [1], 1, 'multi-scale', 1)).get(1) ?? {};
    expect(curve).toHaveLength(21);
    expect(frames.map(({ pixels }) => pixels.length)).toEqual(frames.map(() => 144));
    await expect(render('d', [1], 1, 'multi-scale')).rejects.toThrow(
      "The recipe 'multi-scale' goes through several sizes, and layer 'd' takes pictures of one size",
    );
  });

  it('measures the published 8 bits: as the whole network answers to them', async () => {
    const { graph, input, layers } = tinyNetwork();
    const scores = layers.at(-1)?.linear as string;
    const program = await engine.compile({ ...graph, outputs: [scores, ...graph.outputs] });
    for (const [unit, { frames, measures }] of await render('d', [0, 1, 2, 3], 4)) {
      const pixels = Float32Array.from(frames.at(-1)?.pixels ?? [], (value) => value / 255);
      const values = await program.run(
        new Map([[input.name, engine.upload(float32([1, 1, 12, 12], pixels))]]),
      );
      const [score = [], probabilities = []] = await Promise.all(
        [scores, ...graph.outputs].map(async (name) => {
          const { data } = await engine.download(values.get(name) as Value);
          return Array.from(data, Number);
        }),
      );
      const predicted = probabilities.indexOf(Math.max(...probabilities));
      expect(measures.activation).toBeCloseTo(score[unit] as number, 4);
      expect(measures.prediction?.unit).toBe(predicted);
      expect(measures.prediction?.probability).toBeCloseTo(probabilities[predicted] as number, 4);
      expect(measures.prediction?.right).toBe(predicted === unit);
    }
  });

  it('stops between two steps when it is told to', async () => {
    const network = tinyNetwork();
    const stop = new AbortController();
    const job = {
      network,
      layer: network.layers[0] as Layer,
      recipe: resolveRecipe({ preset: 'phosphene', steps: 100_000 }, 'test'),
      scaling: resolveScaling('0..1', 1),
      size: { channels: 1, height: 12, width: 12 },
      batch: 2,
      seed: 0,
      units: [0, 1],
    };
    setTimeout(() => stop.abort(), 50);
    const renderings = [];
    for await (const rendering of renderLayer(job, engine, stop.signal)) renderings.push(rendering);
    expect(renderings).toEqual([]);
  });
});
