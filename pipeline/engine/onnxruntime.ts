/**
 * onnxruntime as an engine whose values are tensors in host memory: its CPU provider, where upload and download copy
 * nothing, and its CUDA provider, which copies what goes into a run and what comes out.
 */

import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { env, InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { PhospheneError } from '../error.ts';
import { type Graph, type Tensor, weightBytes, withInputs } from '../network/graph.ts';
import { encodeModel } from '../network/onnx.ts';
import { convolutionTimes } from './convolutions.ts';
import { type Copies, type CopyData, openCopies, Shares } from './copies.ts';
import type { Engine, Liberties, Program, Value } from './engine.ts';
import { inOperationsOf, ownForms } from './forms.ts';
import { giveBack, handOut, take } from './made.ts';
import { blockOfFilters, processorForms } from './processor.ts';

/** What a value is: a tensor in one piece, or its rows in several threads. */
type Held = OrtTensor | Shares;
const toValue = (held: Held): Value => held as unknown as Value;
const toHeld = (value: Value): Held => value as unknown as Held;

/** For every session and every run. 4, fatal: what goes wrong is thrown as well, and stderr belongs to the progress bar. */
const quiet = { logSeverityLevel: 4 } as const;

/** The engine that runs everywhere. Needs no set-up and holds nothing that must be closed. */
export function cpuEngine(): Engine {
  const device = cpus()[0]?.model.trim() ?? 'unknown processor';
  const machine = `${device}, ${availableParallelism()} cores, onnxruntime ${env.versions.common}, in copies`;
  const own = { ...onHost('cpu', 'on the CPU'), copies: availableParallelism() };
  return {
    name: 'cpu',
    device,
    lowering: { maxPool: 'indices' },
    ...own,
    convolutionTimes: (shapes) => convolutionTimes(shapes, own, { file: convolutionsFile, machine }),
  };
}

const convolutionsFile = join('.cache', 'convolutions.json');

/**
 * The parts of an engine that are the same with every provider whose values are in host memory.
 * @param where For the sentences of errors: `on the CPU`.
 */
export function onHost(
  provider: 'cpu' | 'cuda',
  where: string,
): Pick<Engine, 'compile' | 'upload' | 'download' | 'free'> {
  return {
    compile: (graph, liberties, copies) => compile(graph, { liberties, copies }, provider, where),
    upload: ({ type, data, dims }) => toValue(new OrtTensor(type, data, dims)),
    async download(value) {
      const held = toHeld(value);
      if (held instanceof Shares) return held.read();
      handOut(held);
      return read(held);
    },
    free(values) {
      for (const held of [...values].map(toHeld)) {
        if (held instanceof Shares) held.free();
        else {
          for (const shares of sharesOf.get(held)?.values() ?? []) shares.free();
          giveBack(held);
        }
      }
    },
  };
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
/** Before a graph of more bytes of weights is opened, what the one before left behind is collected. */
const heavyBytes = 16 * 2 ** 20;

/** Weights and encoded models lie outside of the heap whose growth makes JavaScript collect. */
function makeRoomFor(graph: Graph): void {
  if (weightBytes(graph) > heavyBytes) collect();
}

/** Weights of more bytes than this are fed, see `fedWeights`. */
const largestConstantBytes = 16 * 2 ** 20;

/**
 * Weights that the CPU provider is fed with each run, from where they lie, because as constants they cost more: large
 * ones are copied while the model is read, and once more in a form that suits the matrix product; those of a batched
 * product are copied for nothing; narrow kernels are filled up to a block of filters; and what a kernel of few channels
 * makes in blocks of channels is turned around at once where no other convolution reads it.
 */
function fedWeights({ nodes, initializers }: Graph): [name: string, tensor: Tensor][] {
  const costly = new Set<string>();
  for (const { op, inputs, outputs } of nodes) {
    if (op === 'MatMul') {
      for (const name of inputs) if ((initializers.get(name)?.dims.length ?? 0) > 2) costly.add(name);
    }
    const [, name = ''] = inputs;
    const [filters = 0, channels = 0, ...rest] = initializers.get(name)?.dims ?? [];
    const isNarrow = Math.max(channels, filters) < blockOfFilters;
    const isLast = channels < blockOfFilters && !staysInBlocks(nodes, initializers, outputs[0]);
    if (op === 'Conv' && rest.length === 2 && (isNarrow || isLast)) costly.add(name);
  }
  return [...initializers].filter(
    ([name, { data }]) => data.byteLength > largestConstantBytes || costly.has(name),
  );
}

/** Whether a value, or what a Relu makes of it, is read by an operation that onnxruntime does in blocks of channels. */
function staysInBlocks(
  nodes: Graph['nodes'],
  initializers: Graph['initializers'],
  value: string | undefined,
): boolean {
  return nodes.some(({ op, inputs, outputs }) => {
    if (inputs[0] !== value) return false;
    if (op === 'Relu') return staysInBlocks(nodes, initializers, outputs[0]);
    return op.endsWith('Pool') || (op === 'Conv' && initializers.has(inputs[1] ?? ''));
  });
}

async function compile(
  written: Graph,
  {
    liberties,
    copies = 1,
  }: { readonly liberties: Liberties | undefined; readonly copies?: number | undefined },
  provider: 'cpu' | 'cuda',
  where: string,
): Promise<Program> {
  makeRoomFor(written);
  const graph = inOperationsOf(written, provider === 'cpu' ? processorForms(liberties) : ownForms);
  const weights = provider === 'cpu' ? fedWeights(graph) : [];
  const fed = weights.map(([name, { type, data, dims }]) => [name, new OrtTensor(type, data, dims)] as const);
  const whole = withInputs(graph, weights);
  if (copies > 1) return compileCopies(whole, { weights, fed, copies }, where);
  const session = await openSession(whole, where, { executionProviders: [provider] });
  return {
    run: async (feeds) => {
      const own = await Promise.all([...feeds].map(async ([name, value]) => [name, await inOnePiece(value)]));
      const results = await runSession(session, Object.fromEntries([...own, ...fed]), where);
      take(Object.values(results));
      return new Map(Object.entries(results).map(([name, tensor]) => [name, toValue(tensor)]));
    },
    release: () => session.release(),
  };
}

/** The shares that copies have of values that were uploaded in one piece. */
const sharesOf = new WeakMap<OrtTensor, Map<Copies, Shares>>();

async function inOnePiece(value: Value): Promise<OrtTensor> {
  const held = toHeld(value);
  if (!(held instanceof Shares)) return held;
  const { dims, data } = await held.read();
  return new OrtTensor('float32', data, dims);
}

async function compileCopies(
  graph: Graph,
  {
    weights,
    fed,
    copies: count,
  }: {
    readonly weights: CopyData['fed'];
    readonly fed: readonly (readonly [string, OrtTensor])[];
    readonly copies: number;
  },
  where: string,
): Promise<Program> {
  const ofCopy = { intraOpNumThreads: Math.max(1, Math.floor(availableParallelism() / count)) };
  const own = await openSession(graph, where, ofCopy);
  const data = {
    model: encodeModel(graph),
    session: { ...sessionOptions, ...ofCopy },
    run: quiet,
    fed: weights,
  };
  const copies = await openCopies(count, data, graph.outputs).catch((cause: unknown) => {
    throw failure(`Expected ${count} copies of a graph to be opened ${where}`, cause);
  });
  const shares = async (value: Value): Promise<Shares> => {
    const held = toHeld(value);
    if (held instanceof Shares && copies.made(held)) return held;
    const whole = await inOnePiece(value);
    const known = sharesOf.get(whole) ?? new Map<Copies, Shares>();
    const found = known.get(copies) ?? copies.share(whole);
    sharesOf.set(whole, known.set(copies, found));
    return found;
  };
  return {
    run: async (feeds) => {
      const shared = await Promise.all(
        [...feeds].map(async ([name, value]) => [name, await shares(value)] as const),
      );
      const results = await copies
        .run(new Map(shared), (first) => runSession(own, { ...first, ...Object.fromEntries(fed) }, where))
        .catch((cause: unknown) => {
          throw failure(`Expected all copies of the graph to run ${where}`, cause);
        });
      return new Map([...results].map(([name, held]) => [name, toValue(held)]));
    },
    release: async () => void (await Promise.all([own.release(), copies.close()])),
  };
}

const sessionOptions = {
  graphOptimizationLevel: 'all',
  // With it, from the second run on, all values lie in a second block of memory beside that of the first run.
  enableMemPattern: false,
  ...quiet,
} as const;

/** A session of onnxruntime. @throws PhospheneError naming the operation that it cannot run. */
export async function openSession(
  graph: Graph,
  where: string,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  const model = encodeModel(graph);
  try {
    return await InferenceSession.create(model, { ...sessionOptions, ...options });
  } catch (cause) {
    throw failure(`Expected a graph that onnxruntime can run ${where}`, cause);
  }
}

/** One run of it. @throws PhospheneError where it fails, e.g. because an input is missing. */
export async function runSession(
  session: InferenceSession,
  feeds: InferenceSession.FeedsType,
  where: string,
): Promise<InferenceSession.ReturnType> {
  try {
    return await session.run(feeds, quiet);
  } catch (cause) {
    throw failure(`Expected onnxruntime to run the graph ${where}`, cause);
  }
}

/** @throws PhospheneError where the tensor is of a type that graphs here do not have. */
export function read({ type, data, dims }: OrtTensor): Tensor {
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
