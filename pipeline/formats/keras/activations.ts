/** Activation functions by their Keras names. Each: (builder, value, name of the result) ⇒ the result's value name. */

import type { GraphBuilder } from '../../network/build.ts';
import { float, int } from '../../network/graph.ts';
import { isObject, type Json } from '../json.ts';
import { LayerProblem } from './settings.ts';

type Activation = (build: GraphBuilder, x: string, name: string) => string;

const unary =
  (op: string): Activation =>
  (build, x, name) =>
    build.add(op, [x], {}, name);

const clip =
  (low: number, high: number): Activation =>
  (build, x, name) =>
    build.add('Clip', [x, build.scalar(low), build.scalar(high)], {}, name);

/** Keras: relu6(x + 3) / 6, which is ONNX' HardSigmoid with a slope of 1/6. */
const hardSigmoid: Activation = (build, x, name) =>
  build.add('HardSigmoid', [x], { alpha: float(1 / 6), beta: float(0.5) }, name);

/** Keras 1 and 2: clip(0.2 x + 0.5, 0, 1). */
const hardSigmoidOld: Activation = (build, x, name) =>
  build.add('HardSigmoid', [x], { alpha: float(0.2), beta: float(0.5) }, name);

const times =
  (gate: Activation): Activation =>
  (build, x, name) =>
    build.add('Mul', [x, gate(build, x, `${name}/gate`)], {}, name);

/** Hendrycks and Gimpel, "Gaussian Error Linear Units": x Φ(x), here with the error function. */
export const gelu: Activation = (build, x, name) => {
  const scaled = build.add('Mul', [x, build.scalar(Math.SQRT1_2)]);
  const error = build.add('Erf', [scaled]);
  const gate = build.add('Mul', [build.add('Add', [error, build.scalar(1)]), build.scalar(0.5)]);
  return build.add('Mul', [x, gate], {}, name);
};

/** The same paper's approximation by a hyperbolic tangent. */
export const geluTanh: Activation = (build, x, name) => {
  const cube = build.add('Mul', [build.add('Mul', [x, x]), x]);
  const inner = build.add('Add', [x, build.add('Mul', [cube, build.scalar(0.044715)])]);
  const tanh = build.add('Tanh', [build.add('Mul', [inner, build.scalar(Math.sqrt(2 / Math.PI))])]);
  const gate = build.add('Mul', [build.add('Add', [tanh, build.scalar(1)]), build.scalar(0.5)]);
  return build.add('Mul', [x, gate], {}, name);
};

/** Misra, "Mish: A Self Regularized Non-Monotonic Activation Function". */
export const mish: Activation = (build, x, name) =>
  build.add('Mul', [x, build.add('Tanh', [build.add('Softplus', [x])])], {}, name);

const table: Readonly<Record<string, Activation>> = {
  relu: unary('Relu'),
  relu6: clip(0, 6),
  leaky_relu: (build, x, name) => build.add('LeakyRelu', [x], { alpha: float(0.2) }, name),
  elu: (build, x, name) => build.add('Elu', [x], { alpha: float(1) }, name),
  celu: (build, x, name) => build.add('Celu', [x], { alpha: float(1) }, name),
  selu: unary('Selu'),
  gelu,
  gelu_tanh: geluTanh,
  silu: times(unary('Sigmoid')),
  swish: times(unary('Sigmoid')),
  mish,
  sigmoid: unary('Sigmoid'),
  log_sigmoid: (build, x, name) => build.add('Log', [build.add('Sigmoid', [x])], {}, name),
  tanh: unary('Tanh'),
  hard_tanh: clip(-1, 1),
  softplus: unary('Softplus'),
  softsign: unary('Softsign'),
  exponential: unary('Exp'),
  hard_sigmoid: hardSigmoid,
  hard_silu: times(hardSigmoid),
  hard_swish: times(hardSigmoid),
  hard_sigmoid_old: hardSigmoidOld,
};

/** The name of the activation that a setting holds: a name, an object with one, or null for none. */
export function activationName(setting: Json | undefined): string {
  if (setting === undefined || setting === null) return 'linear';
  if (typeof setting === 'string') return setting;
  if (isObject(setting)) {
    const config = setting['config'];
    if (typeof config === 'string') return config;
    if (typeof setting['class_name'] === 'string') return snake(setting['class_name']);
  }
  throw new LayerProblem('its activation is neither a name nor an object with a class name');
}

const snake = (name: string): string => {
  const plain = name.split('>').at(-1) ?? name;
  return plain.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
};

/**
 * Writes an activation function; `axis` is the graph's axis for softmax. Linear is the value itself.
 * @throws LayerProblem for a function that is not known.
 */
export function activate(
  build: GraphBuilder,
  activation: string,
  x: string,
  axis: number,
  name: string,
): string {
  if (activation === 'linear') return x;
  if (activation === 'softmax') return build.add('Softmax', [x], { axis: int(axis) }, name);
  if (activation === 'log_softmax') return build.add('LogSoftmax', [x], { axis: int(axis) }, name);
  const write = Object.hasOwn(table, activation) ? table[activation] : undefined;
  if (write === undefined) throw new LayerProblem(`its activation '${activation.slice(0, 80)}' is not known`);
  return write(build, x, name);
}
