/**
 * onnxruntime's CPU provider as an engine. A value is an ort tensor in host memory, so that upload and download copy
 * nothing.
 */

import { cpus } from 'node:os';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { PhospheneError } from '../error.ts';
import type { Graph, Tensor } from '../network/graph.ts';
import { encodeModel } from '../network/onnx.ts';
import type { Engine, Program, Value } from './engine.ts';

const toValue = (tensor: OrtTensor): Value => tensor as unknown as Value;
const toOrt = (value: Value): OrtTensor => value as unknown as OrtTensor;

const sessionOptions: InferenceSession.SessionOptions = {
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  // 4, fatal: what goes wrong is thrown as well, and stderr belongs to the progress bar.
  logSeverityLevel: 4,
};

/** The engine that runs everywhere. Needs no set-up and holds nothing that must be closed. */
export function cpuEngine(): Engine {
  return {
    name: 'cpu',
    device: cpus()[0]?.model.trim() ?? 'unknown processor',
    lowering: { maxPool: 'indices' },
    compile,
    upload: ({ type, data, dims }) => toValue(new OrtTensor(type, data, dims)),
    download: async (value) => read(toOrt(value)),
  };
}

/**
 * Weights of more bytes than this are fed with each run, from where they lie: as constants onnxruntime would copy them
 * while it reads the model, and once more in a form that suits its matrix product, in every session.
 */
const largestConstantBytes = 16 * 2 ** 20;

async function compile(graph: Graph): Promise<Program> {
  const large = [...graph.initializers].filter(([, { data }]) => data.byteLength > largestConstantBytes);
  const fed = large.map(([name, { type, data, dims }]) => [name, new OrtTensor(type, data, dims)] as const);
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(encodeModel(withInputs(graph, large)), sessionOptions);
  } catch (cause) {
    throw failure('Expected a graph that onnxruntime can run on the CPU', cause);
  }
  return {
    run: async (feeds) => {
      const own = [...feeds].map(([name, value]) => [name, toOrt(value)] as const);
      const values = Object.fromEntries([...own, ...fed]);
      try {
        const results = await session.run(values, { logSeverityLevel: 4 });
        return new Map(Object.entries(results).map(([name, tensor]) => [name, toValue(tensor)]));
      } catch (cause) {
        throw failure('Expected onnxruntime to run the graph on the CPU', cause);
      }
    },
    release: () => session.release(),
  };
}

/** The graph with these initializers as inputs. */
function withInputs(graph: Graph, tensors: readonly (readonly [string, Tensor])[]): Graph {
  if (tensors.length === 0) return graph;
  const initializers = new Map(graph.initializers);
  for (const [name] of tensors) initializers.delete(name);
  return {
    ...graph,
    inputs: [...graph.inputs, ...tensors.map(([name, { type, dims }]) => ({ name, type, dims }))],
    initializers,
  };
}

function read({ type, data, dims }: OrtTensor): Tensor {
  if (type === 'float32' || type === 'int64' || type === 'int32' || type === 'bool') {
    return { type, dims, data } as Tensor;
  }
  throw new PhospheneError(`Expected a value of float, int64, int32 or bool numbers, found ${type}.`);
}

/** onnxruntime's messages name the node and the operation; they run over several lines. */
function failure(expected: string, cause: unknown): PhospheneError {
  const said = (cause instanceof Error ? cause.message : String(cause)).replaceAll(/\s+/g, ' ').trim();
  return new PhospheneError(`${expected}; it says: ${said}`, { cause });
}
