/** PyTorch beside us: the same network, start and update, in a Python process that takes turns with ours. */

import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ascender } from '../ascent/ascend.ts';
import type { AscentSpec } from '../ascent/step.ts';
import type { Engine } from '../engine/engine.ts';
import { PhospheneError } from '../error.ts';
import type { Network } from '../network/network.ts';
import type { Contestant } from './speed.ts';
import { convolutions } from './vgg16.ts';

const script = fileURLToPath(new URL('../../bench/peer.py', import.meta.url));

/** glibc gives no memory back, so that no page is faulted in twice; elsewhere these are not read. */
const allocator = {
  MALLOC_MMAP_MAX_: '0',
  MALLOC_TRIM_THRESHOLD_: '34359738368',
  MALLOC_TOP_PAD_: '268435456',
};

export interface Peer {
  /** E.g. `PyTorch 2.13.0`. */
  readonly name: string;
  /**
   * The peer at the ascent of `spec`, whose recipe must be the Keras blog's, and how far its picture is from ours after
   * one update: ‖theirs - ours‖ / ‖ours - start‖ over all values. Of single values a pooling whose two largest agree to
   * the last digit makes more.
   */
  at(spec: AscentSpec, engine: Engine): Promise<Contestant & { readonly difference: number }>;
  close(): Promise<void>;
}

/**
 * Starts the peer with the network's weights.
 * @throws PhospheneError if `python` cannot be run, or has no PyTorch.
 */
export async function openPeer(python: string, network: Network): Promise<Peer> {
  const folder = await mkdtemp(join(tmpdir(), 'phosphene-peer-'));
  const child = spawn(python, [script], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...allocator },
  });
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said += data.toString();
  });
  child.stdin.on('error', () => {});
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      said += error.message;
      resolve();
    });
    child.once('close', () => resolve());
  });
  const replies = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (request: object): Promise<Record<string, unknown>> => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const reply = await Promise.race([replies.next(), ended]);
    if (reply?.value !== undefined) return JSON.parse(reply.value) as Record<string, unknown>;
    const last = said.trim().split('\n').at(-1) ?? '';
    throw new PhospheneError(
      `Expected '${python}' to run PyTorch, it says: ${last}; --peers takes a Python that has it, e.g. --peers .venv/bin/python after pip install torch numpy`,
    );
  };

  const weights = join(folder, 'weights');
  const tensors = convolutions.flatMap(({ name }) =>
    ['kernel', 'bias'].map((kind) => network.graph.initializers.get(`${name}/${kind}`)?.data as Float32Array),
  );
  await writeFile(weights, Buffer.concat(tensors.map(bytesOf)));
  const { version } = await ask({ do: 'prepare', weights, convolutions, threads: availableParallelism() });

  return {
    name: `PyTorch ${String(version)}`,
    async at(spec, engine) {
      const { batch, size, layer, recipe } = spec;
      const units = Array.from({ length: batch }, (_, unit) => unit % layer.units);
      const ours = await oneUpdate(spec, engine, units);
      const [pictures, moved] = [join(folder, 'pictures'), join(folder, 'moved')];
      await writeFile(pictures, bytesOf(ours.before));
      const dims = [batch, size.channels, size.height, size.width];
      const place = convolutions.findIndex(({ name }) => name === layer.name);
      await ask({ do: 'layer', place, units, dims, pictures, moved });
      const theirs = new Float32Array(new Uint8Array(await readFile(moved)).buffer);
      return {
        difference: differenceOf(ours.before, ours.after, theirs),
        run: async () => Number((await ask({ do: 'time', steps: recipe.steps }))['ms']),
        release: async () => {},
      };
    },
    async close() {
      child.stdin.end();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** The network's input before and after the first update, [batch, C, H, W]. */
async function oneUpdate(
  spec: AscentSpec,
  engine: Engine,
  units: readonly number[],
): Promise<{ before: Float32Array; after: Float32Array }> {
  const climber = await ascender({ ...spec, recipe: { ...spec.recipe, steps: 1 } }, engine);
  const length = spec.size.channels * spec.size.height * spec.size.width;
  const [before, after] = [0, 1].map(() => new Float32Array(units.length * length));
  for await (const { unit, frames } of climber.run(units, { seed: 0, attempt: 0 })) {
    before?.set(frames[0]?.picture.data ?? [], units.indexOf(unit) * length);
    after?.set(frames[1]?.picture.data ?? [], units.indexOf(unit) * length);
  }
  await climber.release();
  return { before: before as Float32Array, after: after as Float32Array };
}

function differenceOf(before: Float32Array, ours: Float32Array, theirs: Float32Array): number {
  let [apart, change] = [0, 0];
  before.forEach((value, index) => {
    change += ((ours[index] as number) - value) ** 2;
    apart += ((ours[index] as number) - (theirs[index] as number)) ** 2;
  });
  return Math.sqrt(apart / change);
}
