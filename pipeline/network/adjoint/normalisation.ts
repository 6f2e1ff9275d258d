/** Normalisations: each value by statistics of its neighbours, and Softmax. */

import { floatOf, intOf, ints } from '../graph.ts';
import { reduce } from './linear-map.ts';
import { axisOf, type Formula, type Rules, range, ruleOfFirst } from './rule.ts';

/**
 * With x̂ = (x - mean) / √(variance + ε) over `axes`, and h the cotangent of x̂:
 * x̄ = (h - mean(h) - x̂ · mean(h · x̂)) / √(variance + ε).
 */
function throughStandardised(
  { build, f, x, node, dims }: Formula,
  h: string,
  axes: readonly number[],
): string {
  const count = axes.reduce((product, axis) => product * (dims(x)[axis] ?? 1), 1);
  const mean = (value: string): string => f.div(reduce(build, 'ReduceSum', value, axes), count);
  const centred = f.sub(x, mean(x));
  const deviation = f.sqrt(f.add(mean(f.mul(centred, centred)), floatOf(node, 'epsilon', 1e-5)));
  const standard = f.div(centred, deviation);
  return f.div(f.sub(f.sub(h, mean(h)), f.mul(standard, mean(f.mul(h, standard)))), deviation);
}

/** A value with one number a channel, shaped to be broadcast over [n, channel, …]. */
function perChannel({ build, x, dims }: Formula, value: string): string {
  return build.add('Reshape', [
    value,
    build.shape([
      -1,
      ...dims(x)
        .slice(2)
        .map(() => 1),
    ]),
  ]);
}

/** Σ of `value` along the axis of Softmax, kept as size 1. */
function along({ build, node, x, dims }: Formula, value: string): string {
  return reduce(build, 'ReduceSum', value, [axisOf(intOf(node, 'axis', -1), dims(x).length)]);
}

export const normalisation: Rules = {
  /** With fixed statistics: x̄ = ȳ · scale / √(variance + ε). */
  BatchNormalization: ruleOfFirst((context) => {
    const { f, g, node, refuse } = context;
    if (intOf(node, 'training_mode', 0) === 1) refuse('it is in training mode');
    const [, scale = '', , , variance = ''] = node.inputs;
    const factor = f.div(scale, f.sqrt(f.add(variance, floatOf(node, 'epsilon', 1e-5))));
    return f.mul(g, perChannel(context, factor));
  }),

  InstanceNormalization: ruleOfFirst((context) => {
    const { f, g, x, node, dims } = context;
    const scale = perChannel(context, node.inputs[1] ?? '');
    return throughStandardised(context, f.mul(g, scale), range(dims(x).length).slice(2));
  }),

  LayerNormalization: ruleOfFirst((context) => {
    const { f, g, x, node, dims } = context;
    const rank = dims(x).length;
    const axes = range(rank).slice(axisOf(intOf(node, 'axis', -1), rank));
    return throughStandardised(context, f.mul(g, node.inputs[1] ?? ''), axes);
  }),

  /**
   * y = x·s^-β with s = bias + α/n · Σ x² over n channels around: x̄ = ȳ·s^-β - 2αβ/n · x · Σ ȳ·y/s over the channels
   * that have this one around them, which for odd n are the same.
   */
  LRN: ruleOfFirst(({ build, f, g, x, y, node, dims, refuse }) => {
    const [batch = 1, channels = 1, ...image] = dims(x);
    const n = intOf(node, 'size', 1);
    const alpha = floatOf(node, 'alpha', 1e-4);
    const beta = floatOf(node, 'beta', 0.75);
    if (n % 2 === 0) refuse(`its size ${n} is even`);
    const pixels = image.reduce((product, dim) => product * dim, 1);
    const meanAround = (value: string): string => {
      const plane = build.add('Reshape', [value, build.shape([batch, 1, channels, pixels])]);
      const pooled = build.add('AveragePool', [plane], {
        kernel_shape: ints([n, 1]),
        pads: ints([(n - 1) / 2, 0, (n - 1) / 2, 0]),
        count_include_pad: { kind: 'int', value: 1 },
      });
      return build.add('Reshape', [pooled, build.shape(dims(x))]);
    };
    const s = f.add(floatOf(node, 'bias', 1), f.mul(alpha, meanAround(f.mul(x, x))));
    const back = f.mul(f.mul(2 * alpha * beta, x), meanAround(f.div(f.mul(g, y), s)));
    return f.sub(f.mul(g, f.pow(s, -beta)), back);
  }),

  /** x̄ = y · (ȳ - Σ ȳ·y). */
  Softmax: ruleOfFirst((context) => {
    const { f, g, y } = context;
    return f.mul(y, f.sub(g, along(context, f.mul(g, y))));
  }),

  /** x̄ = ȳ - e^y · Σ ȳ. */
  LogSoftmax: ruleOfFirst((context) => {
    const { f, g, y } = context;
    return f.sub(g, f.mul(f.exp(y), along(context, g)));
  }),
};
