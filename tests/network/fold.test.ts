import { expect, it } from 'vitest';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import { foldBatchNormalization } from '../../pipeline/network/fold.ts';
import { float, float32, type Graph, int, ints, size } from '../../pipeline/network/graph.ts';
import { findLayers, type UnitValue } from '../../pipeline/network/layers.ts';
import type { Network } from '../../pipeline/network/network.ts';

const wave = (dims: readonly number[], phase = 0) =>
  float32(
    dims,
    Float32Array.from({ length: size(dims) }, (_, at) => Math.sin(1.3 * at + phase)),
  );

const positive = (length: number) =>
  float32(
    [length],
    Float32Array.from({ length }, (_, at) => 0.5 + at),
  );

function normalised(build: GraphBuilder, x: string, units: number, hint: string): string {
  const constants = [wave([units], 1), wave([units], 2), wave([units], 3), positive(units)];
  const names = constants.map((tensor) => build.constant(tensor));
  return build.add('BatchNormalization', [x, ...names], { epsilon: float(0.01) }, hint);
}

function network(graph: Graph, units: readonly UnitValue[]): Network {
  return {
    format: 'onnx',
    graph,
    input: { name: 'x', layout: 'NCHW', channels: 2, height: 5, width: 5 },
    layers: findLayers(graph, units, { complete: true }),
    gaps: [],
  };
}

async function run(graph: Graph): Promise<readonly number[]> {
  const engine = cpuEngine();
  const program = await engine.compile(graph);
  const [value] = (await program.run(new Map([['x', engine.upload(wave([1, 2, 5, 5]))]]))).values();
  if (value === undefined) throw new Error('no output');
  const { data } = await engine.download(value);
  await program.release();
  return Array.from(data, Number);
}

it('batch normalisation behind convolutions and dense layers goes into their weights', async () => {
  const build = new GraphBuilder();
  build.input('x', ['N', 2, 5, 5]);
  const kernel = build.constant(wave([3, 2, 3, 3]));
  const first = build.add('Conv', ['x', kernel], {}, 'first');
  const active = build.add('Relu', [normalised(build, first, 3, 'first/bn')]);
  const up = [active, build.constant(wave([3, 4, 2, 2])), build.constant(wave([4], 5))];
  const second = build.add('ConvTranspose', up, { strides: ints([2, 2]) }, 'second');
  const flat = build.add('Flatten', [normalised(build, second, 4, 'second/bn')]);
  const dense = [flat, build.constant(wave([6, 144])), build.constant(wave([6]))];
  const third = build.add('Gemm', dense, { transB: int(1) }, 'third');
  const graph = build.graph([normalised(build, third, 6, 'third/bn')]);
  const units: UnitValue[] = [
    { name: 'first', kind: 'conv', units: 3, value: first, unitAxis: 1 },
    { name: 'third', kind: 'dense', units: 6, value: third, unitAxis: 1 },
  ];
  const whole = network(graph, units);
  const folded = foldBatchNormalization(whole);
  expect(folded.graph.nodes.map(({ op }) => op)).toEqual([
    'Conv',
    'Relu',
    'ConvTranspose',
    'Flatten',
    'Gemm',
  ]);
  expect(folded.graph.initializers.size).toBe(6);
  expect(folded.layers).toEqual(whole.layers);
  const [before, after] = [await run(graph), await run(folded.graph)];
  const most = Math.max(...before.map(Math.abs));
  after.forEach((value, at) => {
    expect(Math.abs(value - (before[at] as number))).toBeLessThan(1e-5 * most);
  });
});

it('batch normalisation stays where the value before it is needed, or made of no weights', () => {
  const build = new GraphBuilder();
  build.input('x', ['N', 2, 5, 5]);
  const input = normalised(build, 'x', 2, 'input/bn');
  const conv = build.add('Conv', [input, build.constant(wave([3, 2, 1, 1]))], {}, 'conv');
  const sum = build.add('Add', [conv, normalised(build, conv, 3, 'conv/bn')]);
  const whole = network(build.graph([sum]), []);
  expect(foldBatchNormalization(whole)).toBe(whole);
});
