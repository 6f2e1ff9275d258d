/**
 * ONNX's protobuf bytes ⇔ the graph form. Bytes come from strangers: whatever they hold ends in a graph or in one
 * sentence. All floating-point numbers become float32. What the form cannot hold stays in the graph as an attribute of
 * kind `unreadable`, and is an error only if the node that has it is used.
 */

import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataTypeProto,
  type GraphProto,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
  TensorProtoSchema,
  type TypeProto,
  type ValueInfoProto,
} from 'onnx-buf';
import { PhospheneError } from '../error.ts';
import {
  type Attribute,
  type DataType,
  type Dim,
  float32,
  type Graph,
  type GraphInput,
  int64,
  type Node,
  scalar,
  size,
  type Tensor,
} from './graph.ts';
import { upgrade } from './upgrade.ts';

const protoTypes: Record<DataType, DataTypeProto> = {
  float32: DataTypeProto.FLOAT,
  int64: DataTypeProto.INT64,
  int32: DataTypeProto.INT32,
  bool: DataTypeProto.BOOL,
};

const dataTypes = new Map<number, DataType>([
  [DataTypeProto.FLOAT, 'float32'],
  [DataTypeProto.FLOAT16, 'float32'],
  [DataTypeProto.BFLOAT16, 'float32'],
  [DataTypeProto.DOUBLE, 'float32'],
  [DataTypeProto.INT64, 'int64'],
  [DataTypeProto.INT32, 'int32'],
  [DataTypeProto.BOOL, 'bool'],
]);

/** Version of the file format that is written; onnxruntime has read it since 1.11. */
const irVersion = 8n;

/** The bytes of a file beside the model that keeps values of tensors, by the name that the model gives it. */
export type ExternalFile = (location: string) => Uint8Array | undefined;

const noFiles: ExternalFile = () => undefined;

// ----------------------------------------------------------------------------------------------------- tensors

/**
 * Reads a serialized TensorProto, in whichever of its fields the values lie.
 * @throws PhospheneError if the bytes are no tensor of float, int64, int32 or bool values.
 */
export function decodeTensor(bytes: Uint8Array): Tensor {
  let proto: TensorProto;
  try {
    proto = fromBinary(TensorProtoSchema, bytes);
  } catch (cause) {
    throw new PhospheneError(
      `Expected an ONNX tensor, found ${bytes.length} bytes that cannot be read as one; check that the file is complete.`,
      { cause },
    );
  }
  const tensor = readTensor(proto, noFiles);
  if (typeof tensor === 'string') {
    throw new PhospheneError(
      `Expected an ONNX tensor of float, int64, int32 or bool values, found ${tensor}.`,
    );
  }
  return tensor;
}

/** The tensor, or what is in its place in words. */
function readTensor(proto: TensorProto, external: ExternalFile): Tensor | string {
  if (proto.dataLocation === TensorProto_DataLocation.EXTERNAL) {
    const rawData = externalBytes(proto, external);
    if (rawData === undefined) return 'values kept in another file';
    return readTensor({ ...proto, dataLocation: TensorProto_DataLocation.DEFAULT, rawData }, external);
  }
  const type = dataTypes.get(proto.dataType);
  if (type === undefined) {
    return `values of the type ${DataTypeProto[proto.dataType] ?? proto.dataType}`;
  }
  const dims = proto.dims.map(Number);
  const data = proto.rawData.length > 0 ? readRaw(proto) : readFields(proto);
  if (data.length !== size(dims)) {
    return `${data.length} values for the size [${dims.join(', ')}]`;
  }
  return { type, dims, data } as Tensor;
}

/** The bytes of another file that a tensor's values lie in; undefined where it is not there, or too short. */
function externalBytes(
  { externalData }: TensorProto,
  external: ExternalFile,
): Uint8Array<ArrayBuffer> | undefined {
  const entries = new Map(externalData.map(({ key, value }) => [key, value]));
  const file = external(entries.get('location') ?? '');
  const start = Number(entries.get('offset') ?? 0);
  const length = Number(entries.get('length') ?? (file?.length ?? 0) - start);
  if (file === undefined || !(start >= 0 && length >= 0 && start + length <= file.length)) return undefined;
  return file.subarray(start, start + length) as Uint8Array<ArrayBuffer>;
}

