import { create, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  ModelProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
} from 'onnx-buf';
import { describe, expect, it } from 'vitest';
import { PhospheneError } from '../../pipeline/error.ts';
import {
  type Attribute,
  float32,
  type Graph,
  int64,
  scalar,
  type Tensor,
} from '../../pipeline/network/graph.ts';
import { decodeModel, decodeTensor, encodeModel } from '../../pipeline/network/onnx.ts';

const attributes: Record<string, Attribute> = {
  alpha: { kind: 'float', value: 0.5 },
  group: { kind: 'int', value: -3 },
  mode: { kind: 'string', value: 'größer' },
  pads: { kind: 'ints', value: [0, 1, -1] },
  scales: { kind: 'floats', value: [1, 2.5] },
  names: { kind: 'strings', value: ['a', ''] },
  value: { kind: 'tensor', value: float32([2, 1], [3, 4]) },
};

const graph: Graph = {
  opset: 17,
  inputs: [{ name: 'x', type: 'float32', dims: ['N', 3, null] }],
  outputs: ['y'],
  initializers: new Map<string, Tensor>([
    ['w', float32([2], [1, -2])],
    ['s', scalar(7)],
    ['axes', int64([1, -1])],
    ['mask', { type: 'bool', dims: [3], data: Uint8Array.of(1, 0, 1) }],
    ['index', { type: 'int32', dims: [1, 1], data: Int32Array.of(-5) }],
  ]),
  nodes: [
    { op: 'Thing', name: 'a', inputs: ['x', '', 'w'], outputs: ['h', ''], attributes },
    { op: 'com.microsoft.FusedConv', name: 'b', inputs: ['h'], outputs: ['y'], attributes: {} },
  ],
};

describe('decodeModel', () => {
  it('reads back what encodeModel wrote', () => {
    expect(decodeModel(encodeModel(graph))).toEqual(graph);
  });

  it('writes the name of a node once, since two nodes of one name are an invalid model', () => {
    const twice = graph.nodes.map((node) => ({ ...node, name: 'same' }));
    const names = decodeModel(encodeModel({ ...graph, nodes: twice })).nodes.map(({ name }) => name);
    expect(names).toEqual(['same', 'y']);
  });

  it('takes initializers that are listed as inputs for what they are', () => {
    const bytes = toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, {
        opsetImport: [{ version: 17n }],
        graph: {
          input: [{ name: 'w' }],
          output: [{ name: 'w' }],
          initializer: [{ name: 'w', dataType: TensorProto_DataType.FLOAT, dims: [1n], floatData: [2] }],
        },
      }),
    );
    const { inputs, initializers } = decodeModel(bytes);
    expect(inputs).toEqual([]);
    expect(initializers.get('w')).toEqual(float32([1], [2]));
  });

  it('turns Constant nodes into initializers, whichever attribute holds the value', () => {
    const made = decodeModel(
      encodeModel({
        ...graph,
        nodes: (
          [
            ['value', { kind: 'tensor', value: float32([1], [1]) }],
            ['value_float', { kind: 'float', value: 2 }],
            ['value_ints', { kind: 'ints', value: [3, 4] }],
            ['value_int', { kind: 'int', value: 5 }],
          ] satisfies [string, Attribute][]
        ).map(([name, value]) => ({
          op: 'Constant',
          name,
          inputs: [],
          outputs: [`of ${name}`],
          attributes: { [name]: value },
        })),
      }),
    );
    expect(made.nodes).toEqual([]);
    expect(made.initializers.get('of value')).toEqual(float32([1], [1]));
    expect(made.initializers.get('of value_float')).toEqual(scalar(2));
    expect(made.initializers.get('of value_ints')).toEqual(int64([3, 4]));
    expect(made.initializers.get('of value_int')).toEqual({ ...int64([5]), dims: [] });
  });

  it('takes the largest int64 as a number that encodes again', () => {
    const largest = { ...int64([0]), data: BigInt64Array.of(2n ** 63n - 1n) };
    const ends: Attribute = { kind: 'ints', value: [Number.MAX_SAFE_INTEGER] };
    const node = { op: 'Slice', name: 'n', inputs: ['x'], outputs: ['y'], attributes: { ends } };
    const again = decodeModel(
      encodeModel({ ...graph, nodes: [node], initializers: new Map([['e', largest]]) }),
    );
    expect(again.nodes[0]?.attributes['ends']).toEqual(ends);
    expect(again.initializers.get('e')).toEqual(largest);
  });

  it('names node and operation of a content it cannot hold, but only when that node is used', () => {
    const bytes = toBinary(
      ModelProtoSchema,
      create(ModelProtoSchema, {
        opsetImport: [{ version: 17n }],
        graph: {
          output: [{ name: 'y' }],
          initializer: [{ name: 'codes', dataType: TensorProto_DataType.UINT8, dims: [1n] }],
          node: [
            {
              opType: 'If',
              name: 'choice',
              output: ['y'],
              attribute: [{ name: 'then_branch', type: AttributeProto_AttributeType.GRAPH, g: {} }],
            },
          ],
        },
      }),
    );
    const decoded = decodeModel(bytes);
    expect(() => encodeModel({ ...decoded, nodes: decoded.nodes.slice(1) })).toThrow(
      /attribute 'then_branch' of node 'choice' \(If\), found an attribute of the type GRAPH/,
    );
    expect(() => encodeModel(decoded)).toThrow(/node 'codes' \(Constant\), found values of the type UINT8/);
    expect(encodeModel({ ...decoded, nodes: [] }).length).toBeGreaterThan(0);
  });

  it.each([
    ['nothing', new Uint8Array()],
    ['text', new TextEncoder().encode('This is not a model.\n'.repeat(9))],
    ['a truncated model', encodeModel(graph).subarray(0, -9)],
  ])('answers %s with one sentence', (_, bytes) => {
    expect(() => decodeModel(bytes)).toThrow(PhospheneError);
    expect(() => decodeModel(bytes)).toThrow(/^Expected an ONNX model, found \d+ bytes that [^.]+\.$/);
  });
});

