import { describe, expect, it } from 'vitest';
import type { Value } from '../../pipeline/engine/engine.ts';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import { cutAtLayer } from '../../pipeline/network/cut.ts';
import { type Float32Tensor, float32, ints, size, text } from '../../pipeline/network/graph.ts';
import type { Layer, Network } from '../../pipeline/network/network.ts';
import { randomOf } from '../../pipeline/recipe/random.ts';
import { tinyNetwork } from '../ascent/tiny.ts';

const engine = cpuEngine();
const batch = 3;

/** Picture i through the cut, for unit `units[i]`: [batch, 1, …]. */
async function throughCut(network: Network, layer: Layer, pictures: Float32Tensor, units: readonly number[]) {
  const build = new GraphBuilder(undefined, network.graph.opset);
  const picture = build.input('picture', pictures.dims);
  const { linear, activation, slices } = cutAtLayer(build, network, layer, picture, batch);
  const program = await engine.compile(build.graph([...new Set([linear, activation])]));
  const feeds = new Map<string, Value>([[picture, engine.upload(pictures)]]);
  for (const { input, dims, pick } of slices) {
    const data = new Float32Array(batch * size(dims));
    units.forEach((unit, index) => void data.set(pick(unit), index * size(dims)));
    feeds.set(input, engine.upload(float32([batch, ...dims], data)));
  }
  const values = await program.run(feeds);
  const read = async (name: string) => (await engine.download(values.get(name) as Value)) as Float32Tensor;
  return { linear: await read(linear), activation: await read(activation), slices };
}

/** All units of all pictures through the whole network. */
async function whole(network: Network, value: string, pictures: Float32Tensor): Promise<Float32Tensor> {
  const program = await engine.compile({ ...network.graph, outputs: [value] });
  const values = await program.run(new Map([[network.input.name, engine.upload(pictures)]]));
  return (await engine.download(values.get(value) as Value)) as Float32Tensor;
}

describe('cutAtLayer', () => {
  const network = tinyNetwork(2);
  const random = randomOf(3);
  const pictures = float32(
    [batch, 2, 12, 12],
    Float32Array.from({ length: batch * 288 }, () => random.normal()),
  );
  const units = [2, 0, 3];

  const check = async (layer: Layer, fits: Network) => {
    const cut = await throughCut(fits, layer, pictures, units);
    for (const part of ['linear', 'activation'] as const) {
      const all = await whole(fits, part === 'linear' ? layer.linear : layer.output, pictures);
      const area = size(all.dims.slice(2));
      expect(cut[part].dims).toEqual([batch, 1, ...all.dims.slice(2)]);
      units.forEach((unit, index) => {
        const expected = all.data.slice(
          (index * layer.units + unit) * area,
          (index * layer.units + unit + 1) * area,
        );
        const got = cut[part].data.slice(index * area, (index + 1) * area);
        // Sums of at most 54 products of order 1, in another order.
        got.forEach((value, place) => void expect(value).toBeCloseTo(expected[place] as number, 4));
      });
    }
    return cut;
  };

  it.each(network.layers)('gives each picture its own unit of layer $name alone', async (layer) => {
    const { slices } = await check(layer, network);
    expect(slices.map(({ input }) => input)).not.toContain('unit.mask');
  });

  it.each([
    { pads: ints([1, 1, 1, 1]) },
    { pads: ints([0, 2, 1, 0]), dilations: ints([2, 1]) },
    { auto_pad: text('SAME_UPPER') },
    { strides: ints([2, 1]) },
  ])('cuts a layer that has many channels below it, with %j', async (attributes) => {
    const build = new GraphBuilder(network.graph);
    const weights = (dims: readonly number[]): string =>
      build.constant(
        float32(
          dims,
          Float32Array.from({ length: size(dims) }, () => random.normal() / 4),
        ),
      );
    const below = build.add('Tanh', [build.add('Conv', [network.input.name, weights([20, 2, 3, 3])])]);
    const linear = build.add('Conv', [below, weights([4, 20, 3, 2]), weights([4])], attributes);
    const output = build.add('Relu', [linear]);
    const layer = { ...(network.layers[0] as Layer), units: 4, linear, output };
    await check(layer, { ...network, graph: build.graph([]) });
  });

  it('falls back to a mask where the layer is made by something it cannot slice', async () => {
    const { graph } = network;
    const layer = network.layers[0] as Layer;
    const build = new GraphBuilder(graph);
    const strange = build.add('Tanh', [build.add('Transpose', [build.add('Transpose', [layer.linear])])]);
    const { slices } = await check(
      { ...layer, linear: strange, output: strange },
      { ...network, graph: build.graph([]) },
    );
    expect(slices.map(({ input }) => input)).toEqual(['unit.mask']);
  });

  it('leaves out what lies above the layer', async () => {
    const build = new GraphBuilder(undefined, network.graph.opset);
    cutAtLayer(build, network, network.layers[0] as Layer, build.input('picture', [1, 2, 12, 12]), 1);
    expect(build.nodes.map(({ op }) => op)).not.toContain('Gemm');
    expect(build.nodes.map(({ op }) => op)).not.toContain('MaxPool');
  });
});
