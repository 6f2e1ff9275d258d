/** The weights of a TensorFlow.js model: groups of tensors, each group one run of bytes cut into files. */

import { PhospheneError } from '../../error.ts';
import { type Float32Tensor, size } from '../../network/graph.ts';
import type { ModelFile } from '../file.ts';
import { isObject, type Json, type JsonObject, parseJson } from '../json.ts';

const bytesEach: Readonly<Record<string, number>> = {
  float32: 4,
  int32: 4,
  float16: 2,
  uint16: 2,
  uint8: 1,
  bool: 1,
};
const mostTensors = 100_000;
const mostShards = 10_000;
const mostBytes = 2 ** 32;

/**
 * Reads all tensors of a model as float32, in the manifest's order. The manifest lies in model.json, or, as early
 * converters wrote it, in `weights_manifest.json` beside it.
 * @throws PhospheneError if a file is missing, or holds fewer bytes than the manifest says.
 */
export async function readManifest(file: ModelFile, model: JsonObject): Promise<Map<string, Float32Tensor>> {
  const groups = model['weightsManifest'] ?? (await besideManifest(file));
  const damaged = (what: string): PhospheneError =>
    new PhospheneError(`Expected the weights manifest of '${file.name}' to be whole, but ${what}.`);
  if (!Array.isArray(groups)) throw damaged('it is no list of groups');
  const tensors = new Map<string, Float32Tensor>();
  let total = 0;
  for (const group of groups as Json[]) {
    const paths = isObject(group) ? group['paths'] : undefined;
    const entries = isObject(group) ? group['weights'] : undefined;
    if (!Array.isArray(paths) || !Array.isArray(entries) || paths.length > mostShards) {
      throw damaged("a group of it has no 'paths' and 'weights'");
    }
    const specs = (entries as Json[]).map((entry) => specOf(entry, damaged));
    const needed = specs.reduce((sum, { bytes }) => sum + bytes, 0);
    total += needed;
    if (total > mostBytes || tensors.size + specs.length > mostTensors)
      throw damaged('it claims more than 4 GiB');
    const data = await shards(file, paths as Json[], damaged);
    if (data.length < needed) {
      throw new PhospheneError(
        `Expected ${needed} bytes of weights for '${file.name}' in ${named(paths as Json[])}, found ${data.length}: download the weight files again.`,
      );
    }
    let at = 0;
    for (const spec of specs) {
      tensors.set(spec.name, {
        type: 'float32',
        dims: spec.dims,
        data: decode(spec, new Uint8Array(data.subarray(at, at + spec.bytes))),
      });
      at += spec.bytes;
    }
  }
  return tensors;
}

async function besideManifest(file: ModelFile): Promise<Json> {
  const bytes = await file.sibling('weights_manifest.json');
  // A list at the top, which a JSON object reader refuses: wrap it.
  const source = `{"groups":${new TextDecoder().decode(bytes)}}`;
  return parseJson(file.name, "the file 'weights_manifest.json'", source)['groups'] ?? null;
}

function named(paths: readonly Json[]): string {
  const [first] = paths;
  return paths.length === 1 ? `'${String(first).slice(0, 100)}'` : `${paths.length} files`;
}

async function shards(
  file: ModelFile,
  paths: readonly Json[],
  damaged: (what: string) => PhospheneError,
): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (const path of paths) {
    if (typeof path !== 'string') throw damaged('a path of it is no text');
    const part = await file.sibling(path);
    length += part.length;
    if (length > mostBytes) throw damaged('its files are larger than 4 GiB');
    parts.push(part);
  }
  const [only] = parts;
  if (parts.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

interface Spec {
  readonly name: string;
  readonly dims: readonly number[];
  /** How the numbers are stored, and what they stand for. */
  readonly stored: string;
  readonly scale: number;
  readonly least: number;
  readonly bytes: number;
}

function specOf(entry: Json, damaged: (what: string) => PhospheneError): Spec {
  if (!isObject(entry) || typeof entry['name'] !== 'string') throw damaged('a weight of it has no name');
  const name = entry['name'];
  const shape = entry['shape'];
  const dims = Array.isArray(shape) ? (shape as Json[]) : [];
  const whole = (dim: Json): dim is number => Number.isInteger(dim) && (dim as number) >= 0;
  if (!Array.isArray(shape) || dims.length > 8 || !dims.every(whole)) {
    throw damaged(`its weight '${name.slice(0, 100)}' has no shape`);
  }
  const quantization = isObject(entry['quantization']) ? entry['quantization'] : {};
  const stored = String(quantization['dtype'] ?? entry['dtype']);
  const each = Object.hasOwn(bytesEach, stored) ? bytesEach[stored] : undefined;
  if (each === undefined) {
    throw damaged(`its weight '${name.slice(0, 100)}' holds values of the type '${stored.slice(0, 40)}'`);
  }
  const number = (key: string, fallback: number): number =>
    typeof quantization[key] === 'number' ? quantization[key] : fallback;
  return {
    name,
    dims,
    stored,
    scale: number('scale', 1),
    least: number('min', 0),
    bytes: each * size(dims),
  };
}

/** `bytes` starts at a multiple of 8, as a copy does. */
function decode({ stored, scale, least }: Spec, bytes: Uint8Array): Float32Array {
  const { buffer } = bytes;
  if (stored === 'float32') return new Float32Array(buffer as ArrayBuffer);
  if (stored === 'int32') return Float32Array.from(new Int32Array(buffer));
  if (stored === 'float16') return Float32Array.from(new Float16Array(buffer));
  const levels = stored === 'uint16' ? new Uint16Array(buffer) : bytes;
  return Float32Array.from(levels, (level) => level * scale + least);
}
