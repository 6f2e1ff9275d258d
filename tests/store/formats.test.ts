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
