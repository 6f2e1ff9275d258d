/** What a network does with its input before anything else: the numbers that it is made to take show in it. */

import { floatOf, type Graph, type Node, type Tensor } from './graph.ts';
import type { Network } from './network.ts';

/** The scaling to its own liking that a network begins with: factor · (x − zero), over all channels on average. */
export interface OwnScaling {
  readonly zero: number;
  readonly factor: number;
}

const unchanging = new Set(['Identity', 'Transpose', 'Cast', 'Pad', 'Dropout']);

/** The scaling by constants that the network's input goes through first; undefined where there is none. */
export function ownScaling({ graph, input }: Pick<Network, 'graph' | 'input'>): OwnScaling | undefined {
  let [factor, shift] = [1, 0];
  let found = false;
  let value = input.name;
  for (;;) {
    const [node, other] = graph.nodes.filter(({ inputs }) => inputs.includes(value));
    if (node === undefined || other !== undefined) break;
    const step = unchanging.has(node.op) ? { times: 1, plus: 0 } : stepOf(node, value, graph);
    if (step === undefined) break;
    found ||= !unchanging.has(node.op);
    factor *= step.times;
    shift = shift * step.times + step.plus;
    value = node.outputs[0] ?? '';
  }
  return found && factor !== 0 ? { zero: -shift / factor, factor } : undefined;
}

/** What an operation does to a number on average: times · x + plus. */
function stepOf(
  node: Node,
  value: string,
  { initializers }: Graph,
): { times: number; plus: number } | undefined {
  const constant = (place: number): number | undefined => meanOf(initializers.get(node.inputs[place] ?? ''));
  const isFirst = node.inputs[0] === value;
  const other = constant(isFirst ? 1 : 0);
  switch (node.op) {
    case 'Add':
      return other === undefined ? undefined : { times: 1, plus: other };
    case 'Sub':
      if (other === undefined) return undefined;
      return isFirst ? { times: 1, plus: -other } : { times: -1, plus: other };
    case 'Mul':
      return other === undefined ? undefined : { times: other, plus: 0 };
    case 'Div':
      return other === undefined || !isFirst ? undefined : { times: 1 / other, plus: 0 };
    case 'BatchNormalization': {
      // Scale and bias come after it has brought the input into range: they are the network's own affair.
      const [mean, variance] = [constant(3), constant(4)];
      if (mean === undefined || variance === undefined) return undefined;
      const times = 1 / Math.sqrt(variance + floatOf(node, 'epsilon', 1e-5));
      return { times, plus: -mean * times };
    }
    default:
      return undefined;
  }
}

function meanOf(tensor: Tensor | undefined): number | undefined {
  if (tensor?.type !== 'float32' || tensor.data.length === 0) return undefined;
  return tensor.data.reduce((sum, each) => sum + each, 0) / tensor.data.length;
}