/** Values in `raw_data`: little-endian, starting at any byte. */
function readRaw({ rawData, dataType }: TensorProto): Tensor['data'] {
  // A typed array must start at a multiple of its element size; a copy does.
  const aligned = (bytes: number): [ArrayBuffer, number, number] => {
    const { buffer, byteOffset, byteLength } =
      rawData.byteOffset % bytes === 0 ? rawData : new Uint8Array(rawData);
    return [buffer, byteOffset, Math.floor(byteLength / bytes)];
  };
  switch (dataType) {
    case DataTypeProto.FLOAT:
      return new Float32Array(...aligned(4));
    case DataTypeProto.DOUBLE:
      return Float32Array.from(new Float64Array(...aligned(8)));
    case DataTypeProto.FLOAT16:
      return Float32Array.from(new Float16Array(...aligned(2)));
    case DataTypeProto.BFLOAT16:
      return fromBfloat16(new Uint16Array(...aligned(2)));
    case DataTypeProto.INT64:
      return new BigInt64Array(...aligned(8));
    case DataTypeProto.INT32:
      return new Int32Array(...aligned(4));
    default:
      return Uint8Array.from(rawData);
  }
}

/** Values in the field of their type. */
function readFields(proto: TensorProto): Tensor['data'] {
  switch (proto.dataType) {
    case DataTypeProto.FLOAT:
      return Float32Array.from(proto.floatData);
    case DataTypeProto.DOUBLE:
      return Float32Array.from(proto.doubleData);
    case DataTypeProto.FLOAT16:
      return Float32Array.from(new Float16Array(Uint16Array.from(proto.int32Data).buffer));
    case DataTypeProto.BFLOAT16:
      return fromBfloat16(Uint16Array.from(proto.int32Data));
    case DataTypeProto.INT64:
      return BigInt64Array.from(proto.int64Data);
    case DataTypeProto.INT32:
      return Int32Array.from(proto.int32Data);
    default:
      return Uint8Array.from(proto.int32Data);
  }
}

/** A bfloat16 is the upper half of a float32. */
function fromBfloat16(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}

function writeTensor(tensor: Tensor, name = ''): MessageInitShape<typeof TensorProtoSchema> {
  const { buffer, byteOffset, byteLength } = tensor.data;
  return {
    name,
    dims: tensor.dims.map(BigInt),
    dataType: protoTypes[tensor.type],
    rawData: new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength),
  };
}

// ------------------------------------------------------------------------------------------------------ decode

/**
 * Reads a serialized ModelProto as a graph of operator set 17 or later. Initializers are no inputs even where an old
 * file lists them among these, and `Constant` nodes become initializers. Values in other files are asked of `external`.
 * @throws PhospheneError if the bytes are no ONNX model, its operator set is older than 7, or an input is not a tensor
 * of a known type.
 */
export function decodeModel(bytes: Uint8Array, external: ExternalFile = noFiles): Graph {
  const expected = 'Expected an ONNX model';
  let graph: GraphProto | undefined;
  let opset: number;
  try {
    const model = fromBinary(ModelProtoSchema, bytes);
    graph = model.graph;
    opset = Number(model.opsetImport.find((set) => isDefaultDomain(set.domain))?.version ?? 1n);
  } catch (cause) {
    throw new PhospheneError(
      `${expected}, found ${bytes.length} bytes that cannot be read as one; check that the file is complete.`,
      { cause },
    );
  }
  if (graph === undefined || graph.output.length === 0) {
    throw new PhospheneError(
      `${expected}, found ${bytes.length} bytes that hold no graph; check that it is the right file.`,
    );
  }

  const initializers = new Map<string, Tensor>();
  const nodes: Node[] = [];
  const unreadable = (name: string, what: string): void => {
    nodes.push(constantNode(name, { kind: 'unreadable', value: what }));
  };
  for (const proto of graph.initializer) {
    const tensor = readTensor(proto, external);
    if (typeof tensor === 'string') unreadable(proto.name, tensor);
    else initializers.set(proto.name, tensor);
  }
  for (const { values } of graph.sparseInitializer) unreadable(values?.name ?? '', 'a sparse tensor');

  const made = new Set([...initializers.keys(), ...nodes.flatMap((node) => node.outputs)]);
  const inputs = graph.input.filter((input) => !made.has(input.name)).map(readInput);
  for (const proto of graph.node) {
    const node: Node = {
      op: isDefaultDomain(proto.domain) ? proto.opType : `${proto.domain}.${proto.opType}`,
      name: proto.name || proto.output[0] || proto.opType,
      inputs: proto.input,
      outputs: proto.output,
      attributes: Object.fromEntries(
        proto.attribute.map((attribute) => [
          attribute.name,
          readAttribute(attribute, proto.opType, external),
        ]),
      ),
    };
    const constant = node.op === 'Constant' ? constantOf(node) : undefined;
    if (constant === undefined) nodes.push(node);
    else initializers.set(node.outputs[0] ?? '', constant);
  }
  const outputs = graph.output.map((output) => output.name);
  return upgrade({ opset, inputs, outputs, initializers, nodes });
}

