/**
 * The one type that all adjoint rules obey: (a forward node, the cotangents of its outputs) ⇒ the cotangents of its
 * inputs, written as ONNX operations with the builder. A cotangent of a value v is d objective / d v, shaped as v.
 */

import type { GraphBuilder } from '../build.ts';
import type { Node } from '../graph.ts';

/** How an engine wants operations with more than one good form. `indices`: MaxPool with indices; `compare`: Equal and Where. */
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
}

/** Returns per input of the node its cotangent's value name, or undefined for zero or not needed. */
export type Rule = (context: RuleContext) => readonly (string | undefined)[];
