/**
 * The one type that all adjoint rules obey: (a forward node, the cotangents of its outputs) ⇒ the cotangents of its
 * inputs, written as ONNX operations with the builder. A cotangent of a value v is d objective / d v, shaped as v.
 */

import type { GraphBuilder } from '../build.ts';
import { type Node, size } from '../graph.ts';
import { type Algebra, algebra } from './algebra.ts';

/** How an engine wants operations with more than one good form. `indices`: MaxPool with indices; `compare`: Equal on shifted views. */
export interface Lowering {
  readonly maxPool: 'indices' | 'compare';
}

export interface RuleContext {
  readonly node: Node;
  /** Appends to the graph that holds the forward pass. */
  readonly build: GraphBuilder;
  /** Per output of the node: the cotangent's value name, or undefined where it is zero. At least one is defined. */
  readonly cotangents: readonly (string | undefined)[];
  /** The exact dims of a forward value. */
  dims(value: string): readonly number[];
  /** Whether the cotangent of input `index` is needed: rules skip work for the others and return undefined there. */
  needs(index: number): boolean;
  readonly lowering: Lowering;
  /** Throws the PhospheneError that names operation, node and layer, and gives the reason. */
  refuse(reason: string): never;
}

/** Returns per input of the node its cotangent's value name, or undefined for zero or not needed. */
export type Rule = (context: RuleContext) => readonly (string | undefined)[];

export type Rules = Readonly<Record<string, Rule>>;

/** What most rules are written in: y = op(x, …) with g the cotangent of y. */
export interface Formula extends RuleContext {
  readonly f: Algebra;
  readonly x: string;
  readonly y: string;
  readonly g: string;
}

/** A rule for operations of which only the first output can have a cotangent. */
export function rule(formula: (context: Formula) => readonly (string | undefined)[]): Rule {
  return (context) => {
    const { node, build, cotangents } = context;
    const [g, ...others] = cotangents;
    const extra = others.findIndex((other) => other !== undefined);
    if (g === undefined || extra >= 0) {
      return context.refuse(`the objective depends on its output ${extra + 1}, which has no rule`);
    }
    const [x = ''] = node.inputs;
    const [y = ''] = node.outputs;
    return formula({ ...context, f: algebra(build), x, y, g });
  };
}

/** A rule for operations whose weights are no part of the gradient: y = op(x, weights). */
export function ruleOfFirst(formula: (context: Formula) => string): Rule {
  return rule((context) => {
    const other = context.node.inputs.findIndex((_, index) => index > 0 && context.needs(index));
    if (other > 0) context.refuse(`the gradient of its input ${other} was asked for, which has no rule`);
    return [formula(context)];
  });
}

/** The rule of operations that are constant wherever they have a derivative. */
export const zero: Rule = () => [];

/** The values of an int64 or int32 input; undefined where the input is left out. */
export function integersOf(
  { node, build, refuse }: Pick<RuleContext, 'node' | 'build' | 'refuse'>,
  index: number,
): number[] | undefined {
  const name = node.inputs[index] ?? '';
  if (name === '') return undefined;
  const tensor = build.initializers.get(name);
  if (tensor?.type !== 'int64' && tensor?.type !== 'int32') {
    return refuse(`its input '${name}' is not a constant of whole numbers`);
  }
  return Array.from(tensor.data, Number);
}

/** An axis counted from 0, where -1 meant the last one. */
export function axisOf(axis: number, rank: number): number {
  return axis < 0 ? axis + rank : axis;
}

/** The numbers 0 … count - 1. */
export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** The dims with those before and after `axis` multiplied together: [outer, dims[axis], inner]. */
export function around(dims: readonly number[], axis: number): [number, number, number] {
  return [size(dims.slice(0, axis)), dims[axis] ?? 1, size(dims.slice(axis + 1))];
}