function isDefaultDomain(domain: string): boolean {
  return domain === '' || domain === 'ai.onnx';
}

function constantNode(output: string, value: Attribute): Node {
  return { op: 'Constant', name: output, inputs: [], outputs: [output], attributes: { value } };
}

/** The tensor that a `Constant` node makes, or undefined if it makes something else. */
function constantOf({ attributes }: Node): Tensor | undefined {
  const { value, value_float, value_floats, value_int, value_ints } = attributes;
  if (value?.kind === 'tensor') return value.value;
  if (value_float?.kind === 'float') return scalar(value_float.value);
  if (value_floats?.kind === 'floats') return float32([value_floats.value.length], value_floats.value);
  if (value_int?.kind === 'int') return { ...int64([value_int.value]), dims: [] };
  if (value_ints?.kind === 'ints') return int64(value_ints.value);
  return undefined;
}

function readInput({ name, type }: ValueInfoProto): GraphInput {
  const known = type?.value.case === 'tensorType' ? dataTypes.get(type.value.value.elemType) : undefined;
  if (known === undefined) {
    throw new PhospheneError(
      `Expected every input of the ONNX model to be a tensor of float, int64, int32 or bool values, found input '${name}' ${describeType(type)}.`,
    );
  }
  return { name, type: known, dims: readDims(type) };
}

function describeType(type: TypeProto | undefined): string {
  if (type?.value.case !== 'tensorType') return `of the kind '${type?.value.case ?? 'unknown'}'`;
  const { elemType } = type.value.value;
  return `of the type ${DataTypeProto[elemType] ?? elemType}`;
}

function readDims(type: TypeProto | undefined): Dim[] {
  const shape = type?.value.case === 'tensorType' ? type.value.value.shape : undefined;
  return (shape?.dim ?? []).map(({ value }) => {
    if (value.case === 'dimValue') return Number(value.value);
    return value.case === 'dimParam' && value.value !== '' ? value.value : null;
  });
}

function readAttribute(proto: AttributeProto, op: string, external: ExternalFile): Attribute {
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  switch (proto.type) {
    case AttributeType.INT:
      return { kind: 'int', value: castTarget(op, proto) ?? integer(proto.i) };
    case AttributeType.FLOAT:
      return { kind: 'float', value: proto.f };
    case AttributeType.STRING:
      return { kind: 'string', value: text(proto.s) };
    case AttributeType.INTS:
      return { kind: 'ints', value: proto.ints.map(integer) };
    case AttributeType.FLOATS:
      return { kind: 'floats', value: proto.floats };
    case AttributeType.STRINGS:
      return { kind: 'strings', value: proto.strings.map(text) };
    case AttributeType.TENSOR: {
      const tensor = proto.t === undefined ? 'no tensor' : readTensor(proto.t, external);
      return typeof tensor === 'string'
        ? { kind: 'unreadable', value: tensor }
        : { kind: 'tensor', value: tensor };
    }
    default:
      return {
        kind: 'unreadable',
        value: `an attribute of the type ${AttributeType[proto.type] ?? proto.type}`,
      };
  }
}

