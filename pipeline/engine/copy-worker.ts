/** Runs as a worker: a copy of a graph, and the values that it made. See `copies.ts`. */

import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { CopyAnswer, CopyData, CopyRequest } from './copies.ts';

const { model, session: sessionOptions, run: runOptions, fed } = workerData as CopyData;
const values = new Map<number, Tensor>();
const answer = (message: CopyAnswer): void => parentPort?.postMessage(message);

const constants = fed.map(([name, { type, data, dims }]) => [name, new Tensor(type, data, dims)] as const);
const opening = InferenceSession.create(model, sessionOptions);
/** What is asked is done in its order. */
let before: Promise<unknown> = opening.then(
  () => answer({}),
  (problem: unknown) => answer({ problem }),
);

async function act(request: CopyRequest): Promise<void> {
  if ('keep' in request) {
    const { dims, data } = request.tensor;
    values.set(request.keep, new Tensor('float32', data, dims));
  } else if ('forget' in request) {
    values.delete(request.forget);
  } else if ('read' in request) {
    const { dims, data } = values.get(request.read) as Tensor;
    answer({ tensor: { type: 'float32', dims: [...dims], data: Float32Array.from(data as Float32Array) } });
  } else if ('close' in request) {
    values.clear();
    await (await opening).release();
    answer({});
  } else {
    const feeds = Object.entries(request.run).map(
      ([name, number]) => [name, values.get(number) as Tensor] as const,
    );
    const session = await opening;
    const made = await session.run(Object.fromEntries([...feeds, ...constants]), runOptions);
    for (const [name, number] of Object.entries(request.outputs)) values.set(number, made[name] as Tensor);
    answer({});
  }
}

parentPort?.on('message', (request: CopyRequest) => {
  before = before.then(() => act(request)).catch((problem: unknown) => answer({ problem }));
});
