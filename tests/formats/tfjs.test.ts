/** TensorFlow.js files made here: how weights are stored and cut, and what fused operations mean. */

import { describe, expect, it } from 'vitest';
import { PhospheneError } from '../../pipeline/error.ts';
import { loadNetwork } from '../../pipeline/formats/index.ts';
import { float32 } from '../../pipeline/network/graph.ts';
import type { Network } from '../../pipeline/network/network.ts';
import { valuesOf } from './cases.ts';

type Files = Readonly<Record<string, Uint8Array>>;

function load(model: object, files: Files): Promise<Network> {
  return loadNetwork({
    name: 'model.json',
    bytes: new TextEncoder().encode(JSON.stringify(model)),
    sibling: async (name) => {
      const bytes = files[name];
      if (bytes === undefined) throw new PhospheneError(`Expected a file '${name}', found nothing there.`);
      return bytes;
    },
  });
}

const bytesOf = (array: Float32Array | Uint8Array | Uint16Array | Float16Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** One pixel, two channels, one convolution of one filter: w · x + b. */
const pixelModel = {
  format: 'layers-model',
  modelTopology: {
    keras_version: '2.4.0',
    model_config: {
      class_name: 'Sequential',
      config: {
        name: 'm',
        layers: [
          {
            class_name: 'Conv2D',
            config: { name: 'conv', filters: 1, kernel_size: [1, 1], batch_input_shape: [null, 1, 1, 2] },
          },
        ],
      },
    },
  },
};

const specs = (more: object = {}) => [
  { name: 'conv/kernel', shape: [1, 1, 2, 1], dtype: 'float32', ...more },
  { name: 'conv/bias', shape: [1], dtype: 'float32' },
];

async function output(network: Network, input: readonly number[]): Promise<number[]> {
  const [name = ''] = network.graph.outputs;
  const picture = float32([1, input.length, 1, 1], input);
  return Array.from((await valuesOf(network, picture, [name])).get(name)?.data ?? []);
}

describe('the weights of a TensorFlow.js model', () => {
  it('may be cut anywhere into several files', async () => {
    const data = bytesOf(Float32Array.of(2, 3, 10));
    const weightsManifest = [{ paths: ['a.bin', 'b.bin'], weights: specs() }];
    const files = { 'a.bin': data.slice(0, 5), 'b.bin': data.slice(5) };
    expect(await output(await load({ ...pixelModel, weightsManifest }, files), [1, 100])).toEqual([312]);
  });

  it('may be listed in a manifest beside the model, in groups', async () => {
    const [kernel, bias] = specs();
    const manifest = [
      { paths: ['k.bin'], weights: [kernel] },
      { paths: ['b.bin'], weights: [bias] },
    ];
    const files = {
      'weights_manifest.json': new TextEncoder().encode(JSON.stringify(manifest)),
      'k.bin': bytesOf(Float32Array.of(2, 3)),
      'b.bin': bytesOf(Float32Array.of(10)),
    };
    expect(await output(await load(pixelModel, files), [1, 100])).toEqual([312]);
  });

  it.each([
    ['uint8', bytesOf(Uint8Array.of(4, 6)), { dtype: 'uint8', scale: 0.5, min: 0 }],
    ['uint16', bytesOf(Uint16Array.of(300, 400)), { dtype: 'uint16', scale: 0.01, min: -1 }],
    ['float16', bytesOf(Float16Array.of(2, 3)), { dtype: 'float16' }],
  ])('may be quantised to %s', async (_, kernel, quantization) => {
    const weightsManifest = [{ paths: ['w.bin'], weights: specs({ quantization }) }];
    const bytes = new Uint8Array([...kernel, ...bytesOf(Float32Array.of(10))]);
    const [value] = await output(
      await load({ ...pixelModel, weightsManifest }, { 'w.bin': bytes }),
      [1, 100],
    );
    expect(value).toBeCloseTo(312, 4);
  });

  it('that end early are told by their sizes', async () => {
    const weightsManifest = [{ paths: ['w.bin'], weights: specs() }];
    await expect(load({ ...pixelModel, weightsManifest }, { 'w.bin': new Uint8Array(7) })).rejects.toThrow(
      "Expected 12 bytes of weights for 'model.json' in 'w.bin', found 7",
    );
  });

  it('that are missing are told by name', async () => {
    const weightsManifest = [{ paths: ['w.bin'], weights: specs() }];
    await expect(load({ ...pixelModel, weightsManifest }, {})).rejects.toThrow("Expected a file 'w.bin'");
  });
});

describe('a fused operation of a graph model', () => {
  const text = (value: string) => Buffer.from(value).toString('base64');
  const constant = (name: string) => ({ name, op: 'Const' });
  const picture = {
    name: 'x',
    op: 'Placeholder',
    attr: { shape: { shape: { dim: ['-1', '1', '1', '2'].map((size) => ({ size })) } } },
  };
  const model = (op: string, ops: readonly string[], more: object, inputs: readonly string[]) => ({
    format: 'graph-model',
    modelTopology: {
      node: [
        picture,
        constant('w'),
        constant('b'),
        constant('slope'),
        { name: 'y', op, input: inputs, attr: { fused_ops: { list: { s: ops.map(text) } }, ...more } },
      ],
    },
    weightsManifest: [
      {
        paths: ['w.bin'],
        weights: [
          { name: 'w', shape: [1, 1, 2, 1], dtype: 'float32' },
          { name: 'b', shape: [1], dtype: 'float32' },
          { name: 'slope', shape: [1, 1, 1], dtype: 'float32' },
        ],
      },
    ],
  });
  const files = { 'w.bin': bytesOf(Float32Array.of(2, 3, 1, 0.5)) };
  const window = {
    strides: { list: { i: ['1', '1', '1', '1'] } },
    padding: { s: text('SAME') },
    data_format: { s: text('NHWC') },
  };

  it.each([
    ['a bias', ['BiasAdd'], {}, [-4]],
    ['Relu6', ['BiasAdd', 'Relu6'], {}, [0]],
    ['LeakyRelu', ['BiasAdd', 'LeakyRelu'], { leakyrelu_alpha: { f: 0.25 } }, [-1]],
    ['Prelu', ['BiasAdd', 'Prelu'], {}, [-2]],
  ])('adds %s to a convolution', async (_, ops, more, expected) => {
    const inputs = ['x', 'w', 'b', ...(ops[1] === 'Prelu' ? ['slope'] : [])];
    const network = await load(model('_FusedConv2D', ops, { ...window, ...more }, inputs), files);
    expect(await output(network, [-1, -1])).toEqual(expected);
    expect(network.layers.map(({ units, kind }) => [units, kind])).toEqual([[1, 'conv']]);
  });

  it('that is not known is a gap', async () => {
    const network = await load(model('_FusedConv2D', ['BiasAdd', 'Twist'], window, ['x', 'w', 'b']), files);
    expect(network.gaps).toEqual([
      {
        layer: 'y',
        reason: "Layer 'y' of class fused Twist cannot be computed: this class is not known.",
      },
    ]);
  });
});
