/**
 * Activations and other functions of one number: y = φ(x), so x̄ = ȳ · φ′(x). Where φ′ can be told from y it is, so that
 * engines may fuse an activation with what is before it and need not keep x.
 */

import { floatOf, type Node, textOf } from '../graph.ts';
import type { Algebra, Term } from './algebra.ts';
import { unbroadcast } from './linear-map.ts';
import { type Rule, type Rules, rule, ruleOfFirst } from './rule.ts';

interface Point {
  readonly f: Algebra;
  readonly x: string;
  readonly y: string;
  readonly node: Node;
}

/** From φ′ at (x, y). */
const slope = (derivative: (point: Point) => Term): Rule =>
  rule(({ g, ...point }) => [point.f.mul(g, derivative(point))]);

/** Of functions with the sign of x: 1 above 0, else what `below` gives. */
const oneAbove0 = (below: (point: Point) => Term): Rule =>
  slope((point) => point.f.where(point.f.greater(point.y, 0), 1, below(point)));

const selu = { alpha: 1.6732631921768188, gamma: 1.0507010221481323 };

/** √(2/π) and the cubic term of Gelu's tanh form (Hendrycks and Gimpel, 2016). */
const tanhGelu = { factor: Math.sqrt(2 / Math.PI), cubic: 0.044715 };

export const activation: Rules = {
  /** [y > 0]: at 0 it is 0. */
  Relu: slope(({ f, y }) => f.bracket(f.greater(y, 0))),

  LeakyRelu: slope(({ f, x, y, node }) => {
    const alpha = floatOf(node, 'alpha', 0.01);
    return f.where(f.greater(alpha < 0 ? x : y, 0), 1, alpha);
  }),

  /** y = x above 0, else s·x; s̄ = ȳ · min(x, 0). */
  PRelu: rule(({ build, f, g, x, node, needs, dims }) => {
    const slopes = node.inputs[1] ?? '';
    const above = f.greater(x, 0);
    return [
      needs(0) ? f.mul(g, f.where(above, 1, slopes)) : undefined,
      needs(1) ? unbroadcast(build, f.mul(g, f.where(above, 0, x)), dims(x), dims(slopes)) : undefined,
    ];
  }),

  /** Below 0: α·eˣ = y + α. */
  Elu: oneAbove0(({ f, y, node }) => f.add(y, floatOf(node, 'alpha', 1))),

  /** γ above 0, below it γ·α·eˣ = y + γ·α. */
  Selu: slope(({ f, y, node }) => {
    const gamma = floatOf(node, 'gamma', selu.gamma);
    return f.where(f.greater(y, 0), gamma, f.add(y, gamma * floatOf(node, 'alpha', selu.alpha)));
  }),

  /** Below 0: e^(x/α) = y/α + 1. */
  Celu: oneAbove0(({ f, y, node }) => f.add(f.div(y, floatOf(node, 'alpha', 1)), 1)),

  ThresholdedRelu: slope(({ f, x, node }) => f.bracket(f.greater(x, floatOf(node, 'alpha', 1)))),

  /** 1 where nothing was clipped: from the lower to the upper bound, both included; 0 beyond. */
  Clip: ruleOfFirst(({ f, g, x, y }) => f.mul(g, f.bracket(f.equal(x, y)))),

  Sigmoid: slope(({ f, y }) => f.mul(y, f.sub(1, y))),

  /** y = max(0, min(1, α·x + β)). */
  HardSigmoid: slope(({ f, y, node }) =>
    f.mul(floatOf(node, 'alpha', 0.2), f.bracket(f.and(f.greater(y, 0), f.less(y, 1)))),
  ),

  /** y = x·max(0, min(1, x/6 + ½)): 0 up to -3, 1 from 3 on, between them x/3 + ½. */
  HardSwish: slope(({ f, x }) =>
    f.where(f.less(f.abs(x), 3), f.add(f.div(x, 3), 0.5), f.bracket(f.greater(x, 0))),
  ),

  Tanh: slope(({ f, y }) => f.sub(1, f.mul(y, y))),

  /** ln(1 + eˣ)′ = σ(x). */
  Softplus: slope(({ f, x }) => f.sigmoid(x)),

  /** (x / (1 + |x|))′ = 1 / (1 + |x|)². */
  Softsign: slope(({ f, x }) => {
    const d = f.add(1, f.abs(x));
    return f.div(1, f.mul(d, d));
  }),

  /** y = x·t with t = tanh(softplus(x)): t + x·(1 - t²)·σ(x). */
  Mish: slope(({ f, x }) => {
    const t = f.tanh(f.softplus(x));
    return f.add(t, f.mul(f.mul(x, f.sub(1, f.mul(t, t))), f.sigmoid(x)));
  }),

  /** y = x·Φ(x): Φ + x·Φ′, with Φ the normal distribution's or its tanh form. */
  Gelu: slope(({ f, x, node }) => {
    const x2 = f.mul(x, x);
    if (textOf(node, 'approximate', 'none') === 'tanh') {
      const { factor, cubic } = tanhGelu;
      const t = f.tanh(f.mul(factor, f.mul(x, f.add(1, f.mul(cubic, x2)))));
      const inner = f.mul(factor, f.add(1, f.mul(3 * cubic, x2)));
      return f.mul(0.5, f.add(f.add(1, t), f.mul(f.mul(x, f.sub(1, f.mul(t, t))), inner)));
    }
    const distribution = f.mul(0.5, f.add(1, f.erf(f.mul(x, Math.SQRT1_2))));
    const density = f.mul(1 / Math.sqrt(2 * Math.PI), f.exp(f.mul(-0.5, x2)));
    return f.add(distribution, f.mul(x, density));
  }),

  Exp: slope(({ y }) => y),
  Log: rule(({ f, g, x }) => [f.div(g, x)]),
  Sqrt: rule(({ f, g, y }) => [f.div(f.mul(0.5, g), y)]),
  Reciprocal: slope(({ f, y }) => f.neg(f.mul(y, y))),
  Neg: rule(({ f, g }) => [f.neg(g)]),
  Abs: slope(({ f, x }) => f.sub(f.bracket(f.greater(x, 0)), f.bracket(f.less(x, 0)))),
  Erf: slope(({ f, x }) => f.mul(2 / Math.sqrt(Math.PI), f.exp(f.neg(f.mul(x, x))))),
  Sin: slope(({ f, x }) => f.cos(x)),
  Cos: slope(({ f, x }) => f.neg(f.sin(x))),

  Identity: rule(({ g }) => [g]),
  /** Passes everything on when a network is run, not trained. */
  Dropout: rule(({ g, node, refuse }) => {
    const training = node.inputs[2] ?? '';
    return training === '' ? [g] : refuse('it can be switched to training mode');
  }),
};
