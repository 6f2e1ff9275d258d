/** ONNX files as exporters write them, made here node by node; onnxruntime itself says what newer operator sets mean. */

import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, StringStringEntryProtoSchema, TensorProto_DataLocation } from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { PhospheneError } from '../../pipeline/error.ts';
import { loadNetwork } from '../../pipeline/formats/index.ts';
import { layerName } from '../../pipeline/formats/onnx/names.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import {
  type Attribute,
  type Float32Tensor,
  float,
  float32,
  type Graph,
  type GraphInput,
  int,
  ints,
  size,
  text,
} from '../../pipeline/network/graph.ts';
import type { Network } from '../../pipeline/network/network.ts';
import { encodeModel } from '../../pipeline/network/onnx.ts';
import { largestDifference, valuesOf } from './cases.ts';

/** Numbers that are all different and of both signs. */
const wave = (dims: readonly number[], phase = 0): Float32Tensor =>
  float32(
    dims,
    Float32Array.from({ length: size(dims) }, (_, at) => Math.sin(1.7 * at + phase)),
  );

const load = (graph: Graph): Promise<Network> =>
  loadNetwork({
    name: 'made.onnx',
    bytes: encodeModel(graph),
    sibling: async () => {
      throw new Error('no other file is expected to be read');
    },
  });

/** A graph with one picture input `x` and one output. */
function made(
  write: (build: GraphBuilder) => string,
  { dims = ['N', 4, 6, 6], opset = 17 }: { dims?: GraphInput['dims']; opset?: number } = {},
): Graph {
  const build = new GraphBuilder(undefined, opset);
  build.input('x', dims);
  return build.graph([write(build)]);
}

const conv = (build: GraphBuilder, x: string, units: number, inputs: number, hint = 'conv'): string =>
  build.add('Conv', [x, build.constant(wave([units, inputs, 3, 3]), `${hint}.weight`)], {}, hint);

async function truth(graph: Graph, input: Float32Tensor): Promise<Float32Tensor> {
  const engine = cpuEngine();
  const program = await engine.compile(graph);
  const [value] = (await program.run(new Map([['x', engine.upload(input)]]))).values();
  if (value === undefined) throw new Error('the graph has no output');
  const tensor = await engine.download(value);
  await program.release();
  if (tensor.type !== 'float32') throw new Error('float32 is expected');
  return tensor;
}

const node =
  (
    op: string,
    attributes: Record<string, Attribute> = {},
    more: (build: GraphBuilder) => string[] = () => [],
  ) =>
  (build: GraphBuilder): string =>
    build.add(op, ['x', ...more(build)], attributes);

describe('newer operator sets', () => {
  const cases: Record<string, { opset: number; write: (build: GraphBuilder) => string }> = {
    'ReduceMean with axes as an input': {
      opset: 18,
      write: node('ReduceMean', { keepdims: int(0) }, (b) => [b.shape([2, 3])]),
    },
    'ReduceMax over everything': { opset: 20, write: node('ReduceMax', { keepdims: int(1) }) },
    'ReduceMean that does nothing without axes': {
      opset: 18,
      write: node('ReduceMean', { noop_with_empty_axes: int(1) }, (b) => [b.shape([])]),
    },
    Gelu: { opset: 20, write: node('Gelu') },
    'Gelu by a hyperbolic tangent': { opset: 20, write: node('Gelu', { approximate: text('tanh') }) },
    Mish: { opset: 18, write: node('Mish') },
    'GroupNormalization, scaled by channel': {
      opset: 21,
      write: node('GroupNormalization', { num_groups: int(2), epsilon: float(0.01) }, (b) => [
        b.constant(wave([4])),
        b.constant(wave([4], 1)),
      ]),
    },
    'Pad of chosen axes': {
      opset: 18,
      write: node('Pad', {}, (b) => [b.shape([1, 0, 2, 3]), b.scalar(0.5), b.shape([3, -2])]),
    },
    'Resize of chosen axes by scales': {
      opset: 18,
      write: node('Resize', { mode: text('linear'), axes: ints([2, 3]) }, (b) => [
        '',
        b.constant(float32([2], [2, 1.5])),
      ]),
    },
    'Resize to sizes': {
      opset: 19,
      write: node('Resize', { mode: text('nearest'), axes: ints([2, 3]) }, (b) => ['', '', b.shape([9, 4])]),
    },
    'AveragePool without dilations': {
      opset: 22,
      write: node('AveragePool', { kernel_shape: ints([2, 2]), dilations: ints([1, 1]) }),
    },
    Dropout: { opset: 22, write: node('Dropout') },
  };
  it.each(Object.entries(cases))('%s gives what it gave', async (_, { opset, write }) => {
    const graph = made(write, { opset });
    const input = wave([1, 4, 6, 6]);
    const network = await load(graph);
    expect(network.graph.opset).toBe(17);
    const [output = ''] = network.graph.outputs;
    const values = await valuesOf(network, input, [output]);
    expect(largestDifference(values.get(output), await truth(graph, input))).toBeLessThan(2e-6);
  });

  it('above 22 are refused in one sentence', async () => {
    await expect(load(made(node('Relu'), { opset: 23 }))).rejects.toThrow(/operator set up to 22, found 23/);
  });
});

