import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readModels } from '../pipeline/content.ts';
import { encodeModel } from '../pipeline/network/onnx.ts';
import { type PlanOptions, planModel } from '../pipeline/plan.ts';
import type { ModelOnHand } from '../pipeline/weights/weights.ts';
import { tinyNetwork } from './ascent/tiny.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'phosphene-plan-'));
  await mkdir(join(folder, 'models'));
  await writeFile(join(folder, 'models/tiny.onnx'), encodeModel(tinyNetwork().graph));
});
afterAll(() => rm(folder, { recursive: true }));

async function onlyModel(): Promise<ModelOnHand> {
  const [model] = await readModels(folder, ['tiny']);
  if (model === undefined) throw new Error('no model');
  return { ...model, weightsFile: join(folder, 'models/tiny.onnx') };
}

/** The sides of the layers' pictures: two convolutions and two dense layers on pictures of 12×12 px. */
async function sides(content: object, options: PlanOptions = {}): Promise<[number, number][]> {
  const text = JSON.stringify({ title: 'Tiny', weights: 'tiny.onnx', ...content });
  await writeFile(join(folder, 'models/tiny.json'), text);
  const { layers } = await planModel(await onlyModel(), options);
  return layers.map(({ size }) => [size.width, size.height]);
}

describe('the plan', () => {
  it('gives every layer of a small network pictures of its input', async () => {
    expect(await sides({})).toEqual([
      [12, 12],
      [12, 12],
      [12, 12],
      [12, 12],
    ]);
  });

  it('takes the size of the content file where the network leaves it free', async () => {
    expect(await sides({ input: { sizePx: 20 } })).toEqual([
      [20, 20],
      [20, 20],
      [12, 12],
      [12, 12],
    ]);
  });

  it('takes the size of the command line, or refuses it', async () => {
    expect(await sides({}, { sizePx: 16, layers: ['conv*'] })).toEqual([
      [16, 16],
      [16, 16],
    ]);
    await expect(sides({}, { sizePx: 16 })).rejects.toMatchObject({
      exitCode: 2,
      message: `'gemm' of 'tiny' takes pictures of 12×12 px and no others, found a size of 16; leave the size out, or choose other layers with --layers`,
    });
  });

  it('makes pictures of another size other renderings', async () => {
    const first = async (options: PlanOptions): Promise<string | undefined> => {
      return (await planModel(await onlyModel(), options)).layers[0]?.units[0]?.fingerprint;
    };
    await sides({});
    const layers = ['conv'];
    expect(await first({ layers, sizePx: 12 })).toBe(await first({ layers }));
    expect(await first({ layers, sizePx: 16 })).not.toBe(await first({ layers }));
  });
});
