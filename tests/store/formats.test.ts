/** One network in every format: the files say it in different ways, and mean the same. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { loadNetwork } from '../../pipeline/formats/index.ts';
import { readKerasArchive } from '../../pipeline/formats/keras/archive.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import { foldBatchNormalization } from '../../pipeline/network/fold.ts';
import { type Graph, int, ints } from '../../pipeline/network/graph.ts';
import type { Network } from '../../pipeline/network/network.ts';
import { encodeModel } from '../../pipeline/network/onnx.ts';
import { resolveRecipe } from '../../pipeline/recipe/resolve.ts';
import { resolveScaling } from '../../pipeline/recipe/scaling.ts';
import { fingerprintLayer } from '../../pipeline/store/fingerprint.ts';
import { shared } from '../formats/cases.ts';

type Files = Readonly<Record<string, Uint8Array>>;

const load = (name: string, files: Files): Promise<Network> =>
  loadNetwork({
    name,
    bytes: files[name] ?? new Uint8Array(),
    sibling: async (sibling) => files[sibling] ?? new Uint8Array(),
  });

/** Fingerprints of the first, a middle and the last unit of every layer, layer by layer. */
async function fingerprints(read: Network): Promise<string[][]> {
  const network = foldBatchNormalization(read);
  const { channels } = network.input;
  const size = { channels, height: 28, width: 28 };
  const scaling = resolveScaling('0..1', channels);
  return Promise.all(
    network.layers.map(async (layer) => {
      const of = await fingerprintLayer(network, layer, resolveRecipe('phosphene', 'test'), scaling, size);
      const units = [0, layer.units >> 1, layer.units - 1];
      return Promise.all(units.map(async (unit) => (await of(unit, 0)).fingerprint));
    }),
  );
}

/** The archive's network as a TensorFlow.js layers model: its configuration, its weights in two shards. */
async function asTfjs(bytes: Uint8Array): Promise<Files> {
  const config = JSON.parse(new TextDecoder().decode(unzipSync(bytes)['config.json']));
  const { model, weights } = await readKerasArchive({
    name: 'a.keras',
    bytes,
    sibling: () => Promise.reject(new Error('no other file')),
  });
  const tensors = model.layers.flatMap(({ name, className }) =>
    (weights({ path: [], name, className }) ?? []).map((tensor, index) => ({
      tensor,
      spec: { name: `${name}/w${index}`, shape: tensor.dims, dtype: 'float32' },
    })),
  );
  const data = Buffer.concat(tensors.map(({ tensor }) => Buffer.from(Float32Array.from(tensor.data).buffer)));
  const cut = Math.floor(data.length / 3);
  const description = {
    format: 'layers-model',
    modelTopology: { keras_version: '3.0.0', model_config: config },
    weightsManifest: [{ paths: ['a.bin', 'b.bin'], weights: tensors.map(({ spec }) => spec) }],
  };
  return {
    'model.json': new TextEncoder().encode(JSON.stringify(description)),
    'a.bin': data.subarray(0, cut),
    'b.bin': data.subarray(cut),
  };
}

/** The graph as an exporter from TensorFlow writes it: pictures channels last, every default said, products and sums apart. */
function asExported({ graph, input }: Network): Graph {
  const build = new GraphBuilder(undefined, graph.opset);
  const picture = build.input('picture:0', ['N', input.height, input.width, input.channels]);
  const first = build.add('Transpose', [picture], { perm: ints([0, 3, 1, 2]) }, 'first');
  const names = new Map([[input.name, first]]);
  for (const [name, tensor] of graph.initializers) names.set(name, build.constant(tensor, `const_${name}`));
  const add = build.add.bind(build);
  for (const { op, inputs, outputs, attributes } of graph.nodes) {
    const values = inputs.map((name) => names.get(name) ?? '');
    const [x = '', w = '', b = ''] = values;
    const value = ((): string => {
      if (op === 'Conv') {
        const defaults = { group: int(1), dilations: ints([1, 1]), pads: ints([0, 0, 0, 0]) };
        return add(op, [x, w, b], { strides: ints([1, 1]), ...defaults, ...attributes });
      }
      if (op === 'Gemm') return add('Add', [b, add('MatMul', [x, w], {})], {});
      if (op === 'Flatten') return add('Identity', [add('Reshape', [x, build.shape([0, -1])], {})], {});
      return add(op, values, attributes);
    })();
    names.set(outputs[0] ?? '', value);
  }
  return build.graph(graph.outputs.map((name) => names.get(name) ?? ''));
}

const kept = join(import.meta.dirname, '../../content/weights/mnist.keras');
const pairs = ['jhas876622_mnist_cnn', 'leyuzak_mnist_cnn'].map((name) =>
  join(shared, 'data/keras-models', name),
);
const arePairs = pairs.every((path) => existsSync(`${path}.h5`));