/** Since all floats are float32 here, a cast to another float type is one to float32. */
function castTarget(op: string, { name, i }: AttributeProto): number | undefined {
  if (op !== 'Cast' || name !== 'to' || dataTypes.get(Number(i)) !== 'float32') return undefined;
  return DataTypeProto.FLOAT;
}

/** "To the end" is written as the largest int64, which no number holds: any that is large enough does. */
function integer(value: bigint): number {
  const most = Number.MAX_SAFE_INTEGER;
  return Math.min(Math.max(Number(value), -most), most);
}

// ------------------------------------------------------------------------------------------------------ encode

/**
 * Writes a graph as a serialized ModelProto. Types and shapes of inner values and outputs are left out: whoever runs
 * the graph infers them.
 * @throws PhospheneError naming node and operation if a node holds what the form could not read.
 */
export function encodeModel(graph: Graph): Uint8Array {
  const domains = new Set(graph.nodes.map((node) => splitDomain(node.op)[0]));
  // Two nodes of one name are an invalid model, two without a name are none.
  const taken = new Set<string>();
  const nameOnce = ({ name }: Node): string => {
    if (taken.has(name)) return '';
    taken.add(name);
    return name;
  };
  const model = create(ModelProtoSchema, {
    irVersion,
    producerName: 'phosphene',
    opsetImport: [...domains.add('')].map((domain) => ({
      domain,
      version: domain === '' ? BigInt(graph.opset) : 1n,
    })),
    graph: {
      name: 'phosphene',
      input: graph.inputs.map(({ name, type, dims }) => ({
        name,
        type: {
          value: {
            case: 'tensorType' as const,
            value: { elemType: protoTypes[type], shape: { dim: dims.map(writeDim) } },
          },
        },
      })),
      output: graph.outputs.map((name) => ({ name })),
      initializer: [...graph.initializers].map(([name, tensor]) => writeTensor(tensor, name)),
      node: graph.nodes.map((node) => ({ ...writeNode(node), name: nameOnce(node) })),
    },
  });
  return toBinary(ModelProtoSchema, model);
}

function splitDomain(op: string): [domain: string, opType: string] {
  const dot = op.lastIndexOf('.');
  return [op.slice(0, Math.max(dot, 0)), op.slice(dot + 1)];
}

function writeDim(dim: Dim) {
  if (dim === null) return {};
  return typeof dim === 'number'
    ? { value: { case: 'dimValue' as const, value: BigInt(dim) } }
    : { value: { case: 'dimParam' as const, value: dim } };
}

function writeNode(node: Node): MessageInitShape<typeof NodeProtoSchema> {
  const [domain, opType] = splitDomain(node.op);
  return {
    opType,
    domain,
    input: [...node.inputs],
    output: [...node.outputs],
    attribute: Object.entries(node.attributes).map(([name, attribute]) => {
      if (attribute.kind === 'unreadable') {
        throw new PhospheneError(
          `Expected numbers, text or a tensor in attribute '${name}' of node '${node.name}' (${node.op}), found ${attribute.value}; this part of the network cannot be run.`,
        );
      }
      return { name, ...writeAttribute(attribute) };
    }),
  };
}

function writeAttribute(
  attribute: Exclude<Attribute, { kind: 'unreadable' }>,
): MessageInitShape<typeof AttributeProtoSchema> {
  const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
  switch (attribute.kind) {
    case 'int':
      return { type: AttributeType.INT, i: BigInt(attribute.value) };
    case 'float':
      return { type: AttributeType.FLOAT, f: attribute.value };
    case 'string':
      return { type: AttributeType.STRING, s: bytes(attribute.value) };
    case 'ints':
      return { type: AttributeType.INTS, ints: attribute.value.map(BigInt) };
    case 'floats':
      return { type: AttributeType.FLOATS, floats: [...attribute.value] };
    case 'strings':
      return { type: AttributeType.STRINGS, strings: attribute.value.map(bytes) };
    case 'tensor':
      return { type: AttributeType.TENSOR, t: writeTensor(attribute.value) };
  }
}
