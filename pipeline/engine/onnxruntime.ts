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

async function compile(graph: Graph): Promise<Program> {
  const bytes = encodeModel(graph);
  let session: InferenceSession;
  try {
    session = await InferenceSession.create(bytes, sessionOptions);
  } catch (cause) {
    throw failure('Expected a graph that onnxruntime can run on the CPU', cause);
  }
  return {
    run: async (feeds) => {
      const values = Object.fromEntries([...feeds].map(([name, value]) => [name, toOrt(value)]));
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
