/** Lambda layers: Python code in the file, an expression in its place. */

import { describe, expect, it } from 'vitest';
import { loadNetwork } from '../../pipeline/formats/index.ts';
import { GraphBuilder } from '../../pipeline/network/build.ts';
import { float32 } from '../../pipeline/network/graph.ts';
import type { Network } from '../../pipeline/network/network.ts';
import { encodeModel } from '../../pipeline/network/onnx.ts';
import { valuesOf } from './cases.ts';

const layer = (class_name: string, config: object): object => ({ class_name, config });

/** A convolution that copies its pixel, a Lambda, and another convolution. */
function load(lambdas?: Record<string, string>): Promise<Network> {
  const conv = { filters: 1, kernel_size: [1, 1], use_bias: false };
  const model = {
    modelTopology: {
      keras_version: '2.4.0',
      model_config: layer('Sequential', {
        layers: [
          layer('Conv2D', { name: 'first', ...conv, batch_input_shape: [null, 1, 1, 1] }),
          layer('Lambda', { name: 'f', function: ['4wEAAAA=', null, null] }),
          layer('Conv2D', { name: 'second', ...conv }),
        ],
      }),
    },
    weightsManifest: [
      {
        paths: ['w'],
        weights: ['first', 'second'].map((name) => ({
          name: `${name}/kernel`,
          shape: [1, 1, 1, 1],
          dtype: 'float32',
        })),
      },
    ],
  };
  const file = {
    name: 'model.json',
    bytes: new TextEncoder().encode(JSON.stringify(model)),
    sibling: async () => new Uint8Array(Float32Array.of(1, 1).buffer),
  };
  return loadNetwork(file, { lambdas });
}

describe('a Lambda layer', () => {
  it.each([
    ['x', 3, 3],
    ['x / 127.5 - 1', 255, 1],
    ['(x + 2) * 3', 1, 9],
    ['2 - x - 1', 5, -4],
    ['-x ** 2', 3, -9],
    ['2 ** 3 ** 1 * x', 1, 8],
    ['.5*x+1e1', 4, 12],
    ['relu(-x) + abs(-x)', 4, 4],
    ['sigmoid(0 * x)', 1, 0.5],
    ['sqrt(exp(log(x)))', 9, 3],
  ])('is computed by its expression %j: at %d it is %d', async (expression, x, expected) => {
    const network = await load({ f: expression });
    const value = (await valuesOf(network, float32([1, 1, 1, 1], [x]), ['f'])).get('f');
    expect(value?.data[0]).toBeCloseTo(expected, 5);
    expect(network.gaps).toEqual([]);
  });

  it('without an expression is a gap that says how to give one; what comes before it is there', async () => {
    const network = await load();
    expect(network.layers.map(({ name }) => name)).toEqual(['first']);
    expect(network.gaps).toEqual([
      {
        layer: 'f',
        reason:
          'Layer \'f\' of class Lambda cannot be computed: it holds Python code, which is not run; say what it computes, e.g. --lambda \'f=x / 127.5 - 1\', or in the content file "lambdas": {"f": "x / 127.5 - 1"}.',
      },
      {
        layer: 'second',
        reason: "Layer 'second' cannot be computed: it comes after 'f', which cannot be computed.",
      },
    ]);
  });

  it('of an ONNX model does not exist either', async () => {
    const build = new GraphBuilder();
    const graph = build.graph([build.add('Relu', [build.input('x', [1, 1, 2, 2])])]);
    const file = { name: 'model.onnx', bytes: encodeModel(graph), sibling: async () => new Uint8Array() };
    await expect(loadNetwork(file, { lambdas: { f: '2 * x' } })).rejects.toThrow(
      "Expected the expression of a Lambda layer of 'model.onnx', found one of 'f'; an ONNX model has none, leave the expression out",
    );
  });

  it('that does not exist has no expression', async () => {
    await expect(load({ g: 'x' })).rejects.toMatchObject({
      exitCode: 2,
      message:
        "Expected the expression of a Lambda layer of 'model.json', found one of 'g'; did you mean 'f'?",
    });
    await expect(load({ second: 'x' })).rejects.toThrow("found one of 'second'; known: f");
  });

  it.each([
    ['y + 1', "'y' is none of a number, x, and abs(), exp(), log(), relu(), sigmoid(), sqrt(), tanh()"],
    ['x +', 'it ends too early'],
    ['(x', "a ')' is missing"],
    ['x x', "'x' is not expected"],
    ['__import__(x)', "'_' is none of"],
    ['constructor(x)', "'constructor' is none of"],
    [`${'('.repeat(100)}x${')'.repeat(100)}`, 'it is nested too deep'],
    ['x'.repeat(1001), 'it is longer than 1000 characters'],
  ])('with the expression %j is a gap that says what is wrong', async (expression, why) => {
    const { gaps } = await load({ f: expression });
    expect(gaps[0]?.reason).toContain(why);
    expect(gaps[0]?.reason.length).toBeLessThan(300);
  });
});
