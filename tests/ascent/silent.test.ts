import { describe, expect, it } from 'vitest';
import { renderLayer, type UnitRendering } from '../../pipeline/ascent/layer.ts';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import { float32 } from '../../pipeline/network/graph.ts';
import type { Layer, Network } from '../../pipeline/network/network.ts';
import { resolveRecipe } from '../../pipeline/recipe/resolve.ts';
import { resolveScaling } from '../../pipeline/recipe/scaling.ts';
import { tinyNetwork } from './tiny.ts';

/**
 * A neuron of layer 'a' speaks where 3 × 3 pixels are all but white: their sum (of 9) is above 9 - `short`. Each unit
 * of 'b' takes it times its weight, so that where 'a' is silent no gradient comes through.
 */
function hardToExcite(short: number, weights: readonly number[]): Network {
  const build = new GraphBuilder();
  const input = build.input('x', ['N', 1, 12, 12]);
  const kernel = build.constant(float32([1, 1, 3, 3], new Array<number>(9).fill(1)));
  const a = build.add('Conv', [input, kernel, build.constant(float32([1], [short - 9]))]);
  const aOut = build.add('Relu', [a]);
  const b = build.add('Conv', [aOut, build.constant(float32([weights.length, 1, 1, 1], weights))]);
  const bOut = build.add('Relu', [b]);
  const layer = (name: string, units: number, linear: string, output: string): Layer => {
    return { name, kind: 'conv', units, linear, output, unitAxis: 1 };
  };
  return {
    format: 'onnx',
    graph: build.graph([bOut]),
    input: { name: input, layout: 'NCHW', channels: 1, height: 12, width: 12 },
    layers: [layer('a', 1, a, aOut), layer('b', weights.length, b, bOut)],
    gaps: [],
  };
}

async function render(
  network: Network,
  layerName: string,
  units: readonly number[],
  recipe: Readonly<Record<string, unknown>>,
  batch = 2,
): Promise<Map<number, UnitRendering>> {
  const job = {
    network,
    layer: network.layers.find(({ name }) => name === layerName) as Layer,
    recipe: resolveRecipe(recipe, 'test'),
    scaling: resolveScaling('0..1', 1),
    size: { channels: 1, height: 12, width: 12 },
    batch,
    seed: 3,
    units,
  };
  const found = new Map<number, UnitRendering>();
  for await (const rendering of renderLayer(job, cpuEngine(), new AbortController().signal))
    found.set(rendering.unit, rendering);
  return found;
}

const grey = {
  preset: 'wake',
  start: { kind: 'constant', value: 127.5 },
  regularisers: [{ kind: 'clip' }],
  attempts: 1,
  relu: undefined,
};

describe('units that are silent at the start', () => {
  it('stay where they are by the true gradient, and leave by a redirected or a leaky one', async () => {
    const network = hardToExcite(0.5, [1]);
    const of = async (recipe: object) => (await render(network, 'b', [0], { ...grey, ...recipe })).get(0);
    const stuck = await of({});
    expect(stuck?.measures).toMatchObject({ maxActivation: 0, initialActivation: 0 });
    expect(new Set(stuck?.frames.at(-1)?.pixels)).toEqual(new Set([128]));
    for (const relu of [{ kind: 'redirected' }, { kind: 'leaky', slope: 0.1 }]) {
      const { measures, recipe } = (await of({ relu })) ?? {};
      expect(recipe?.['name']).toBe('wake, changed');
      expect(measures?.maxActivation).toBeGreaterThan(0);
      expect(measures?.dead).toBe(false);
    }
  });

  it('leaves by the true gradient where only the unit itself is silent, if it is taken before its ReLU', async () => {
    const network = hardToExcite(0.5, [1]);
    const of = async (kind: string) => {
      const objective = { kind: 'centre', of: kind };
      return (await render(network, 'a', [0], { ...grey, objective })).get(0)?.measures.maxActivation;
    };
    expect(await of('activation')).toBe(0);
    expect(await of('linear')).toBeGreaterThan(0);
  });

  it('are shown as the last resort finds them, and called dead where it finds nothing', async () => {
    const recipe = { preset: 'phosphene', steps: 4 };
    const found = await render(hardToExcite(0.5, [1, -1]), 'b', [0, 1], recipe);
    expect(found.get(0)?.recipe['name']).toBe('wake');
    expect(found.get(0)?.measures).toMatchObject({ dead: false, maxActivation: expect.closeTo(0.5, 1) });
    expect(found.get(1)?.recipe['name']).toBe('phosphene, changed');
    expect(found.get(1)?.measures).toMatchObject({ dead: true, maxActivation: 0 });
  });

  it('are what was asked for where the recipe seeks the negative', async () => {
    const recipe = { preset: 'phosphene', steps: 4, objective: { kind: 'mean', negative: true } };
    const found = await render(hardToExcite(0.5, [1]), 'b', [0], recipe);
    expect(found.get(0)?.recipe['name']).toBe('phosphene, changed');
    expect(found.get(0)?.measures).toMatchObject({ dead: false, maxActivation: 0 });
  });
});

describe('several attempts', () => {
  it('keep the best of all where the recipe says so, whatever shares the batch', async () => {
    const recipe = { preset: 'phosphene', steps: 6, wake: false };
    const units = [0, 1, 2, 3, 4];
    const once = await render(tinyNetwork(), 'b', units, { ...recipe, attempts: 1 });
    const best = await render(tinyNetwork(), 'b', units, { ...recipe, attempts: 5, keep: 'best' });
    const alone = await render(tinyNetwork(), 'b', [3], { ...recipe, attempts: 5, keep: 'best' }, 1);
    const end = (rendering: UnitRendering | undefined): number => rendering?.curve.at(-1) ?? Number.NaN;
    expect(best.size).toBe(5);
    // One that speaks is better than one that does not, wherever their objectives end.
    const speaking = units.filter((unit) => (once.get(unit)?.measures.maxActivation ?? 0) > 0);
    expect(speaking.length).toBeGreaterThan(1);
    const gains = speaking.map((unit) => end(best.get(unit)) - end(once.get(unit)));
    expect(Math.min(...gains)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...gains)).toBeGreaterThan(0);
    expect({ ...alone.get(3), seconds: 0 }).toEqual({ ...best.get(3), seconds: 0 });
  });
});
