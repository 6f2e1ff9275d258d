import { describe, expect, it } from 'vitest';
import { stepGraph } from '../../pipeline/ascent/step.ts';
import type { Value } from '../../pipeline/engine/engine.ts';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import { partsSeen } from '../../pipeline/network/crop.ts';
import { float32, int, ints, size, text } from '../../pipeline/network/graph.ts';
import type { Layer, Network } from '../../pipeline/network/network.ts';
import { randomOf } from '../../pipeline/recipe/random.ts';
import { resolveRecipe } from '../../pipeline/recipe/resolve.ts';
import { resolveScaling } from '../../pipeline/recipe/scaling.ts';

const engine = cpuEngine();

/** Padded and unpadded convolutions, a pool, one step of two, one that is dilated. */
function someNetwork(): Network {
  const build = new GraphBuilder();
  const random = randomOf(8);
  const input = build.input('x', ['N', 2, 'h', 'w']);
  const kernel = (filters: number, channels: number, side: number): string => {
    const dims = [filters, channels, side, side];
    return build.constant(
      float32(
        dims,
        Float32Array.from({ length: size(dims) }, () => 0.3 * random.normal()),
      ),
    );
  };
  const conv = (value: string, filters: number, channels: number, side: number, attributes = {}): string =>
    build.add('Conv', [value, kernel(filters, channels, side)], attributes);
  let value = build.add('Relu', [conv(input, 4, 2, 3, { pads: ints([1, 1, 1, 1]) })]);
  value = build.add('MaxPool', [value], { kernel_shape: ints([2, 2]), strides: ints([2, 2]) });
  value = build.add('Relu', [conv(value, 4, 4, 5, { pads: ints([2, 2, 2, 2]), strides: ints([2, 2]) })]);
  value = build.add('Relu', [conv(value, 4, 4, 3)]);
  const linear = conv(value, 3, 4, 3, { pads: ints([2, 2, 2, 2]), dilations: ints([2, 2]), group: int(1) });
  const output = build.add('Relu', [linear]);
  return {
    format: 'onnx',
    graph: build.graph([output]),
    input: { name: input, layout: 'NCHW', channels: 2, height: null, width: null },
    layers: [{ name: 'last', kind: 'conv', units: 3, linear, output, unitAxis: 1 }],
    gaps: [],
  };
}

const network = someNetwork();
/** The same with a node that nothing needs and whose padding depends on the size, so that no part is cut out. */
const uncut: Network = {
  ...network,
  graph: {
    ...network.graph,
    nodes: [
      ...network.graph.nodes,
      {
        op: 'MaxPool',
        name: 'aside',
        inputs: [network.layers[0]?.output ?? ''],
        outputs: ['aside'],
        attributes: { kernel_shape: ints([2, 2]), strides: ints([2, 2]), auto_pad: text('SAME_UPPER') },
      },
    ],
  },
};

async function moved(own: Network, height: number, width: number, start: Float32Array) {
  const layer = own.layers[0] as Layer;
  const recipe = resolveRecipe({ preset: 'wake', steps: 3 }, 'test');
  const spec = { network: own, layer, recipe, scaling: resolveScaling('none', 2), batch: 2 };
  const step = await stepGraph({ ...spec, size: { channels: 2, height, width } }, engine);
  const program = await engine.compile(step.graph);
  const feeds = new Map<string, Value>();
  for (const { name, dims } of step.graph.inputs) {
    const ones = new Float32Array(size(dims.map(Number))).fill(1);
    feeds.set(name, engine.upload(float32(dims.map(Number), name === step.state[0]?.input ? start : ones)));
  }
  for (const { input, dims, pick } of step.slices)
    feeds.set(
      input,
      engine.upload(
        float32(
          [2, ...dims],
          [0, 2].flatMap((unit) => [...pick(unit)]),
        ),
      ),
    );
  const values = await program.run(feeds);
  const read = async (name: string) =>
    (await engine.download(values.get(name) as Value)).data as Float32Array;
  const found = { picture: await read(step.state[0]?.output ?? ''), objective: await read(step.objective) };
  await program.release();
  return found;
}

const apart = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, value, at) => Math.max(most, Math.abs(value - (b[at] ?? Number.NaN))), 0);

describe('the picture around a centre neuron', () => {
  it.each([
    [64, 64],
    [61, 83],
    [40, 128],
    [12, 12],
  ])(
    'is all that is computed, and the step is the same as with all of the picture: %i×%i',
    async (height, width) => {
      const random = randomOf(height, width);
      const start = Float32Array.from({ length: 2 * 2 * height * width }, () => 128 + 20 * random.normal());
      const part = await moved(network, height, width, start);
      const whole = await moved(uncut, height, width, start);
      expect(apart(part.objective, whole.objective)).toBeLessThan(1e-5 * Math.abs(whole.objective[0] ?? 0));
      expect(apart(part.picture, whole.picture)).toBeLessThan(1e-3);
      expect(apart(part.picture, start)).toBeGreaterThan(1);
    },
  );

  it('is as large as the field that the neuron sees, on the grid of the map', () => {
    const layer = network.layers[0] as Layer;
    const parts = partsSeen(network, layer, [15, 15], [128, 128]);
    // 3, pooled 4, 5 at stride 2: 12, 3 at stride 4: 20, 3 dilated by 2 at stride 4: 36.
    expect(parts?.map(({ start, end }) => end - start)).toEqual([40, 40]);
    expect(parts?.every(({ start, position }) => start % 4 === 0 && start / 4 + position === 15)).toBe(true);
    expect(partsSeen(network, layer, [1, 1], [12, 12])).toBeUndefined();
    expect(partsSeen(uncut, layer, [15, 15], [128, 128])).toBeUndefined();
  });
});
