import { describe, expect, it } from 'vitest';
import type { Value } from '../../../pipeline/engine/engine.ts';
import { cpuEngine } from '../../../pipeline/engine/onnxruntime.ts';
import { GraphBuilder } from '../../../pipeline/network/build.ts';
import { float32, size } from '../../../pipeline/network/graph.ts';
import {
  arranged,
  type Bands,
  placeOf,
  sharedArrangement,
  toChannelsFirst,
  toChannelsLast,
} from '../../../pipeline/network/lowering/bands.ts';

const dims = [2, 3, 8, 4];
/** Every value is its own place. */
const start = float32(
  dims,
  Float32Array.from({ length: size(dims) }, (_, place) => place),
);

async function run(write: (build: GraphBuilder, x: Bands) => readonly string[]): Promise<Float32Array[]> {
  const build = new GraphBuilder();
  const outputs = write(build, toChannelsLast(build, build.input('x', dims), dims));
  const engine = cpuEngine();
  const program = await engine.compile(build.graph(outputs));
  const values = await program.run(new Map([['x', engine.upload(start)]]));
  const tensors = await Promise.all(outputs.map((name) => engine.download(values.get(name) as Value)));
  await program.release();
  return tensors.map(({ data }) => data as Float32Array);
}

describe('bands', () => {
  it.each([
    ['one', [0, 16], false],
    ['one in quarters', [0, 16], true],
    ['a picture each', [0, 8, 16], false],
    ['several a picture, in quarters', [0, 2, 8, 14, 16], true],
  ] as const)('come back as they were: %s', async (_, edges, inQuarters) => {
    const [found] = await run((build, x) => {
      const there = arranged(build, x, { edges, inQuarters });
      const otherwise = arranged(build, there, { edges: [0, 2, 6, 16], inQuarters: true });
      return [toChannelsFirst(build, arranged(build, otherwise, { edges, inQuarters }))];
    });
    expect(found).toEqual(start.data);
  });

  it('have each place where it is said to be', async () => {
    let there: Bands | undefined;
    const parts = await run((build, x) => {
      there = arranged(build, x, { edges: [0, 2, 8, 16], inQuarters: true });
      return there.parts;
    });
    expect(parts).toHaveLength(12);
    const all = parts.flatMap((part) => [...part]);
    for (let row = 0; row < 16; row++) {
      for (let column = 0; column < 4; column++) {
        // Of the first channel: 3 channels of 32 values a picture.
        const place = Math.floor(row / 8) * 96 + (row % 8) * 4 + column;
        expect(all[3 * placeOf(there as Bands, row, column)]).toBe(place);
      }
    }
  });

  it('are brought together as those are that are several, in the edges that all of these have', () => {
    const bands = (edges: readonly number[], inQuarters: boolean): Bands => ({
      dims,
      edges,
      inQuarters,
      parts: [],
    });
    expect(
      sharedArrangement([bands([0, 16], false), bands([0, 4, 8, 16], true), bands([0, 8, 12, 16], true)]),
    ).toEqual({ edges: [0, 8, 16], inQuarters: true });
    expect(sharedArrangement([bands([0, 8, 16], true), bands([0, 8, 16], false)])).toEqual({
      edges: [0, 8, 16],
      inQuarters: false,
    });
    expect(sharedArrangement([bands([0, 16], false)])).toEqual({ edges: [0, 16], inQuarters: false });
  });
});
