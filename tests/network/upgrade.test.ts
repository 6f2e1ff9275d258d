import { describe, expect, it } from 'vitest';
import type { Program } from '../../pipeline/engine/engine.ts';
import { cpuEngine } from '../../pipeline/engine/onnxruntime.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import {
  type Attribute,
  float,
  float32,
  type Graph,
  int,
  ints,
  type Tensor,
  text,
} from '../../pipeline/network/graph.ts';
import { upgrade } from '../../pipeline/network/upgrade.ts';

const engine = cpuEngine();
const x = float32(
  [2, 1, 4, 6],
  Array.from({ length: 48 }, (_, i) => Math.sin(i * i)),
);

async function run(graph: Graph): Promise<Tensor[]> {
  const program: Program = await engine.compile(graph);
  const values = await program.run(new Map([['x', engine.upload(x)]]));
  await program.release();
  return Promise.all(graph.outputs.map((output) => engine.download(values.get(output) as never)));
}

const floats = (value: number[]): Attribute => ({ kind: 'floats', value });
const scales = float32([4], [1, 1, 2, 3]);

interface Row {
  readonly op: string;
  readonly opset: number;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly weights?: readonly Tensor[];
  readonly outputs?: number;
}

const rows: readonly Row[] = [
  { op: 'Squeeze', opset: 11, attributes: { axes: ints([1]) } },
  { op: 'Unsqueeze', opset: 9, attributes: { axes: ints([0, 3]) } },
  { op: 'ReduceSum', opset: 7, attributes: { axes: ints([2]), keepdims: int(0) } },
  { op: 'ReduceSum', opset: 11 },
  { op: 'ReduceMean', opset: 9, attributes: { axes: ints([2, 3]) } },
  { op: 'Split', opset: 11, attributes: { split: ints([1, 3]), axis: int(2) }, outputs: 2 },
  { op: 'Softmax', opset: 11 },
  { op: 'Softmax', opset: 9, attributes: { axis: int(2) } },
  { op: 'LogSoftmax', opset: 12, attributes: { axis: int(3) } },
  { op: 'Dropout', opset: 7, attributes: { ratio: float(0.4) } },
  { op: 'Clip', opset: 9, attributes: { max: float(0.5) } },
  { op: 'Clip', opset: 7, attributes: { min: float(-0.1), max: float(0.5) } },
  { op: 'Pad', opset: 10, attributes: { pads: ints([0, 0, 1, 2, 0, 0, 0, 1]), value: float(7) } },
  { op: 'Pad', opset: 9, attributes: { pads: ints([0, 0, 1, 2, 0, 0, 0, 1]), mode: text('reflect') } },
  { op: 'Slice', opset: 9, attributes: { starts: ints([1, -3]), ends: ints([9, -1]), axes: ints([2, 3]) } },
  { op: 'Upsample', opset: 7, attributes: { scales: floats([1, 1, 2, 3]) } },
  { op: 'Upsample', opset: 9, attributes: { mode: text('linear') }, weights: [scales] },
  { op: 'Resize', opset: 10, weights: [scales] },
  {
    op: 'BatchNormalization',
    opset: 7,
    attributes: { spatial: int(1) },
    weights: [2, 3, 4, 5].map((value) => float32([1], [value])),
  },
];

describe('upgrade', () => {
  it.each(rows)('$op of set $opset computes the same in set 17', async (row) => {
    const { op, opset, attributes = {}, weights = [], outputs = 1 } = row;
    const build = new GraphBuilder(undefined, opset);
    const inputs = [build.input('x', x.dims), ...weights.map((weight) => build.constant(weight))];
    const old = build.graph(build.addMany(op, inputs, outputs, attributes));
    const upgraded = upgrade(old);
    expect(upgraded.opset).toBe(17);
    expect(await run(upgraded)).toEqual(await run(old));
  });

  it('leaves a graph of set 17 or later as it is', () => {
    const graph = new GraphBuilder(undefined, 18).graph(['x']);
    expect(upgrade(graph)).toBe(graph);
  });

  it('refuses a set in which operations broadcast differently', () => {
    const graph = new GraphBuilder(undefined, 6).graph(['x']);
    expect(() => upgrade(graph)).toThrow(
      'Expected an ONNX model of operator set 7 or later, found 6; convert it with onnx.version_converter.',
    );
  });
});
