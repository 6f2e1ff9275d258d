/** The loader fixtures: a model file, an input, and what its layers must give, each to a tolerance of its own. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { adjoint } from '../../pipeline/network/adjoint/adjoint.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import { type Float32Tensor, float32, type Graph } from '../../pipeline/network/graph.ts';
import type { Network } from '../../pipeline/network/network.ts';
import { decodeTensor } from '../../pipeline/network/onnx.ts';
import { shapesOf } from '../../pipeline/network/shapes.ts';

export const shared = join(import.meta.dirname, '../../../shared');
export const data = join(shared, 'data');
export const isShared = existsSync(join(shared, 'fixtures/loaders')) && existsSync(data);

export interface LoaderCase {
  readonly input: Float32Tensor;
  /** d sum(layer · cotangent) / d input, where the case has it. */
  readonly gradient:
    | {
        readonly layer: string;
        readonly cotangent: Float32Tensor;
        readonly truth: Float32Tensor;
        readonly tolerance: number;
        readonly toleranceRms: number;
      }
    | undefined;
  readonly layers: readonly {
    readonly layer: string;
    readonly tolerance: number;
    readonly truth: Float32Tensor;
  }[];
}

/** Reads a case of ../shared/fixtures/loaders; pictures and maps are given as NCHW. */
export function loaderCase(name: string): LoaderCase {
  const folder = join(shared, 'fixtures/loaders', name);
  const {
    layers,
    gradient,
    layout = 'NHWC',
  } = JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as {
    layout?: string;
    gradient?: { objective: string; tolerance_max_abs: number; tolerance_rms: number };
    layers: { file: string; layer: string; tolerance_max_abs: number }[];
  };
  const picture = (file: string): Float32Tensor => {
    const tensor = tensorFile(join(folder, file));
    return layout.startsWith('NHWC') ? toNchw(tensor) : tensor;
  };
  return {
    input: picture('input.pb'),
    gradient:
      gradient === undefined
        ? undefined
        : {
            layer: /^sum\((\S+) \*/.exec(gradient.objective)?.[1] ?? '',
            cotangent: picture('cotangent.pb'),
            truth: picture('gradient.pb'),
            tolerance: gradient.tolerance_max_abs,
            toleranceRms: gradient.tolerance_rms,
          },
    layers: layers.map(({ file, layer, tolerance_max_abs: tolerance }) => ({
      layer,
      tolerance,
      truth: picture(file),
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

/** d sum(value · cotangent) / d input of a network. */
export async function gradientOf(
  network: Network,
  input: Float32Tensor,
  value: string,
  cotangent: Float32Tensor,
): Promise<Float32Tensor | undefined> {
  const engine = cpuEngine();
  const shapes = await shapesOf(network.graph, engine, new Map([[network.input.name, input]]));
  const build = new GraphBuilder(network.graph);
  const constant = build.constant(cotangent, 'cotangent');
  const { build: backward, gradients } = adjoint(build.graph([value]), {
    objective: new Map([[value, constant]]),
    wrt: [network.input.name],
    dims: (name) => shapes.get(name)?.dims ?? [],
    lowering: engine.lowering,
  });
  const gradient = gradients.get(network.input.name) ?? '';
  const differentiated = { ...network, graph: backward.graph([gradient]) };
  return (await valuesOf(differentiated, input, [gradient])).get(gradient);
}

/** The root of the mean square of the differences of two tensors of one size. */
export function rmsDifference(got: Float32Tensor, truth: Float32Tensor): number {
  const sum = got.data.reduce((total, value, at) => total + (value - (truth.data[at] as number)) ** 2, 0);
  return Math.sqrt(sum / got.data.length);
}

/** The largest absolute difference of two tensors; infinite where their sizes differ. */
export function largestDifference(got: Float32Tensor | undefined, truth: Float32Tensor): number {
  if (got === undefined || got.dims.join() !== truth.dims.join()) return Number.POSITIVE_INFINITY;
  return got.data.reduce(
    (most, value, at) => Math.max(most, Math.abs(value - (truth.data[at] as number))),
    0,
  );
}