describe('decodeModel of damaged bytes', () => {
  it('gives a graph or one sentence, whatever is flipped, cut or repeated', () => {
    const bytes = encodeModel(graph);
    let state = 42;
    const random = (below: number): number => {
      state = (state * 48271) % 2147483647;
      return state % below;
    };
    let sentences = 0;
    for (let round = 0; round < 2000; round++) {
      const damaged = Uint8Array.from(bytes);
      for (let flip = random(4); flip >= 0; flip--) damaged[random(damaged.length)] = random(256);
      if (random(3) === 0) damaged.copyWithin(random(damaged.length), random(damaged.length));
      try {
        decodeModel(random(4) === 0 ? damaged.subarray(0, random(damaged.length)) : damaged);
      } catch (error) {
        expect(error).toBeInstanceOf(PhospheneError);
        sentences++;
      }
    }
    expect(sentences).toBeGreaterThan(500);
  });
});

describe('decodeTensor', () => {
  const { FLOAT, FLOAT16, BFLOAT16, DOUBLE, INT32, INT64, BOOL, INT8 } = TensorProto_DataType;
  const encode = (init: Parameters<typeof create<typeof TensorProtoSchema>>[1]): Uint8Array =>
    toBinary(TensorProtoSchema, create(TensorProtoSchema, init));
  const raw = (data: ArrayBufferView<ArrayBuffer>): Uint8Array<ArrayBuffer> => new Uint8Array(data.buffer);

  it.each([
    ['float_data', encode({ dataType: FLOAT, dims: [2n], floatData: [1.5, -2] })],
    ['double_data', encode({ dataType: DOUBLE, dims: [2n], doubleData: [1.5, -2] })],
    ['raw float64', encode({ dataType: DOUBLE, dims: [2n], rawData: raw(Float64Array.of(1.5, -2)) })],
    ['float16 in int32_data', encode({ dataType: FLOAT16, dims: [2n], int32Data: [0x3e00, 0xc000] })],
    ['raw float16', encode({ dataType: FLOAT16, dims: [2n], rawData: raw(Uint16Array.of(0x3e00, 0xc000)) })],
    [
      'raw bfloat16',
      encode({ dataType: BFLOAT16, dims: [2n], rawData: raw(Uint16Array.of(0x3fc0, 0xc000)) }),
    ],
  ])('reads %s as float32', (_, bytes) => {
    expect(decodeTensor(bytes)).toEqual(float32([2], [1.5, -2]));
  });

  it.each([
    ['int64', encode({ dataType: INT64, dims: [1n], int64Data: [-4n] }), BigInt64Array.of(-4n)],
    ['int32', encode({ dataType: INT32, dims: [1n], int32Data: [-4] }), Int32Array.of(-4)],
    ['bool', encode({ dataType: BOOL, dims: [1n], int32Data: [1] }), Uint8Array.of(1)],
  ])('reads %s', (type, bytes, data) => {
    expect(decodeTensor(bytes)).toEqual({ type, dims: [1], data });
  });

  it('reads raw data that starts at any byte', () => {
    const bytes = encode({ dataType: FLOAT, dims: [3n], rawData: raw(Float32Array.of(1, 2, 3)) });
    for (const shift of [0, 1, 2, 3]) {
      const moved = new Uint8Array(bytes.length + shift);
      moved.set(bytes, shift);
      expect(decodeTensor(moved.subarray(shift))).toEqual(float32([3], [1, 2, 3]));
    }
  });

  it.each([
    [
      'too few values',
      encode({ dataType: FLOAT, dims: [2n], floatData: [1] }),
      /found 1 values for the size \[2\]/,
    ],
    ['an unknown type', encode({ dataType: INT8, dims: [0n] }), /found values of the type INT8/],
    ['bytes that are no tensor', Uint8Array.of(255, 255), /found 2 bytes that cannot be read/],
  ])('answers %s with one sentence', (_, bytes, sentence) => {
    expect(() => decodeTensor(bytes)).toThrow(PhospheneError);
    expect(() => decodeTensor(bytes)).toThrow(sentence);
  });
});
