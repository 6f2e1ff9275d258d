/** Runs as a worker: HDF5 bytes in, plain data out. Every number that the file states is bounded before it is used. */

import { parentPort, workerData } from 'node:worker_threads';
import { type Dataset, File, type Group, ready } from 'h5wasm';
import { type Float32Tensor, size } from '../network/graph.ts';
import type { Hdf5Answer } from './hdf5.ts';

const mostObjects = 100_000;
const deepest = 40;
const longestText = 64 * 2 ** 20;
/** Rows are read in slabs of about this many bytes: the library's heap never shrinks. */
const slabBytes = 16 * 2 ** 20;

const attributes = new Map<string, Record<string, string | string[]>>();
const datasets = new Map<string, Float32Tensor>();
let objects = 0;

function visit(group: Group, path: string, depth: number, allowance: { bytes: number }): void {
  if (depth > deepest) throw new Error(`groups are nested more than ${deepest} deep`);
  attributes.set(path, texts(group));
  for (const name of group.keys()) {
    if (++objects > mostObjects) throw new Error(`it holds more than ${mostObjects} objects`);
    if (depth === 0 && /^optimizer(_weights)?$/.test(name)) continue;
    const below = path === '' ? name : `${path}/${name}`;
    const entity = group.get(name);
    if (entity === null) throw new Error(`'${below}' cannot be opened`);
    if ('keys' in entity) visit(entity, below, depth + 1, allowance);
    else if ('shape' in entity) {
      const tensor = numbers(entity, below, allowance);
      if (tensor !== undefined) datasets.set(below, tensor);
    }
  }
}

function texts(group: Group): Record<string, string | string[]> {
  const found: Record<string, string | string[]> = {};
  for (const [name, attribute] of Object.entries(group.attrs)) {
    const { metadata } = attribute;
    if (metadata.type !== 3 || metadata.total_size * metadata.size > longestText) continue;
    const value = attribute.value;
    if (typeof value === 'string') found[name] = value;
    else if (Array.isArray(value)) found[name] = value.map(String);
  }
  return found;
}

function numbers(dataset: Dataset, path: string, allowance: { bytes: number }): Float32Tensor | undefined {
  const { type, size: bytesEach, littleEndian, total_size: count } = dataset.metadata;
  const dims = dataset.shape;
  if (dims === null || type > 1) return undefined;
  allowance.bytes -= count * 4;
  if (dims.length > 8 || allowance.bytes < 0) {
    throw new Error(`'${path}' claims a size [${dims.join(', ')}] that the file cannot hold`);
  }
  if (!littleEndian || (type === 1 && bytesEach !== 4 && bytesEach !== 8)) {
    throw new Error(`'${path}' holds ${8 * bytesEach}-bit numbers of a kind that is not supported`);
  }
  const data = new Float32Array(count);
  const rows = dims[0] ?? 1;
  const rowValues = rows === 0 ? 0 : size(dims) / rows;
  const slabRows = Math.max(1, Math.floor(slabBytes / Math.max(1, rowValues * bytesEach)));
  if (rows <= slabRows) fill(data, 0, dataset.value);
  else {
    for (let row = 0; row < rows; row += slabRows) {
      fill(data, row * rowValues, dataset.slice([[row, Math.min(rows, row + slabRows)]]));
    }
  }
  return { type: 'float32', dims, data };
}

function fill(data: Float32Array, at: number, values: unknown): void {
  if (typeof values === 'number' || typeof values === 'bigint') data[at] = Number(values);
  else if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    data.set(Array.from(values, Number), at);
  } else if (ArrayBuffer.isView(values) && !(values instanceof DataView)) {
    data.set(values as Float32Array, at);
  } else throw new Error('numbers cannot be read');
}

async function read(bytes: Uint8Array): Promise<Hdf5Answer> {
  try {
    const { FS } = await ready;
    FS.writeFile('/model.h5', bytes, { canOwn: true } as { flags?: string });
    const file = new File('/model.h5', 'r');
    if (file.file_id < 0n) return { problem: 'the HDF5 library cannot open it' };
    visit(file, '', 0, { bytes: 16 * 2 ** 20 + 16 * bytes.length });
    return { file: { attributes, datasets } };
  } catch (cause) {
    return { problem: cause instanceof Error ? cause.message : String(cause) };
  }
}

const answer = await read(workerData as Uint8Array);
const buffers = new Set([...datasets.values()].map((tensor) => tensor.data.buffer as ArrayBuffer));
parentPort?.postMessage(answer, 'file' in answer ? [...buffers] : []);
