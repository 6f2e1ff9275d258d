/**
 * An HDF5 file as plain data: attributes by the path of their group, tensors by the path of their dataset.
 * The reading is done by a worker that ends with the file, so that what a damaged file does to the HDF5 library
 * (a trap, an endless loop, a heap grown for ever) ends with it too.
 */

import { Worker } from 'node:worker_threads';
import { PhospheneError } from '../error.ts';
import type { Float32Tensor } from '../network/graph.ts';

export type Attributes = Readonly<Record<string, string | readonly string[]>>;

export interface Hdf5 {
  /** Text attributes of groups, by path without a slash at either end; the root is ''. */
  readonly attributes: ReadonlyMap<string, Attributes>;
  /** Numbers, by the dataset's path. The optimizer's are left out. */
  readonly datasets: ReadonlyMap<string, Float32Tensor>;
}

/** What the worker answers. */
export type Hdf5Answer = { readonly file: Hdf5 } | { readonly problem: string };

/**
 * Ten times what the official VGG16 with its dense layers (553 MB) takes here. Counted is the time in which the process
 * computes: on a machine that is busy otherwise, or after it slept, a good file is not taken for a damaged one.
 */
const longestMs = (bytes: number) => 9_000 + bytes / 50_000;
const looksEveryMs = 250;

const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** True where the bytes start as an HDF5 file does. */
export function isHdf5(bytes: Uint8Array): boolean {
  return signature.every((byte, index) => bytes[index] === byte);
}

/**
 * Reads all text attributes and all tensors of an HDF5 file.
 * @throws PhospheneError if the file is damaged, cut short, or claims sizes that it cannot hold.
 */
export async function readHdf5(file: string, bytes: Uint8Array): Promise<Hdf5> {
  const worker = new Worker(new URL('./hdf5-worker.ts', import.meta.url), {
    workerData: bytes,
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: 1024 },
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    const answer = await new Promise<Hdf5Answer>((resolve, reject) => {
      const before = process.cpuUsage();
      timer = setInterval(() => {
        const { user, system } = process.cpuUsage(before);
        if ((user + system) / 1000 > longestMs(bytes.length))
          reject(new Error('reading it does not come to an end'));
      }, looksEveryMs);
      worker.once('message', resolve);
      worker.once('error', reject);
      worker.once('exit', () => reject(new Error('the HDF5 library gave up')));
    });
    if ('problem' in answer) throw new Error(answer.problem);
    return answer.file;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new PhospheneError(
      `Expected '${file}' to hold a whole HDF5 file, but it is damaged or cut short (${why}): export or download it again.`,
      { cause },
    );
  } finally {
    clearInterval(timer);
    await worker.terminate();
  }
}
