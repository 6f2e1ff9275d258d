/** The loader fixtures: a model file, an input, and what its layers must give, each to a tolerance of its own. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { type Float32Tensor, float32, type Graph } from '../../pipeline/network/graph.ts';
import type { Network } from '../../pipeline/network/network.ts';
import { decodeTensor } from '../../pipeline/network/onnx.ts';

export const shared = join(import.meta.dirname, '../../../shared');
export const data = join(shared, 'data');
export const isShared = existsSync(join(shared, 'fixtures/loaders')) && existsSync(data);

export interface LoaderCase {
  readonly input: Float32Tensor;
  readonly layers: readonly {
    readonly layer: string;
    readonly tolerance: number;
    readonly truth: Float32Tensor;
  }[];
}

/** Reads a case of ../shared/fixtures/loaders. */
export function loaderCase(name: string): LoaderCase {
  const folder = join(shared, 'fixtures/loaders', name);
  const { layers } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as {
    layers: { file: string; layer: string; tolerance_max_abs: number }[];
  };
  return {
    input: tensorFile(join(folder, 'input.pb')),
    layers: layers.map(({ file, layer, tolerance_max_abs: tolerance }) => ({
      layer,
      tolerance,
      truth: tensorFile(join(folder, file)),
    })),
  };
}

/** A float32 tensor from a `.pb` file. */
export function tensorFile(path: string): Float32Tensor {
  const tensor = decodeTensor(readFileSync(path));
  if (tensor.type !== 'float32') throw new Error(`${path} holds ${tensor.type}`);
  return tensor;
}

/** NHWC to NCHW; a tensor of another rank stays as it is. */
export function toNchw({ dims, data }: Float32Tensor): Float32Tensor {
  if (dims.length !== 4) return float32(dims, data);
  const [batch = 0, height = 0, width = 0, channels = 0] = dims;
  const area = height * width;
  const moved = new Float32Array(data.length);
  for (let n = 0; n < batch; n++) {
    for (let position = 0; position < area; position++) {
      for (let c = 0; c < channels; c++) {
        moved[(n * channels + c) * area + position] = data[(n * area + position) * channels + c] as number;
      }
    }
  }
  return float32([batch, channels, height, width], moved);
}

/** Runs a network on one input and returns the values named. */
export async function valuesOf(
  network: Network,
  input: Float32Tensor,
  names: readonly string[],
): Promise<Map<string, Float32Tensor>> {
  const engine = cpuEngine();
  const graph: Graph = { ...network.graph, outputs: [...new Set(names)] };
  const program = await engine.compile(graph);
  const results = await program.run(new Map([[network.input.name, engine.upload(input)]]));
  const values = new Map<string, Float32Tensor>();
  for (const [name, value] of results) {
    const tensor = await engine.download(value);
    if (tensor.type === 'float32') values.set(name, tensor);
  }
  await program.release();
  return values;
}

/** The largest absolute difference of two tensors; infinite where their sizes differ. */
export function largestDifference(got: Float32Tensor | undefined, truth: Float32Tensor): number {
  if (got === undefined || got.dims.join() !== truth.dims.join()) return Number.POSITIVE_INFINITY;
  return got.data.reduce(
    (most, value, at) => Math.max(most, Math.abs(value - (truth.data[at] as number))),
    0,
  );
}
