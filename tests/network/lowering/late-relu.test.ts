import { describe, expect, it } from 'vitest';
import type { Value } from '../../../pipeline/engine/engine.ts';
import { cpuEngine } from '../../../pipeline/engine/onnxruntime.ts';
import { GraphBuilder } from '../../../pipeline/network/build.ts';
import { float32, type Graph, ints } from '../../../pipeline/network/graph.ts';
import { withLateRelus } from '../../../pipeline/network/lowering/late-relu.ts';
import { randomOf } from '../../../pipeline/recipe/random.ts';

const engine = cpuEngine();

async function run(graph: Graph): Promise<readonly unknown[]> {
  const random = randomOf(4);
  const x = float32(
    [2, 3, 4, 6],
    Float32Array.from({ length: 144 }, () => random.normal()),
  );
  const program = await engine.compile(graph);
  const values = await program.run(new Map([['x', engine.upload(x)]]));
  return Promise.all(graph.outputs.map((name) => engine.download(values.get(name) as Value)));
}

describe('withLateRelus', () => {
  const pooling = { kernel_shape: ints([2, 2]), strides: ints([2, 2]) };
  const build = new GraphBuilder();
  const rectified = build.add('Relu', [build.input('x', [2, 3, 4, 6])]);
  const [pooled = '', indices = ''] = build.addMany('MaxPool', [rectified], 2, pooling);
  const back = build.add('MaxUnpool', [pooled, indices], pooling);

  it('writes a Relu after the pooling that alone reads it, and changes no value', async () => {
    const graph = build.graph([pooled, back]);
    const late = withLateRelus(graph);
    expect(late.nodes.map(({ op }) => op)).toEqual(['MaxPool', 'Relu', 'MaxUnpool']);
    expect(await run(late)).toEqual(await run(graph));
  });

  it('leaves it where somebody else reads it', () => {
    const graph = build.graph([pooled, rectified]);
    expect(withLateRelus(graph).nodes).toEqual(graph.nodes);
  });
});
