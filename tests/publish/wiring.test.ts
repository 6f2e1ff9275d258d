import { describe, expect, it } from 'vitest';
import type { Graph } from '../../pipeline/network/graph.ts';
import type { Layer } from '../../pipeline/network/network.ts';
import { wiring } from '../../pipeline/publish/wiring.ts';

const node = (op: string, inputs: string[], output: string): Graph['nodes'][number] => ({
  op,
  name: output,
  inputs,
  outputs: [output],
  attributes: {},
});
const layer = (name: string): Layer => ({
  name,
  kind: 'conv',
  units: 1,
  output: `${name}.relu`,
  linear: name,
  unitAxis: 1,
});
const conv = (name: string, input: string): Graph['nodes'] => [
  node('Conv', [input, `${name}.weights`], name),
  node('Relu', [name], `${name}.relu`),
];

describe('what lies before a layer', () => {
  it('is the nearest layers, through pools and joints, and nothing behind them', () => {
    const nodes = [
      ...conv('stem', 'picture'),
      node('MaxPool', ['stem.relu'], 'pool'),
      ...conv('left', 'pool'),
      ...conv('right', 'pool'),
      node('Concat', ['left.relu', 'right.relu'], 'joint'),
      ...conv('head', 'joint'),
    ];
    const graph: Graph = { opset: 18, inputs: [], outputs: [], nodes, initializers: new Map() };
    const layers = ['stem', 'left', 'right', 'head'].map(layer);
    const before = [...wiring(graph, layers)].map(([{ name }, inputs]) => [
      name,
      inputs.map((one) => one.name),
    ]);
    expect(before).toEqual([
      ['stem', []],
      ['left', ['stem']],
      ['right', ['stem']],
      ['head', ['left', 'right']],
    ]);
  });
});
