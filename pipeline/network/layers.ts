/**
 * What of a graph is a layer: a value with units, followed from the operation that makes it (a convolution, a dense
 * product) through what belongs to it (bias, batch normalisation, scaling) to its activation function, fused or not.
 */

import type { Graph, Node } from './graph.ts';
import type { Layer, LayerKind } from './network.ts';

/** A value that counts units, as its operation gives it. */
export interface UnitValue {
  readonly name: string;
  readonly kind: LayerKind;
  readonly units: number;
  readonly value: string;
  readonly unitAxis: number;
}

const nonlinear = new Set([
  'Relu',
  'LeakyRelu',
  'PRelu',
  'Elu',
  'Selu',
  'Celu',
  'ThresholdedRelu',
  'Clip',
  'Sigmoid',
  'HardSigmoid',
  'HardSwish',
  'Tanh',
  'Softplus',
  'Softsign',
  'Mish',
  'Gelu',
  'Swish',
  'Erf',
  'Exp',
  'Log',
  'Abs',
  'Sqrt',
  'Pow',
  'Min',
  'Max',
  'Where',
  'Greater',
]);
const affine = new Set([
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Neg',
  'BatchNormalization',
  'Identity',
  'Dropout',
  'Cast',
]);
/** Operations that leave the values of scores as they are, or take their mean: what may lie between them and a softmax. */
const reshaping = new Set([
  'Flatten',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Identity',
  'Dropout',
  'Cast',
  'Transpose',
]);
const pooling = new Set(['GlobalAveragePool', 'GlobalMaxPool', 'AveragePool', 'ReduceMean', 'ReduceMax']);
const pooled = new Set([...reshaping, ...pooling, ...nonlinear]);
const squashing = new Set(['Softmax', 'LogSoftmax', 'Sigmoid']);

/** Scores are looked for behind this many of a graph's outputs. */
const mostOutputs = 32;
/** Longest run of nodes that is read as one activation function; GELU by a hyperbolic tangent has eight. */
const longestActivation = 16;

/** Which nodes make and take each value of a graph. */
class Wiring {
  readonly maker = new Map<string, Node>();
  readonly takers = new Map<string, Node[]>();
  readonly constants: ReadonlyMap<string, unknown>;
  readonly outputs: ReadonlySet<string>;

  constructor(graph: Graph) {
    this.constants = graph.initializers;
    this.outputs = new Set(graph.outputs);
    for (const node of graph.nodes) {
      for (const output of node.outputs) this.maker.set(output, node);
      for (const input of new Set(node.inputs)) {
        const takers = this.takers.get(input);
        if (takers === undefined) this.takers.set(input, [node]);
        else takers.push(node);
      }
    }
  }

  takersOf(value: string): readonly Node[] {
    return this.takers.get(value) ?? [];
  }
}

/**
 * The layers of a graph, in the order given. In a complete network the last of them becomes the class scores where
 * nothing but a softmax or a sigmoid lies between it and the graph's output; scores that are no layer's own value (a
 * mean of maps) become one, named as the softmax behind them.
 */
export function findLayers(
  graph: Graph,
  found: readonly UnitValue[],
  { complete }: { readonly complete: boolean },
): Layer[] {
  const wiring = new Wiring(graph);
  const layers = found.map((unit): Layer => ({ ...own(unit), ...followed(wiring, unit.value) }));
  return complete ? withScores(wiring, graph, layers) : layers;
}

const own = ({ name, kind, units, unitAxis }: UnitValue) => ({ name, kind, units, unitAxis });

/** Follows a value to what its layer gives before and after the activation function. */
function followed(wiring: Wiring, value: string): { linear: string; output: string } {
  let linear = value;
  for (;;) {
    const region = closedRegion(wiring, linear);
    if (region === undefined) return { linear, output: linear };
    if (region.nonlinear) return { linear, output: region.end };
    linear = region.end;
  }
}

/**
 * The fewest elementwise operations behind `start` that depend on nothing else but constants and come together in one
 * value again: one Relu, or the Sigmoid and the Mul of a swish.
 */
function closedRegion(wiring: Wiring, start: string): { end: string; nonlinear: boolean } | undefined {
  if (wiring.outputs.has(start)) return undefined;
  const inside = new Set([start]);
  const absorbed = new Set<Node>();
  let isNonlinear = false;
  while (absorbed.size < longestActivation) {
    const open = [...inside].filter(
      (value) => wiring.outputs.has(value) || wiring.takersOf(value).some((node) => !absorbed.has(node)),
    );
    const [end] = open;
    if (absorbed.size > 0 && open.length === 1 && end !== undefined && end !== start) {
      return { end, nonlinear: isNonlinear };
    }
    const next = open
      .flatMap((value) => wiring.takersOf(value))
      .find((node) => !absorbed.has(node) && absorbable(wiring, node, inside));
    if (next === undefined) {
      // The last value of all: nothing takes it.
      const last = [...inside].filter((value) => wiring.takersOf(value).length === 0);
      const [only] = last;
      const done = open.length === 0 && last.length === 1 && only !== undefined && only !== start;
      return done ? { end: only, nonlinear: isNonlinear } : undefined;
    }
    absorbed.add(next);
    isNonlinear ||= nonlinear.has(next.op);
    for (const output of next.outputs) if (output !== '') inside.add(output);
  }
  return undefined;
}

function absorbable(wiring: Wiring, node: Node, inside: ReadonlySet<string>): boolean {
  if (!nonlinear.has(node.op) && !affine.has(node.op)) return false;
  return node.inputs.every((input) => input === '' || inside.has(input) || wiring.constants.has(input));
}

function withScores(wiring: Wiring, graph: Graph, layers: readonly Layer[]): Layer[] {
  for (const output of graph.outputs.slice(0, mostOutputs)) {
    const end = skipBack(wiring, output, reshaping);
    const maker = wiring.maker.get(end);
    const squash = maker !== undefined && squashing.has(maker.op) ? maker : undefined;
    const before = squash?.inputs[0] ?? end;
    const plain = skipBack(wiring, before, reshaping);
    const index = layers.findLastIndex(({ output, linear }) => output === plain || linear === plain);
    const layer = layers[index];
    if (layer !== undefined) {
      // A softmax over the channels of a whole map labels pixels; a map that is flattened first has one place only.
      const classifies = layer.kind === 'dense' || (squash !== undefined && before !== plain);
      if (layer.units < 2 || layer.unitAxis !== 1 || !classifies) continue;
      if (layer.kind !== 'dense') {
        return layers.with(index, { ...layer, kind: 'scores', output: before, linear: before, unitAxis: 1 });
      }
      const linear = layer.output === plain ? layer.linear : plain;
      return layers.with(index, { ...layer, kind: 'scores', output: plain, linear });
    }
    if (squash === undefined || squash.op === 'Sigmoid') continue;
    const source = skipBack(wiring, plain, pooled);
    const counted = layers.find(({ output, linear }) => output === source || linear === source);
    if (counted === undefined || counted.units < 2) continue;
    const { units } = counted;
    return [...layers, { name: end, kind: 'scores', units, output: before, linear: before, unitAxis: 1 }];
  }
  return [...layers];
}

/** The value from which `value` was made by operations of these kinds alone. */
function skipBack(wiring: Wiring, value: string, ops: ReadonlySet<string>): string {
  let at = value;
  for (;;) {
    const node = wiring.maker.get(at);
    const input = node?.inputs[0];
    if (node === undefined || input === undefined || !ops.has(node.op)) return at;
    at = input;
  }
}
