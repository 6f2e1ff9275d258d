/**
 * TensorFlow.js as an engine: the same graphs, interpreted node by node. Values stay where its backend keeps them, and
 * those inside a run are freed after their last use.
 */

import type { Tensor as TfTensor } from '@tensorflow/tfjs-core';
import { PhospheneError } from '../../error.ts';
import type { Graph, Node, Tensor } from '../../network/graph.ts';
import type { Engine, Program, Value } from '../engine.ts';
import { commonForms, inOperationsOf } from '../forms.ts';
import { cpuEngine } from '../onnxruntime.ts';
import { Held } from './held.ts';
import type { Operation, Operations } from './operation.ts';
import { algebraOperations } from './operations/algebra.ts';
import { placewiseOperations } from './operations/placewise.ts';
import { shapeOperations } from './operations/shape.ts';
import { windowOperations } from './operations/windows.ts';
import { loadTfjs, type TensorFlow } from './package.ts';

const operations: Operations = {
  ...placewiseOperations,
  ...windowOperations,
  ...algebraOperations,
  ...shapeOperations,
};

const toValue = (held: Held): Value => held as unknown as Value;
const toHeld = (value: Value): Held => value as unknown as Held;

/** @throws PhospheneError where none of its packages can be loaded. */
export async function tfjsEngine(): Promise<Engine> {
  const { tf, device } = await loadTfjs();
  const upload = (tensor: Tensor): Held => new Held(tf, toTensor(tf, tensor));
  return {
    name: 'tfjs',
    device,
    lowering: { maxPool: 'compare' },
    host: cpuEngine(),
    upload: (tensor) => toValue(upload(tensor)),
    download: async (value) => read(toHeld(value)),
    free(values) {
      for (const value of values) toHeld(value).dispose();
    },
    compile: async (graph) => compile(tf, inOperationsOf(graph, commonForms), upload),
  };
}

/** Whole numbers are of 32 bits there. */
function toTensor(tf: TensorFlow, { type, data, dims }: Tensor): TfTensor {
  if (type === 'float32') return tf.tensor(data, [...dims], 'float32');
  const numbers = Int32Array.from(data, (value: number | bigint) =>
    Math.max(Math.min(Number(value), 2 ** 31 - 1), -(2 ** 31)),
  );
  return type === 'bool'
    ? tf.tensor(Uint8Array.from(data), [...dims], 'bool')
    : tf.tensor(numbers, [...dims], 'int32');
}

async function read({ first }: Held): Promise<Tensor> {
  const dims = [...first.shape];
  const data = await first.data();
  if (data instanceof Float32Array) return { type: 'float32', dims, data: data.slice() };
  if (data instanceof Int32Array) return { type: 'int32', dims, data: data.slice() };
  return { type: 'bool', dims, data: Uint8Array.from(data) };
}

/** A node, what it computes, and which values nobody reads after it. */
interface Step {
  readonly node: Node;
  readonly operation: Operation;
  readonly last: readonly string[];
}

function compile(tf: TensorFlow, graph: Graph, upload: (tensor: Tensor) => Held): Program {
  const steps = stepsOf(graph);
  const constants = new Map([...graph.initializers].map(([name, tensor]) => [name, upload(tensor)]));
  return {
    async run(feeds) {
      const values = new Map<string, Held>(constants);
      for (const { name } of graph.inputs) {
        const value = feeds.get(name);
        if (value === undefined)
          throw new PhospheneError(`Expected a value for the input '${name}', found none.`);
        values.set(name, toHeld(value));
      }
      for (const { node, operation, last } of steps) {
        const made = [runNode(tf, node, operation, values)].flat();
        node.outputs.forEach((name, index) => {
          const value = made[index];
          if (value !== undefined) values.set(name, value);
        });
        for (const name of last) {
          values.get(name)?.dispose();
          values.delete(name);
        }
      }
      return new Map(graph.outputs.map((name) => [name, toValue(values.get(name) as Held)]));
    },
    release: async () => {
      for (const held of constants.values()) held.dispose();
    },
  };
}

/** @throws PhospheneError naming the operation that has no function here. */
function stepsOf(graph: Graph): Step[] {
  const lastUse = new Map<string, number>();
  graph.nodes.forEach(({ inputs, outputs }, place) => {
    for (const name of [...outputs, ...inputs]) lastUse.set(name, place);
  });
  const own = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const kept = new Set(graph.outputs);
  return graph.nodes.map((node, place) => {
    const operation = operations[node.op];
    if (operation === undefined) {
      throw new PhospheneError(
        `Expected an operation that the engine tfjs has, found ${node.op} in node '${node.name}'; use --engine cpu`,
      );
    }
    const last = [...new Set([...node.inputs, ...node.outputs])].filter(
      (name) => own.has(name) && !kept.has(name) && lastUse.get(name) === place,
    );
    return { node, operation, last };
  });
}

function runNode(
  tf: TensorFlow,
  node: Node,
  operation: Operation,
  values: ReadonlyMap<string, Held>,
): Held | readonly Held[] {
  const refuse = (reason: string): never => {
    throw new PhospheneError(
      `The engine tfjs cannot run ${node.op} in node '${node.name}': ${reason}; use --engine cpu`,
    );
  };
  const inputs = node.inputs.map((name) => (name === '' ? undefined : values.get(name)));
  tf.engine().startScope();
  try {
    return operation({ tf, node, inputs, refuse });
  } catch (cause) {
    if (cause instanceof PhospheneError) throw cause;
    return refuse(cause instanceof Error ? cause.message : String(cause));
  } finally {
    tf.engine().endScope();
  }
}