describe('one network', () => {
  it.each([
    ['the MNIST network', kept],
    ...(arePairs ? pairs.map((path): [string, string] => [path, `${path}.keras`]) : []),
  ])('has the same fingerprints as .keras, TensorFlow.js and ONNX of two makers: %s', async (_, path) => {
    const bytes = readFileSync(path);
    const network = await load('a.keras', { 'a.keras': bytes });
    const expected = await fingerprints(network);
    expect(expected.length).toBeGreaterThanOrEqual(4);
    expect(await fingerprints(await load('model.json', await asTfjs(bytes)))).toEqual(expected);
    const plain = { 'b.onnx': encodeModel(network.graph) };
    expect(await fingerprints(await load('b.onnx', plain))).toEqual(expected);
    const exported = { 'c.onnx': encodeModel(asExported(network)) };
    expect(await fingerprints(await load('c.onnx', exported))).toEqual(expected);
  });

  it.skipIf(!arePairs).each(pairs)(
    'has the same fingerprints as .h5 and .keras (needs ../shared): %s',
    async (path) => {
      const [older, newer] = ['h5', 'keras'].map((type) => ({
        [`a.${type}`]: readFileSync(`${path}.${type}`),
      }));
      expect(await fingerprints(await load('a.h5', older ?? {}))).toEqual(
        await fingerprints(await load('a.keras', newer ?? {})),
      );
    },
  );

  it('has others with a Lambda layer that computes something else', async () => {
    const file = (expression: string): Promise<Network> =>
      loadNetwork(
        {
          name: 'model.json',
          bytes: new TextEncoder().encode(JSON.stringify(lambdaModel)),
          sibling: async () => new Uint8Array(Float32Array.of(2, 3).buffer),
        },
        { lambdas: { scale: expression } },
      );
    const [one, again, other] = await Promise.all(
      ['x / 2', 'x / 2', 'x / 3'].map(async (text) => fingerprints(await file(text))),
    );
    expect(again).toEqual(one);
    expect(other?.flat().filter((fingerprint) => one?.flat().includes(fingerprint))).toEqual([]);
  });
});

const vgg = join(shared, 'data/models/vgg16_notop.h5');

describe.skipIf(!existsSync(vgg))('the true VGG16 (needs ../shared)', () => {
  it('with one weight of one filter of block3_conv2 changed: that filter, and all 3,328 units above it', async () => {
    const network = await load('vgg16.h5', { 'vgg16.h5': readFileSync(vgg) });
    const layer = network.layers.find(({ name }) => name === 'block3_conv2');
    const node = network.graph.nodes.find(({ outputs }) => outputs.includes(layer?.linear ?? ''));
    const kernel = network.graph.initializers.get(node?.inputs[1] ?? '');
    if (kernel?.type !== 'float32') throw new Error('no kernel');
    const data = kernel.data.slice();
    const place = 77 * (data.length / 256) + 1234;
    data[place] = (data[place] as number) + 1e-3;
    const initializers = new Map(network.graph.initializers).set(node?.inputs[1] ?? '', { ...kernel, data });
    const changed = { ...network, graph: { ...network.graph, initializers } };
    const [before, after] = [await everyUnit(network), await everyUnit(changed)];
    const others = [...before.keys()].filter((unit) => before.get(unit) !== after.get(unit));
    expect(before.size).toBe(4224);
    const above = [...before.keys()].filter((unit) => /^block(3_conv3|4|5)/.test(unit));
    expect(above).toHaveLength(256 + 6 * 512);
    expect(others).toEqual(['block3_conv2 77', ...above]);
  });
});

/** The fingerprint of every unit of a network, by its layer's name and its number. */
async function everyUnit(network: Network): Promise<Map<string, string>> {
  const scaling = resolveScaling('caffe', 3);
  const size = { channels: 3, height: 128, width: 128 };
  const found = new Map<string, string>();
  for (const layer of network.layers) {
    const of = await fingerprintLayer(network, layer, resolveRecipe('phosphene', 'test'), scaling, size);
    for (let unit = 0; unit < layer.units; unit++) {
      found.set(`${layer.name} ${unit}`, (await of(unit, 0)).fingerprint);
    }
  }
  return found;
}

const lambdaModel = {
  format: 'layers-model',
  modelTopology: {
    keras_version: '2.4.0',
    model_config: {
      class_name: 'Sequential',
      config: {
        name: 'm',
        layers: [
          {
            class_name: 'Lambda',
            config: {
              name: 'scale',
              function: ['', null, null],
              function_type: 'lambda',
              batch_input_shape: [null, 28, 28, 1],
            },
          },
          { class_name: 'Conv2D', config: { name: 'conv', filters: 1, kernel_size: [1, 1] } },
        ],
      },
    },
  },
  weightsManifest: [
    {
      paths: ['a.bin'],
      weights: [
        { name: 'conv/kernel', shape: [1, 1, 1, 1], dtype: 'float32' },
        { name: 'conv/bias', shape: [1], dtype: 'float32' },
      ],
    },
  ],
};
