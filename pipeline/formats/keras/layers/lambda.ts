/**
 * Lambda layers hold Python code, which is never run: what one computes is told by an expression of x, as in
 * `x / 127.5 - 1`. Numbers, x, + - * / **, parentheses, and functions of one value.
 */

import type { GraphBuilder } from '../../../network/build.ts';
import { LayerProblem } from '../settings.ts';
import { onlyInput, type WriteLayer } from './layer.ts';

const functions: Readonly<Record<string, string>> = {
  abs: 'Abs',
  exp: 'Exp',
  log: 'Log',
  relu: 'Relu',
  sigmoid: 'Sigmoid',
  sqrt: 'Sqrt',
  tanh: 'Tanh',
};
const longest = 1000;
const deepest = 50;

/** A layer that computes the expression. @throws LayerProblem where it is none. */
export const lambda =
  (expression: string): WriteLayer =>
  (call) => {
    const input = onlyInput(call);
    const value = writeExpression(call.build, expression, input.value);
    const named = call.build.add('Identity', [value], {}, call.name);
    return { ...input, value: named };
  };

function writeExpression(build: GraphBuilder, expression: string, x: string): string {
  const fail = (expected: string): never => {
    throw new LayerProblem(`its expression '${expression.slice(0, 80)}' is not understood: ${expected}`);
  };
  if (expression.length > longest) fail(`it is longer than ${longest} characters`);
  const tokens = expression.match(/\d+\.?\d*(e[+-]?\d+)?|\.\d+(e[+-]?\d+)?|[a-z]+|\*\*|[-+*/()]|\S/gi) ?? [];
  let at = 0;
  let depth = 0;
  const next = (...wanted: readonly string[]): string | undefined => {
    const token = tokens[at];
    if (token === undefined || !wanted.includes(token)) return undefined;
    at++;
    return token;
  };
  const closed = (): string => {
    const inner = sum();
    if (next(')') === undefined) fail("a ')' is missing");
    return inner;
  };
  const atom = (): string => {
    const token = tokens[at++];
    if (token === undefined) return fail('it ends too early');
    if (token === 'x') return x;
    if (token === '(') return closed();
    if (/^[\d.]/.test(token)) return build.scalar(Number(token));
    const op = Object.hasOwn(functions, token) ? functions[token] : undefined;
    if (op === undefined || next('(') === undefined) {
      return fail(`'${token}' is none of a number, x, and ${Object.keys(functions).join('(), ')}()`);
    }
    return build.add(op, [closed()]);
  };
  const signed = (): string => {
    if (++depth > deepest) fail('it is nested too deep');
    const negative = next('-', '+') === '-';
    const base = tokens[at] === '-' || tokens[at] === '+' ? signed() : power();
    depth--;
    return negative ? build.add('Mul', [base, build.scalar(-1)]) : base;
  };
  const power = (): string => {
    const base = atom();
    return next('**') === undefined ? base : build.add('Pow', [base, signed()]);
  };
  const chain = (part: () => string, ops: Readonly<Record<string, string>>): string => {
    let value = part();
    for (;;) {
      const token = next(...Object.keys(ops));
      if (token === undefined) return value;
      value = build.add(ops[token] as string, [value, part()]);
    }
  };
  const product = (): string => chain(signed, { '*': 'Mul', '/': 'Div' });
  const sum = (): string => chain(product, { '+': 'Add', '-': 'Sub' });
  const value = sum();
  if (at < tokens.length) fail(`'${tokens[at]}' is not expected`);
  return value;
}
