/** Any model file to a network: the reader is chosen by what the bytes are, never by what the file is called. */

import { PhospheneError } from '../error.ts';
import type { Network } from '../network/network.ts';
import type { ModelFile } from './file.ts';
import { isHdf5 } from './hdf5.ts';
import { isJson, parseJson } from './json.ts';
import { readKerasArchive } from './keras/archive.ts';
import { readKerasH5 } from './keras/h5.ts';
import { type KerasOptions, kerasNetwork } from './keras/network.ts';
import { isOnnx, readOnnx } from './onnx/model.ts';
import { graphNodes, readTfjsGraph } from './tfjs/graph.ts';
import { layersConfig, readTfjsLayers } from './tfjs/layers.ts';
import { isZip } from './zip.ts';

interface Reader {
  readonly title: string;
  recognises(bytes: Uint8Array): boolean;
  read(file: ModelFile, options: LoadOptions): Promise<Network>;
}

/** What a file cannot say of itself. */
export type LoadOptions = KerasOptions;

const readers: readonly Reader[] = [
  {
    title: 'Keras 3 archive (.keras)',
    recognises: isZip,
    read: async (file, options) => kerasNetwork(await readKerasArchive(file), options),
  },
  {
    title: 'Keras HDF5 (.h5, .hdf5)',
    recognises: isHdf5,
    read: async (file, options) => kerasNetwork(await readKerasH5(file), options),
  },
  {
    title: 'TensorFlow.js (model.json)',
    recognises: isJson,
    read: async (file, options) => {
      const json = parseJson(file.name, 'the content', file.bytes);
      if (layersConfig(json) !== undefined) return kerasNetwork(await readTfjsLayers(file, json), options);
      if (graphNodes(json) !== undefined) return kerasNetwork(await readTfjsGraph(file, json), options);
      throw new PhospheneError(
        `Expected '${file.name}' to describe a TensorFlow.js model, found JSON without a 'modelTopology'.`,
      );
    },
  },
  {
    title: 'ONNX (.onnx)',
    recognises: (bytes) => isOnnx(bytes) && !isText(bytes),
    read: async (file, { lambdas = {} }) => {
      const [name] = Object.keys(lambdas);
      if (name !== undefined) {
        throw new PhospheneError(
          `Expected the expression of a Lambda layer of '${file.name}', found one of '${name}'; an ONNX model has none, leave the expression out`,
          { exitCode: 2 },
        );
      }
      return readOnnx(file);
    },
  },
];

/**
 * Reads a model file of any known format.
 * @throws PhospheneError if the file is empty, of no known format, damaged, or holds no network that can be shown.
 */
export async function loadNetwork(file: ModelFile, options: LoadOptions = {}): Promise<Network> {
  if (file.bytes.length === 0) {
    throw new PhospheneError(
      `Expected a model in '${file.name}', found an empty file: export or download it again.`,
    );
  }
  const reader = readers.find(({ recognises }) => recognises(file.bytes));
  if (reader === undefined) {
    const known = readers.map(({ title }) => title).join(', ');
    throw new PhospheneError(
      `Expected '${file.name}' to be a model file (${known}), found ${looksLike(file.bytes)}: its name does not matter, its content does.`,
    );
  }
  try {
    return await reader.read(file, options);
  } catch (cause) {
    // A TypeError is a defect of a reader, whatever the file.
    if (cause instanceof PhospheneError || cause instanceof TypeError) throw cause;
    // Whatever else a reader trips over lies in the file: sizes and names that contradict each other.
    const why = cause instanceof Error ? cause.message.replaceAll(/\s+/g, ' ').slice(0, 200) : String(cause);
    throw new PhospheneError(
      `Expected '${file.name}' to be a whole model file (${reader.title}), but its parts contradict each other (${why}): export or download it again.`,
      { cause },
    );
  }
}

const looksLike = (bytes: Uint8Array): string => (isText(bytes) ? 'text' : 'unknown binary data');

function isText(bytes: Uint8Array): boolean {
  return bytes
    .subarray(0, 512)
    .every((byte) => (byte >= 32 && byte !== 127) || byte === 9 || byte === 10 || byte === 13);
}
