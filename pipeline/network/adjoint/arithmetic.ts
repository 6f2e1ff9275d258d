/** Operations on two or more values that are broadcast to one shape: each cotangent is summed back to its input's shape. */

import { unbroadcast } from './linear-map.ts';
import { type Formula, type Rule, type Rules, rule, zero } from './rule.ts';

/** From what each input's cotangent is before it is summed back. */
const broadcast = (partials: (context: Formula, a: string, b: string) => readonly (() => string)[]): Rule =>
  rule((context) => {
    const { build, node, y, dims, needs } = context;
    const [a = '', b = ''] = node.inputs;
    return partials(context, a, b).map((partial, index) =>
      needs(index) ? unbroadcast(build, partial(), dims(y), dims(node.inputs[index] ?? '')) : undefined,
    );
  });

/** y is one of the inputs: the first that equals it takes what none before it took. */
const extremum = broadcast(({ f, g, y, node }) => {
  let rest = g;
  const taken = node.inputs.map((input, index) => {
    if (index === node.inputs.length - 1) return rest;
    const mine = f.mul(rest, f.bracket(f.equal(input, y)));
    rest = f.sub(rest, mine);
    return mine;
  });
  return taken.map((mine) => () => mine);
});

export const arithmetic: Rules = {
  Add: broadcast(({ g }) => [() => g, () => g]),
  Sub: broadcast(({ f, g }) => [() => g, () => f.neg(g)]),
  /** ā = ȳ·b; of a square 2·ȳ·a. */
  Mul: broadcast(({ f, g }, a, b) =>
    a === b ? [() => f.mul(f.mul(2, g), a)] : [() => f.mul(g, b), () => f.mul(g, a)],
  ),
  /** b̄ = -ȳ·a/b² = -ȳ·y/b, divided when it is summed back: b may be one number for many. */
  Div: rule(({ build, f, g, y, node, dims, needs }) => {
    const [a = '', b = ''] = node.inputs;
    const summed = (value: string, input: string): string => unbroadcast(build, value, dims(y), dims(input));
    return [
      needs(0) ? summed(f.div(g, b), a) : undefined,
      needs(1) ? f.neg(f.div(summed(f.mul(g, y), b), b)) : undefined,
    ];
  }),
  /** ā = ȳ·b·a^(b-1); b̄ = ȳ·y·ln a. */
  Pow: broadcast(({ build, f, g, y }, a, b) => [
    () => {
      const [exponent, ...others] = build.float32Constant(b)?.data ?? [];
      if (exponent === undefined || others.length > 0) return f.mul(g, f.mul(b, f.pow(a, f.sub(b, 1))));
      return f.mul(g, f.mul(exponent, exponent === 2 ? a : f.pow(a, exponent - 1)));
    },
    () => f.mul(g, f.mul(y, f.log(a))),
  ]),
  Sum: broadcast(({ g, node }) => node.inputs.map(() => () => g)),
  Mean: broadcast(({ f, g, node }) => node.inputs.map(() => () => f.div(g, node.inputs.length))),
  Max: extremum,
  Min: extremum,
  /** The condition has no derivative. */
  Where: rule(({ build, f, g, y, node, dims, needs }) => {
    const [condition = '', a = '', b = ''] = node.inputs;
    return [
      undefined,
      needs(1) ? unbroadcast(build, f.where(condition, g, 0), dims(y), dims(a)) : undefined,
      needs(2) ? unbroadcast(build, f.where(condition, 0, g), dims(y), dims(b)) : undefined,
    ];
  }),

  Equal: zero,
  Greater: zero,
  GreaterOrEqual: zero,
  Less: zero,
  LessOrEqual: zero,
  Sign: zero,
  Floor: zero,
  Ceil: zero,
  Round: zero,
};
