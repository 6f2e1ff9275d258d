/** Formulas on values, element by element with broadcasting: `f.mul(g, f.sub(1, f.mul(y, y)))`. Numbers stand for themselves. */

import type { GraphBuilder } from '../build.ts';
import { int } from '../graph.ts';

export type Term = string | number;
export type Algebra = ReturnType<typeof algebra>;

/** ONNX's number for the data type float32. */
const float32Type = 1;

export function algebra(build: GraphBuilder) {
  const operation =
    (op: string) =>
    (...terms: readonly Term[]): string =>
      build.add(
        op,
        terms.map((term) => (typeof term === 'number' ? build.scalar(term) : term)),
      );
  return {
    add: operation('Add'),
    sub: operation('Sub'),
    mul: operation('Mul'),
    div: operation('Div'),
    pow: operation('Pow'),
    neg: operation('Neg'),
    exp: operation('Exp'),
    log: operation('Log'),
    sqrt: operation('Sqrt'),
    sin: operation('Sin'),
    cos: operation('Cos'),
    tanh: operation('Tanh'),
    erf: operation('Erf'),
    sigmoid: operation('Sigmoid'),
    softplus: operation('Softplus'),
    abs: operation('Abs'),
    max: operation('Max'),
    equal: operation('Equal'),
    greater: operation('Greater'),
    less: operation('Less'),
    and: operation('And'),
    not: operation('Not'),
    /** Of a condition, or of two values that are broadcast to one shape. */
    where: operation('Where'),
    /** Iverson's bracket: 1 where the condition holds, 0 elsewhere. */
    bracket: (condition: string): string => build.add('Cast', [condition], { to: int(float32Type) }),
  };
}
