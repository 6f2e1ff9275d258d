/** Writing graphs: a builder that appends nodes, and gives every value a name of its own. */

import {
  type Attribute,
  type Float32Tensor,
  float32,
  type Graph,
  type GraphInput,
  int,
  int64,
  type Node,
  type Tensor,
} from './graph.ts';

export class GraphBuilder {
  readonly #inputs: GraphInput[];
  readonly #initializers: Map<string, Tensor>;
  readonly #nodes: Node[];
  readonly #taken: Set<string>;
  readonly #constants = new Map<string, string>();
  readonly #opset: number;
  readonly #counters = new Map<string, number>();

  /** Starts empty, or as a copy of `from` that grows while `from` stays as it is. */
  constructor(from?: Graph, opset = 17) {
    this.#opset = from?.opset ?? opset;
    this.#inputs = [...(from?.inputs ?? [])];
    this.#initializers = new Map(from?.initializers);
    this.#nodes = [...(from?.nodes ?? [])];
    this.#taken = new Set([
      ...this.#inputs.map((input) => input.name),
      ...this.#initializers.keys(),
      ...this.#nodes.flatMap((node) => node.outputs),
    ]);
  }

  get opset(): number {
    return this.#opset;
  }
  get inputs(): readonly GraphInput[] {
    return this.#inputs;
  }
  get nodes(): readonly Node[] {
    return this.#nodes;
  }
  get initializers(): ReadonlyMap<string, Tensor> {
    return this.#initializers;
  }

  /** A name no value has yet: `hint`, or `hint_2`, `hint_3` … */
  fresh(hint: string): string {
    let name = hint;
    let count = this.#counters.get(hint) ?? 1;
    while (this.#taken.has(name)) name = `${hint}_${++count}`;
    this.#counters.set(hint, count);
    this.#taken.add(name);
    return name;
  }

  /** Declares a graph input under a fresh name made from `hint` and returns that name. */
  input(hint: string, dims: GraphInput['dims'], type: GraphInput['type'] = 'float32'): string {
    const name = this.fresh(hint);
    this.#inputs.push({ name, type, dims });
    return name;
  }

  /** Adds an initializer under a fresh name made from `hint` and returns that name. */
  constant(tensor: Tensor, hint = 'constant'): string {
    const name = this.fresh(hint);
    this.#initializers.set(name, tensor);
    return name;
  }

  /** A rank-0 float constant; equal values share one initializer. */
  scalar(value: number): string {
    return this.shared(`f${value}`, () => float32([], [value]), 'scalar');
  }

  /** A rank-1 int64 constant; equal values share one initializer. */
  shape(values: readonly number[]): string {
    return this.shared(`i${values.join(',')}`, () => int64(values), 'shape');
  }

  /** A constant [1, C, 1, 1], one number a channel of an [N, C, H, W] value. */
  perChannel(values: readonly number[]): string {
    return this.constant(float32([1, values.length, 1, 1], values), 'channels');
  }

  /** The constant of this key, which is made once: a key says all that the constant depends on. */
  shared(key: string, make: () => Tensor, hint: string): string {
    let name = this.#constants.get(key);
    if (name === undefined) {
      name = this.constant(make(), hint);
      this.#constants.set(key, name);
    }
    return name;
  }

  /** The initializer of this name if it is a float32 constant, else undefined. */
  float32Constant(name: string): Float32Tensor | undefined {
    const tensor = this.#initializers.get(name);
    return tensor?.type === 'float32' ? tensor : undefined;
  }

  /** Appends a node with one output and returns the output's name (made from `hint`, by default the operator's). */
  add(
    op: string,
    inputs: readonly string[],
    attributes: Node['attributes'] = {},
    hint = op.toLowerCase(),
  ): string {
    return this.addMany(op, inputs, 1, attributes, hint)[0] as string;
  }

  /**
   * The mean of an [N, C, H, W] value over its maps, [N, C, 1, 1], or over a whole picture, [N, 1, 1, 1]. By pooling:
   * a reduction's rounding depends on where in memory a picture starts, and so on which others share its batch.
   */
  mean(value: string, over: 'map' | 'picture'): string {
    const rows = over === 'map' ? value : this.add('Reshape', [value, this.shape([0, 1, -1, 1])]);
    return this.add('GlobalAveragePool', [rows]);
  }

  /** The sum over `axes`, which stay with size 1. */
  sum(value: string, axes: readonly number[]): string {
    return this.add('ReduceSum', [value, this.shape(axes)], { keepdims: int(1) });
  }

  /** Appends a node with `count` outputs and returns their names. */
  addMany(
    op: string,
    inputs: readonly string[],
    count: number,
    attributes: Readonly<Record<string, Attribute>> = {},
    hint = op.toLowerCase(),
  ): string[] {
    const outputs = Array.from({ length: count }, () => this.fresh(hint));
    this.#nodes.push({ op, name: outputs[0] ?? hint, inputs, outputs, attributes });
    return outputs;
  }

  /** Appends a node as it is, its outputs under the names it gives. @throws Error if one of them is taken. */
  append(node: Node): void {
    for (const output of node.outputs) {
      if (output === '') continue;
      if (this.#taken.has(output)) throw new Error(`The graph already has a value named '${output}'`);
      this.#taken.add(output);
    }
    this.#nodes.push(node);
  }

  /**
   * The name of output `index` of a node that is in the graph; if the node left that optional output out, it gets it.
   * @throws Error if the graph has no such node.
   */
  output(node: Node, index: number): string {
    const place = this.#nodes.findIndex(({ outputs }) => outputs[0] === node.outputs[0]);
    const found = this.#nodes[place];
    if (found === undefined) throw new Error(`The graph has no node '${node.name}'`);
    const outputs = Array.from({ length: Math.max(index + 1, found.outputs.length) }, (_, k) => {
      return found.outputs[k] ?? '';
    });
    outputs[index] ||= this.fresh(`${node.name}_${index}`);
    this.#nodes[place] = { ...found, outputs };
    return outputs[index];
  }

  /** The graph as it now stands; `outputs` are the values that a run shall return. */
  graph(outputs: readonly string[]): Graph {
    return {
      opset: this.#opset,
      inputs: [...this.#inputs],
      outputs: [...outputs],
      initializers: new Map(this.#initializers),
      nodes: [...this.#nodes],
    };
  }
}