describe('the picture', () => {
  it('is channels last where it is transposed first', async () => {
    const graph = made((b) => conv(b, b.add('Transpose', ['x'], { perm: ints([0, 3, 1, 2]) }), 2, 3), {
      dims: ['N', 'h', 'w', 3],
    });
    const { input } = await load(graph);
    expect(input).toEqual({ name: 'x', layout: 'NHWC', channels: 3, height: null, width: null });
  });

  it('is channels first with the sizes that the file states', async () => {
    const { input } = await load(made((b) => conv(b, 'x', 2, 1), { dims: [1, 1, 28, 20] }));
    expect(input).toEqual({ name: 'x', layout: 'NCHW', channels: 1, height: 28, width: 20 });
  });

  it('must be the only input, and have four axes', async () => {
    const build = new GraphBuilder();
    build.input('x', ['N', 3, 8, 8]);
    build.input('learning', [], 'bool');
    await expect(load(build.graph([conv(build, 'x', 2, 3)]))).rejects.toThrow(/2 inputs \('x', 'learning'\)/);
    await expect(load(made(node('Relu'), { dims: ['N', 784] }))).rejects.toThrow(
      /found input 'x' of float32 \[N, 784\]/,
    );
  });

  it.each([[[1, -1]], [[1, 32]]])('comes in any number though the file reshapes to %j', async (shape) => {
    const graph = made(
      (b) => {
        const flat = b.add('Reshape', [conv(b, 'x', 2, 4), b.shape(shape)]);
        return b.add('MatMul', [flat, b.constant(wave([32, 3]))]);
      },
      { dims: [1, 4, 6, 6] },
    );
    const network = await load(graph);
    const [output = ''] = network.graph.outputs;
    const pictures = wave([3, 4, 6, 6]);
    const together = (await valuesOf(network, pictures, [output])).get(output);
    const second = float32([1, 4, 6, 6], pictures.data.slice(144, 288));
    const alone = await truth(graph, second);
    expect(together?.dims).toEqual([3, 3]);
    expect(largestDifference(float32([1, 3], together?.data.slice(3, 6) ?? []), alone)).toBeLessThan(1e-5);
  });
});

describe('weights in a file beside the model', () => {
  /** The model with its one large tensor moved out, as exporters do it. */
  async function outside(files: Record<string, Uint8Array>, entries: Record<string, string>) {
    const model = fromBinary(ModelProtoSchema, encodeModel(made((b) => conv(b, 'x', 2, 4))));
    const tensor = model.graph?.initializer[0];
    if (tensor === undefined) throw new Error('the model has no weights');
    tensor.dataLocation = TensorProto_DataLocation.EXTERNAL;
    tensor.externalData = Object.entries(entries).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    );
    files['w.data'] = new Uint8Array([0, ...tensor.rawData]);
    tensor.rawData = new Uint8Array();
    return await loadNetwork({
      name: 'made.onnx',
      bytes: toBinary(ModelProtoSchema, model),
      sibling: async (name) => {
        const bytes = files[name];
        if (bytes === undefined) throw new PhospheneError(`Expected a file '${name}', found nothing there.`);
        return bytes;
      },
    });
  }

  it('are read from where the model says', async () => {
    const network = await outside({}, { location: 'w.data', offset: '1', length: '288' });
    const input = wave([1, 4, 6, 6]);
    const value = (await valuesOf(network, input, ['conv'])).get('conv');
    expect(
      largestDifference(
        value,
        await truth(
          made((b) => conv(b, 'x', 2, 4)),
          input,
        ),
      ),
    ).toBe(0);
  });

  it('that end early are told by what is there', async () => {
    await expect(outside({}, { location: 'w.data', offset: '4' })).rejects.toThrow(
      "the operation Constant (node 'conv.weight') holds 71 values for the size [2, 4, 3, 3]",
    );
  });

  it('that are missing are told by name', async () => {
    await expect(outside({}, { location: 'v.data' })).rejects.toThrow(
      "'made.onnx': Expected a file 'v.data', found nothing there.",
    );
  });
});

