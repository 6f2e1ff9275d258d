import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readModels } from '../pipeline/content.ts';
import { workOfUnit } from '../pipeline/labour.ts';
import { encodeModel } from '../pipeline/network/onnx.ts';
import { type ModelPlan, type PlanOptions, planModel } from '../pipeline/plan.ts';
import { type ModelStatus, statusOf } from '../pipeline/status.ts';
import { MemoryStore } from '../pipeline/store/memory.ts';
import { type TinyOptions, tinyNetwork } from './ascent/tiny.ts';
import { rendering } from './store/rendering.ts';

let folder: string;
let store: MemoryStore;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-status-'));
  await mkdir(join(folder, 'models'));
});
beforeEach(() => {
  store = new MemoryStore();
});
afterAll(() => rm(folder, { recursive: true }));

async function planned(
  content: object = {},
  options: PlanOptions = {},
  weights: TinyOptions = {},
): Promise<ModelPlan> {
  await writeFile(join(folder, 'models/tiny.onnx'), encodeModel(tinyNetwork(1, weights).graph));
  const text = JSON.stringify({ title: 'Tiny', weights: 'tiny.onnx', ...content });
  await writeFile(join(folder, 'models/tiny.json'), text);
  const [model] = await readModels(folder, ['tiny']);
  if (model === undefined) throw new Error('no model');
  return planModel({ ...model, weightsFile: join(folder, 'models/tiny.onnx') }, options);
}

/** Keeps renderings of all planned units, as if each had taken a second. */
async function keepAll({ slug, layers }: ModelPlan): Promise<void> {
  for (const { layer, units, recipe, size } of layers) {
    for (const { unit, fingerprint, madeFrom } of units) {
      const { width: widthPx, height: heightPx } = size;
      const made = { unit, fingerprint, madeFrom, model: slug, layer: layer.name, recipe, seconds: 1 };
      await store.write(rendering(unit, { ...made, frames: [], widthPx, heightPx }));
    }
  }
}

const reasonsOf = ([model]: ModelStatus[]) =>
  model?.layers.map(({ fresh, stale, reasons }) => [
    fresh,
    stale,
    ...reasons.map(({ fields, units }) => `${units} ${fields.join(' ')}`),
  ]);

describe('status', () => {
  it('counts what was never rendered as missing, and does not guess how long it takes', async () => {
    const [status] = await statusOf([await planned()], store);
    expect(status?.layers.map(({ units, missing, seconds }) => [units, missing, seconds])).toEqual([
      [6, 6, null],
      [5, 5, null],
      [7, 7, null],
      [4, 4, null],
    ]);
  });

  it('finds all fresh after the rendering, under whatever name the file lies', async () => {
    const plan = await planned();
    await keepAll(plan);
    expect(reasonsOf(await statusOf([plan], store))).toEqual([
      [6, 0],
      [5, 0],
      [7, 0],
      [4, 0],
    ]);
  });

  it.each<[string, Parameters<typeof planned>, unknown]>([
    [
      'one filter of the second layer: its own weights, and the weights below all later ones',
      [{}, {}, { changed: { layer: 'b', unit: 2 } }],
      [
        [6, 0],
        [4, 1, '1 slice'],
        [0, 7, '7 weights'],
        [0, 4, '4 weights'],
      ],
    ],
    [
      'the input scaling',
      [{ input: { scaling: '-1..1' } }],
      [
        [0, 6, '6 scaling'],
        [0, 5, '5 scaling'],
        [0, 7, '7 scaling'],
        [0, 4, '4 scaling'],
      ],
    ],
    [
      'the seed and the steps',
      [{}, { seed: 3, steps: 7 }],
      [
        [0, 6, '6 recipe frames seed'],
        [0, 5, '5 recipe frames seed'],
        [0, 7, '7 recipe frames seed'],
        [0, 4, '4 recipe frames seed'],
      ],
    ],
  ])('says what changed: %s', async (_, changes, expected) => {
    await keepAll(await planned());
    expect(reasonsOf(await statusOf([await planned(...changes)], store))).toEqual(expected);
  });

  it('compares with the most similar of several renderings', async () => {
    await keepAll(await planned({}, { seed: 9, steps: 3 }));
    await keepAll(await planned({}, { seed: 9 }));
    expect(reasonsOf(await statusOf([await planned()], store))?.[0]).toEqual([0, 6, '6 seed']);
  });

  it('says that it does not know what differs from a rendering that does not tell', async () => {
    const [layer] = (await planned()).layers;
    const { unit } = layer?.units[0] ?? { unit: 0 };
    await store.write(rendering(unit, { model: 'tiny', layer: layer?.layer.name ?? '', unit }));
    expect(reasonsOf(await statusOf([await planned()], store))?.[0]).toEqual([0, 1, '1 ']);
  });

  it('judges the time by the median of what the layer took a step and pixel', async () => {
    await keepAll(await planned({}, { layers: ['conv'], units: [0, 1], steps: 10 }));
    const [status] = await statusOf([await planned({}, { layers: ['conv'], steps: 40 })], store);
    // Six units of four times the steps that took a second.
    expect(status?.layers[0]).toMatchObject({ seconds: 24, measuredAt: 'conv' });
  });

  it('judges a layer that was never rendered by the nearest one that was, and by how much less work that is', async () => {
    await keepAll(await planned({}, { layers: ['conv_2'], steps: 10 }));
    const plan = await planned({}, { steps: 10 });
    const [status] = await statusOf([plan], store);
    const units = [6, 0, 7, 4];
    const [conv = 0, measured = 1, ...others] = plan.layers.map((layer) => workOfUnit(plan.network, layer));
    const expected = [conv, 0, ...others].map((work, place) => ((units[place] ?? 0) * work) / measured);
    for (const [place, { seconds, measuredAt }] of status?.layers.entries() ?? []) {
      expect(seconds).toBeCloseTo(expected[place] ?? -1, 9);
      expect(measuredAt).toBe(place === 1 ? undefined : 'conv_2');
    }
  });
});
