import { describe, expect, it } from 'vitest';
import { optimiserRule } from '../../pipeline/recipe/optimisers.ts';
import { optimiser } from '../../pipeline/recipe/schema.ts';
import { evaluate } from './evaluate.ts';

/** Where a parameter of two pictures with two values each goes from 0 at rate 0.1, given its gradients. */
async function climbed(settings: object, gradients: readonly (readonly number[])[]): Promise<number[]> {
  const rule = optimiserRule(optimiser.parse(settings));
  const dims = [2, 1, 1, 2];
  let parameter = [0, 0, 0, 0];
  let state = rule.state.map(() => [0, 0, 0, 0]);
  for (const [step, gradient] of gradients.entries()) {
    const feeds = [parameter, gradient, ...state].map((data) => [dims, data] as const);
    const scalars = rule.scalars.map(
      ({ at }) =>
        [
          [2, 1, 1, 1],
          [at(step), at(step)],
        ] as const,
    );
    const rate = [
      [2, 1, 1, 1],
      [0.1, 0.1],
    ] as const;
    const all = await evaluate([...feeds, ...scalars, rate], (build, [x = '', g = '', ...rest]) => {
      const next = rule.write(build, {
        parameter: x,
        gradient: g,
        count: 2,
        state: rest.slice(0, state.length),
        scalars: rest.slice(state.length, -1),
        rate: rest.at(-1) as string,
      });
      return build.add('Concat', [next.parameter, ...next.state], { axis: { kind: 'int', value: 0 } });
    });
    parameter = all.slice(0, 4);
    state = state.map((_, part) => all.slice(4 * (part + 1), 4 * (part + 2)));
  }
  return parameter;
}

const ones = [1, 1, 1, 1];

describe('optimisers', () => {
  it.each<[object, (readonly number[])[], number[]]>([
    [{ kind: 'plain' }, [[1, -2, 3, 0]], [0.1, -0.2, 0.3, 0]],
    [{ kind: 'plain', normalise: 'l2', normEpsilon: 0 }, [[3, 4, 0, -2]], [0.06, 0.08, 0, -0.1]],
    [
      { kind: 'plain', normalise: 'rms', normEpsilon: 0 },
      [[3, 4, 0, -2]],
      [0.06, 0.08, 0, -0.1].map((x) => x * Math.SQRT2),
    ],
    // v = 1, then 0.5 + 2
    [{ kind: 'momentum', decay: 0.5 }, [ones, [2, 2, 2, 2]], [0.35, 0.35, 0.35, 0.35]],
    // 1 + 0.5, then 2 + 0.5 · 2.5
    [{ kind: 'momentum', decay: 0.5, nesterov: true }, [ones, [2, 2, 2, 2]], [0.475, 0.475, 0.475, 0.475]],
    // v = 0.25 · 4, then 0.75, then 0.75² + 0.25 · 9
    [
      { kind: 'rmsprop', decay: 0.75 },
      [
        [2, -2, 2, 0],
        [0, 0, 0, 0],
        [3, 3, 0, 0],
      ],
      [0.2 + 0.3 / Math.sqrt(2.8125), -0.2 + 0.3 / Math.sqrt(2.8125), 0.2, 0],
    ],
    // Of a constant gradient m̂ = g and v̂ = g² at every step.
    [
      { kind: 'adam' },
      [
        [5, -5, 1e-3, 0],
        [5, -5, 1e-3, 0],
      ],
      [0.2, -0.2, 0.2, 0],
    ],
    // m = 0.1 and v = 0.001 after one step; then m = 0.09 - 0.1, v = 0.000999 + 0.001
    [{ kind: 'adam' }, [ones, [-1, -1, -1, -1]], new Array<number>(4).fill(0.1 + (0.1 * (-0.01 / 0.19)) / 1)],
    // 0.9 · 0.1 / (1 - 0.9²) + 0.1 / (1 - 0.9), then 0.9 · 0.19 / (1 - 0.9³) + 0.1 / (1 - 0.9²)
    [
      { kind: 'nadam' },
      [ones, ones],
      new Array<number>(4).fill(0.1 * (0.09 / 0.19 + 1) + 0.1 * (0.171 / 0.271 + 0.1 / 0.19)),
    ],
  ])('%j', async (settings, gradients, expected) => {
    const got = await climbed(settings, gradients);
    got.forEach((value, index) => void expect(value).toBeCloseTo(expected[index] as number, 5));
  });

  it('stay where they are without a gradient, whatever they divide by', async () => {
    for (const kind of ['plain', 'momentum', 'rmsprop', 'adam', 'nadam']) {
      for (const normalise of ['none', 'rms', 'l2']) {
        expect(await climbed({ kind, normalise }, [[0, 0, 0, 0]])).toEqual([0, 0, 0, 0]);
      }
    }
  });
});
