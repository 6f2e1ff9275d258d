/** Runs as a worker: a copy of a graph, and the values that it made. See `copies.ts`. */

import { parentPort, workerData } from 'node:worker_threads';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { CopyAnswer, CopyData, CopyRequest } from './copies.ts';
import { giveBack, take } from './made.ts';

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

async function act({ orders, question }: CopyRequest): Promise<void> {
  for (const order of orders) {
    if ('forget' in order) {
      giveBack(values.get(order.forget) as Tensor);
      values.delete(order.forget);
    } else values.set(order.keep, new Tensor('float32', order.tensor.data, order.tensor.dims));
  }
  if ('read' in question) {
    const { dims, data } = values.get(question.read) as Tensor;
    answer({ tensor: { type: 'float32', dims: [...dims], data: Float32Array.from(data as Float32Array) } });
  } else if ('close' in question) {
    values.clear();
    await (await opening).release();
    answer({});
  } else {
    const feeds = Object.entries(question.run).map(
      ([name, number]) => [name, values.get(number) as Tensor] as const,
    );
    const session = await opening;
    const made = await session.run(Object.fromEntries([...feeds, ...constants]), runOptions);
    take(Object.values(made));
    for (const [name, number] of Object.entries(question.outputs)) values.set(number, made[name] as Tensor);
    answer({});
  }
}

parentPort?.on('message', (request: CopyRequest) => {
  before = before.then(() => act(request)).catch((problem: unknown) => answer({ problem }));
});