describe('layers of a graph', () => {
  const found = async (write: (build: GraphBuilder) => string): Promise<object[]> => {
    const { layers } = await load(made(write));
    return layers.map(({ kind, units, linear, output }) => ({ kind, units, linear, output }));
  };

  it('are followed through batch normalisation to the activation', async () => {
    const constants = (b: GraphBuilder) => [1, 2, 3, 4].map(() => b.constant(float32([2], [1, 1])));
    expect(
      await found((b) => {
        const normal = b.add('BatchNormalization', [conv(b, 'x', 2, 4), ...constants(b)], {}, 'bn');
        return b.add('MaxPool', [b.add('Relu', [normal], {}, 'relu')], { kernel_shape: ints([2, 2]) });
      }),
    ).toEqual([{ kind: 'conv', units: 2, linear: 'bn', output: 'relu' }]);
  });

  it('have an activation of several operations', async () => {
    expect(
      await found((b) => {
        const x = conv(b, 'x', 2, 4);
        const swish = b.add('Mul', [x, b.add('Sigmoid', [x])], {}, 'swish');
        return b.add('GlobalAveragePool', [swish]);
      }),
    ).toEqual([{ kind: 'conv', units: 2, linear: 'conv', output: 'swish' }]);
  });

  it('end where something else is added', async () => {
    expect(
      await found((b) => {
        const first = b.add('Relu', [conv(b, 'x', 4, 4, 'first')], {}, 'r1');
        const second = b.add('Conv', [first, b.constant(wave([4, 4, 1, 1]), 'second.weight')], {}, 'second');
        return b.add('Relu', [b.add('Add', [first, second])]);
      }),
    ).toEqual([
      { kind: 'conv', units: 4, linear: 'first', output: 'r1' },
      { kind: 'conv', units: 4, linear: 'second', output: 'second' },
    ]);
  });

  it('end in the scores, before their softmax', async () => {
    expect(
      await found((b) => {
        const dense = b.add(
          'Gemm',
          [b.add('Flatten', ['x']), b.constant(wave([144, 5]), 'fc.weight')],
          {},
          'fc',
        );
        return b.add('Softmax', [dense], { axis: int(1) }, 'prob');
      }),
    ).toEqual([{ kind: 'scores', units: 5, linear: 'fc', output: 'fc' }]);
  });

  it('end in scores that are the mean of a map', async () => {
    const { layers } = await load(
      made((b) => {
        const maps = b.add('Relu', [conv(b, 'x', 7, 4)], {}, 'maps');
        const mean = b.add('Flatten', [b.add('GlobalAveragePool', [maps])], {}, 'mean');
        return b.add('Softmax', [mean], { axis: int(1) }, 'prob');
      }),
    );
    expect(layers.at(-1)).toEqual({
      name: 'prob',
      kind: 'scores',
      units: 7,
      linear: 'mean',
      output: 'mean',
      unitAxis: 1,
    });
  });

  it('are no scores where a softmax labels pixels', async () => {
    const kinds = await found((b) => b.add('Softmax', [conv(b, 'x', 3, 4)], { axis: int(1) }));
    expect(kinds).toEqual([{ kind: 'conv', units: 3, linear: 'conv', output: 'conv' }]);
  });

  it('behind an operation that is not known are gaps, those before it are not', async () => {
    const { layers, gaps } = await load(
      made((b) => conv(b, b.add('com.example.Twist', [conv(b, 'x', 2, 4, 'before')]), 2, 2, 'behind')),
    );
    expect(layers.map(({ name }) => name)).toEqual(['before']);
    expect(gaps).toEqual([
      {
        layer: 'behind',
        reason:
          "Layer 'behind' cannot be computed: the operation Twist (node 'com.example.twist') is not supported in the form that it has.",
      },
    ]);
  });
});

describe('the name of a layer', () => {
  const relu = { op: 'Conv', inputs: [], outputs: [], attributes: {} };
  it.each([
    ['Conv_0', 'features.0.weight', '12', 'features.0'],
    [
      '/layer1/layer1.0/conv1/Conv',
      'onnx::Conv_193',
      '/layer1/layer1.0/conv1/Conv_output_0',
      'layer1.0.conv1',
    ],
    [
      'model/conv2d_1/Conv2D',
      'model/conv2d_1/Conv2D/ReadVariableOp:0',
      'model/conv2d_1/BiasAdd:0',
      'conv2d_1',
    ],
    ['Conv__7', 'net_1/block_1/convolution/merged_input:0', 'Conv__7:0', 'block_1'],
    ['conv1/7x7_s2', 'conv1/7x7_s2/weight', 'conv1/7x7_s2/conv', 'conv1/7x7_s2'],
    ['', 'conv1/7x7_s2_w_0', 'conv1/7x7_s2_1', 'conv1/7x7_s2'],
    ['Conv_3', 'W', 'Convolution28_Output_0', 'Convolution28_Output_0'],
  ])('of node %j, weights %j, value %j is %j', (name, weights, value, expected) => {
    expect(layerName({ ...relu, name }, weights, value)).toBe(expected);
  });
});
