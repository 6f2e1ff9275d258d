/**
 * One graph several times side by side, each copy in a thread of its own that computes whole operations: no thread waits
 * for another's part of one, and what it made is in the cache of the core that goes on with it. All inputs and outputs are
 * numbers of 32 bits with a row a picture; each copy has its share of the rows, which stay with it until they are read.
 */

import { Worker } from 'node:worker_threads';
import { type InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { type Float32Tensor, float32, type Tensor } from '../network/graph.ts';
import { giveBack, take } from './made.ts';

/** What a copy is made of. */
export interface CopyData {
  readonly model: Uint8Array;
  readonly session: InferenceSession.SessionOptions;
  readonly run: InferenceSession.RunOptions;
  /** Inputs that are the same in every run. */
  readonly fed: readonly (readonly [name: string, tensor: Tensor])[];
}

/** What needs no answer. A copy's values have numbers. */
export type CopyOrder =
  | { readonly keep: number; readonly tensor: Float32Tensor }
  | { readonly forget: number };

/** It answers once it is open, and then every question, in their order. */
export type CopyQuestion =
  | { readonly run: Readonly<Record<string, number>>; readonly outputs: Readonly<Record<string, number>> }
  | { readonly read: number }
  | { readonly close: true };

/** The orders are carried out first. */
export interface CopyRequest {
  readonly orders: readonly CopyOrder[];
  readonly question: CopyQuestion;
}

export type CopyAnswer = { readonly tensor?: Float32Tensor } | { readonly problem: unknown };

/** A copy in another thread. */
class Copy {
  readonly #worker: Worker;
  readonly #waiting: PromiseWithResolvers<Float32Tensor | undefined>[] = [];
  /** They go with the next question: every message wakes the thread. */
  #orders: CopyOrder[] = [];
  #last = 0;
  /** Why the thread answers no more. */
  #ended: { readonly cause: unknown } | undefined;

  constructor(data: CopyData) {
    this.#worker = new Worker(new URL('./copy-worker.ts', import.meta.url), { workerData: data });
    this.#worker.on('message', (answer: CopyAnswer) => {
      const waiting = this.#waiting.shift();
      if (this.#waiting.length === 0) this.#worker.unref();
      if ('problem' in answer) waiting?.reject(answer.problem);
      else waiting?.resolve(answer.tensor);
    });
    const fail = (cause: unknown): void => {
      this.#ended ??= { cause };
      for (const waiting of this.#waiting.splice(0)) waiting.reject(cause);
    };
    this.#worker.on('error', fail);
    this.#worker.on('exit', () => fail(new Error('a thread came to an end')));
  }

  /** Waits until it is open. */
  opened(): Promise<unknown> {
    return this.#answer();
  }

  ask(question: CopyQuestion): Promise<Float32Tensor | undefined> {
    const orders = this.#orders;
    this.#orders = [];
    const request: CopyRequest = { orders, question };
    const transfer = orders.flatMap((order) =>
      'keep' in order ? [order.tensor.data.buffer as ArrayBuffer] : [],
    );
    this.#worker.postMessage(request, transfer);
    return this.#answer();
  }

  /** Without a question the thread keeps no process alive. */
  async #answer(): Promise<Float32Tensor | undefined> {
    if (this.#ended !== undefined) throw this.#ended.cause;
    const waiting = Promise.withResolvers<Float32Tensor | undefined>();
    this.#waiting.push(waiting);
    this.#worker.ref();
    return waiting.promise;
  }

  nextNumber(): number {
    return ++this.#last;
  }

  keep(dims: readonly number[], rows: Float32Array): number {
    const number = this.nextNumber();
    this.#orders.push({ keep: number, tensor: float32(dims, Float32Array.from(rows)) });
    return number;
  }

  forget(number: number): void {
    this.#orders.push({ forget: number });
  }

  /** A thread that is ended gives back what its session holds only if it was asked to before. */
  async close(): Promise<void> {
    await this.ask({ close: true }).catch(() => undefined);
    await this.#worker.terminate();
  }
}

/** A value of which each copy has some rows. */
export class Shares {
  /** The first rows, which this thread has. */
  readonly own: OrtTensor;
  readonly others: readonly { readonly copy: Copy; readonly number: number }[];

  constructor(own: OrtTensor, others: Shares['others']) {
    this.own = own;
    this.others = others;
  }

  async read(): Promise<Float32Tensor> {
    const others = await Promise.all(this.others.map(({ copy, number }) => copy.ask({ read: number })));
    const parts = [this.own.data as Float32Array, ...others.map((tensor) => tensor?.data ?? [])];
    const [rows = 0, ...dims] = this.own.dims;
    const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return float32([rows * parts.length, ...dims], all);
  }

  free(): void {
    giveBack(this.own);
    for (const { copy, number } of this.others) copy.forget(number);
  }
}

export interface Copies {
  /**
   * Runs all copies.
   * @param own Runs this thread's.
   */
  run(
    feeds: ReadonlyMap<string, Shares>,
    own: (feeds: Readonly<Record<string, OrtTensor>>) => Promise<Readonly<Record<string, OrtTensor>>>,
  ): Promise<ReadonlyMap<string, Shares>>;
  /** Hands every copy its rows. */
  share(value: OrtTensor): Shares;
  /** Whether these copies have the rows. */
  made(shares: Shares): boolean;
  close(): Promise<void>;
}

/**
 * Opens copies in `count` - 1 other threads.
 * @param outputs Of the graph.
 * @throws what onnxruntime throws where it cannot open one.
 */
export async function openCopies(count: number, data: CopyData, outputs: readonly string[]): Promise<Copies> {
  const others = Array.from({ length: count - 1 }, () => new Copy(data));
  const close = async (): Promise<void> => void (await Promise.all(others.map((copy) => copy.close())));
  try {
    await Promise.all(others.map((copy) => copy.opened()));
  } catch (cause) {
    await close();
    throw cause;
  }
  return {
    async run(feeds, own) {
      const running = others.map(async (copy, index) => {
        const numbersOf = [...feeds].map(([name, { others }]) => [name, others[index]?.number] as const);
        const made = Object.fromEntries(outputs.map((name) => [name, copy.nextNumber()]));
        await copy.ask({ run: Object.fromEntries(numbersOf) as Record<string, number>, outputs: made });
        return { copy, made };
      });
      const ofOwn = own(Object.fromEntries([...feeds].map(([name, shares]) => [name, shares.own])));
      const [first, ...rest] = await Promise.all([ofOwn, ...running]);
      take(Object.values(first));
      return new Map(
        outputs.map((name) => {
          const shares = rest.map(({ copy, made }) => ({ copy, number: made[name] as number }));
          return [name, new Shares(first[name] as OrtTensor, shares)];
        }),
      );
    },
    share(value) {
      const [rows = 0, ...dims] = value.dims;
      const own = [rows / count, ...dims];
      const data = value.data as Float32Array;
      const length = data.length / count;
      const part = (index: number): Float32Array => data.subarray(index * length, (index + 1) * length);
      return new Shares(
        new OrtTensor('float32', part(0), own),
        others.map((copy, index) => ({ copy, number: copy.keep(own, part(index + 1)) })),
      );
    },
    made: (shares) => shares.others.every(({ copy }, index) => copy === others[index]),
    close,
  };
}
