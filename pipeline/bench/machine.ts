/** What this machine can do at best: one large convolution, one large matrix product. And what a process took of it. */

import { existsSync, readFileSync } from 'node:fs';
import type { Engine, Value } from '../engine/engine.ts';
import { GraphBuilder } from '../network/build.ts';
import { float32, ints, size } from '../network/graph.ts';

const sides = [16, 32, 64];
const convolutionOf = (side: number) => {
  const [batch, channels] = [4, Math.round(8192 / side)];
  const build = new GraphBuilder();
  const x = build.input('x', [batch, channels, side, side]);
  const kernel = build.constant(ones([channels, channels, 3, 3]));
  const y = build.add('Conv', [x, kernel], { pads: ints([1, 1, 1, 1]) });
  return {
    graph: build.graph([y]),
    feed: ones([batch, channels, side, side]),
    flops: 2 * 9 * channels ** 2 * batch * side ** 2,
  };
};

const productOf = (side: number) => {
  const build = new GraphBuilder();
  const x = build.input('x', [side, side]);
  return {
    graph: build.graph([build.add('MatMul', [x, build.constant(ones([side, side]))])]),
    feed: ones([side, side]),
    flops: 2 * side ** 3,
  };
};

const ones = (dims: readonly number[]) => float32(dims, new Float32Array(size(dims)).fill(1));

/** Billions of operations a second of the best of some convolutions 3×3, and of some matrix products. */
export async function bestOf(engine: Engine): Promise<{ convGflops: number; matmulGflops: number }> {
  const best = async (tasks: readonly ReturnType<typeof productOf>[]): Promise<number> => {
    let found = 0;
    for (const { graph, feed, flops } of tasks) {
      const program = await engine.compile(graph);
      const feeds = new Map([['x', engine.upload(feed)]]);
      for (let run = 0; run < 6; run++) {
        const startedAt = performance.now();
        const values = await program.run(feeds);
        await Promise.all([...values.values()].map((value: Value) => engine.download(value)));
        found = Math.max(found, flops / (performance.now() - startedAt) / 1e6);
      }
      await program.release();
    }
    return found;
  };
  return {
    convGflops: await best(sides.map(convolutionOf)),
    matmulGflops: await best([512, 1024].map(productOf)),
  };
}

/** The most memory that this process held at a time. On Linux the system's own figure starts from the parent's. */
export function peakRssBytes(): number {
  const kilobytes = existsSync('/proc/self/status')
    ? Number(/VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])
    : process.resourceUsage().maxRSS;
  return kilobytes * 1024;
}
