/**
 * What runs a graph. An engine compiles a graph to a program; a program maps named values to named values.
 * Values may live on a device: they are opaque here, made by `upload` or by a run, read by `download`.
 */

import type { Lowering } from '../network/adjoint/rule.ts';
import type { Graph, Tensor } from '../network/graph.ts';
import type { TimesOf } from '../network/lowering/choose.ts';
import type { ConvolutionShape } from '../network/lowering/lower.ts';

declare const onEngine: unique symbol;
/** A tensor where the engine keeps it. Feed it only to programs of the engine that made it. */
export interface Value {
  readonly [onEngine]: true;
}

export interface Program {
  /** One run. Every input of the graph must be fed. Returns all outputs of the graph. */
  run(feeds: ReadonlyMap<string, Value>): Promise<ReadonlyMap<string, Value>>;
  /** Frees what the program holds; it cannot run any more. */
  release(): Promise<void>;
}

/** What an engine need not take exactly, where that is faster. */
export interface Liberties {
  /**
   * Of several largest values in the window of a pooling each may get its cotangent, where else the first gets it. On
   * pictures with flat places, or where a Relu before the pooling lets pass what is below 0, this is another ascent.
   */
  readonly allWinners?: boolean;
}

export interface Engine {
  readonly name: 'cpu' | 'webgpu' | 'cuda' | 'tfjs';
  /** The device in words, e.g. the processor's model name. */
  readonly device: string;
  /** Which form of an operation's adjoint this engine runs best. */
  readonly lowering: Lowering;
  /** How long these convolutions take, plain and by Winograd's way; all stay plain where it is not there. */
  convolutionTimes?(shapes: readonly ConvolutionShape[]): Promise<TimesOf>;
  /** The most copies of a graph that it runs side by side; 1 where it is not there. */
  readonly copies?: number;
  /**
   * @param copies Runs the graph so many times side by side. Its inputs and outputs must be float32 and have a row a
   * picture; the program takes and gives so many times as many.
   * @throws PhospheneError naming the operation that the engine cannot run.
   */
  compile(graph: Graph, liberties?: Liberties, copies?: number): Promise<Program>;
  upload(tensor: Tensor): Value;
  download(value: Value): Promise<Tensor>;
  /** Frees values that nobody needs any more: they may not be fed or downloaded again. */
  free(values: Iterable<Value>): void;
  /** The engine for what is run once and read whole, as to learn the sizes of values; itself where there is none. */
  readonly host?: Engine;
}

/**
 * In how many copies of a graph so many pictures climb: in the most that share them out evenly.
 * @param most Of the engine.
 * @param fewest Pictures of a copy.
 */
export function copiesOf(pictures: number, most = 1, fewest = 1): number {
  const all = Array.from({ length: Math.min(most, Math.floor(pictures / fewest)) }, (_, less) => less + 1);
  return all.findLast((copies) => pictures % copies === 0) ?? 1;
}
