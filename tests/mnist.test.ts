/** The network that comes with the project, and its gallery, held against MNIST itself. */

import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { renderLayer, type UnitRendering } from '../pipeline/ascent/layer.ts';
import { classifier } from '../pipeline/ascent/measure.ts';
import { readModels } from '../pipeline/content.ts';
import { cpuEngine } from '../pipeline/engine/onnxruntime.ts';
import { float32 } from '../pipeline/network/graph.ts';
import type { Layer } from '../pipeline/network/network.ts';
import { planesOf } from '../pipeline/picture/display.ts';
import { type ModelPlan, openModel, planModel } from '../pipeline/plan.ts';
import { fixturePath, fixturesMissing, ifMissing, readData } from './fixtures.ts';

const engine = cpuEngine();
let plan: ModelPlan;
beforeAll(async () => {
  const [model] = await readModels('content', ['mnist']);
  if (typeof model?.weights !== 'string') throw new Error('content/models/mnist.json is missing');
  plan = await planModel({ ...model, weightsFile: model.weights });
});

async function render(name: string): Promise<UnitRendering[]> {
  const layerPlan = plan.layers.find(({ layer }) => layer.name === name);
  if (layerPlan === undefined) throw new Error(`No layer ${name}`);
  const { layer, recipe, size, units: wanted } = layerPlan;
  const { network, scaling, seed } = plan;
  const units = wanted.map(({ unit }) => unit);
  const job = { network, layer, recipe, scaling, size, seed, units, batch: 16 };
  const renderings: UnitRendering[] = [];
  for await (const rendering of renderLayer(job, engine, new AbortController().signal))
    renderings.push(rendering);
  return renderings;
}

/** All outputs of the layers named, for the 10,000 test images, 500 at a time. */
async function* overTestImages(outputs: readonly string[]) {
  const images = gunzipSync(readData('mnist/t10k-images-idx3-ubyte.gz')).subarray(16);
  const labels = gunzipSync(readData('mnist/t10k-labels-idx1-ubyte.gz')).subarray(8);
  const { network } = plan;
  const program = await engine.compile({ ...network.graph, outputs });
  for (let from = 0; from < 10_000; from += 500) {
    const pixels = Float32Array.from(images.subarray(from * 784, (from + 500) * 784), (value) => value / 255);
    const values = await program.run(
      new Map([[network.input.name, engine.upload(float32([500, 1, 28, 28], pixels))]]),
    );
    const read = outputs.map(async (name) => {
      const value = values.get(name);
      if (value === undefined) throw new Error(`No value ${name}`);
      return (await engine.download(value)).data as Float32Array;
    });
    yield { labels: labels.subarray(from, from + 500), values: await Promise.all(read) };
  }
}

it('plans the 586 units of seven layers', () => {
  const counts = plan.layers.map(({ layer, units }) => [layer.name, units.length]);
  expect(Object.fromEntries(counts)).toEqual({
    conv2d_1: 32,
    conv2d_2: 32,
    conv2d_3: 64,
    conv2d_4: 64,
    dense_1: 256,
    dense_2: 128,
    dense_3: 10,
  });
});

it('shows ten digits that the network itself reads right with p ≥ .99, from their 8 bits', async () => {
  const digits = await render('dense_3');
  expect(digits).toHaveLength(10);
  for (const { unit, measures } of digits) {
    expect(measures.prediction).toMatchObject({ unit, right: true });
    expect(measures.prediction?.probability).toBeGreaterThanOrEqual(0.99);
  }
});

it.skipIf(fixturesMissing).each(['leyuzak_mnist_cnn.keras', 'jhas876622_mnist_cnn.keras'])(
  `shows digits of which %s, a network of somebody else, reads at least nine right${ifMissing}`,
  async (file) => {
    const { network } = await openModel(fixturePath('../data/keras-models', file));
    const scores = network.layers.at(-1) as Layer;
    const size = { channels: 1, height: 28, width: 28 };
    const spec = { network, layer: scores, scaling: plan.scaling, size, batch: 10 };
    const digits = (await render('dense_3')).sort((a, b) => a.unit - b.unit);
    const pictures = digits.map(({ frames }) => planesOf(frames.at(-1)?.pixels ?? new Uint8Array(), size));
    const read = await (await classifier(spec, engine)).classify(pictures);
    const right = read.filter((row, digit) => row.indexOf(Math.max(...row)) === digit);
    expect(right.length).toBeGreaterThanOrEqual(9);
  },
);

describe.skipIf(fixturesMissing)(`on the 10,000 test images${ifMissing}`, () => {
  it('reads at least 99.3 % right', async () => {
    const scores = plan.network.layers.at(-1)?.linear as string;
    let right = 0;
    for await (const { labels, values } of overTestImages([scores])) {
      const data = values[0] as Float32Array;
      labels.forEach((label, index) => {
        const own = data.subarray(index * 10, index * 10 + 10);
        if (own.indexOf(Math.max(...own)) === label) right++;
      });
    }
    expect(right).toBeGreaterThanOrEqual(9930);
  });

  it('calls no unit of conv2d_2 dead that any of them excites, and finds one that none does', async () => {
    const dead = (await render('conv2d_2')).filter(({ measures }) => measures.dead).map(({ unit }) => unit);
    expect(dead).not.toEqual([]);
    for await (const { values } of overTestImages(['conv2d_2'])) {
      const data = values[0] as Float32Array;
      const area = data.length / 500 / 32;
      for (const unit of dead) {
        for (let image = 0; image < 500; image++) {
          const map = data.subarray((image * 32 + unit) * area, (image * 32 + unit + 1) * area);
          expect(map.every((value) => value === 0)).toBe(true);
        }
      }
    }
  });
});
