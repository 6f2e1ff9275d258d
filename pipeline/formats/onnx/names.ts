/**
 * The name by which the framework that trained a network knows a layer. Exporters keep it in the names of weights
 * (`features.0.weight`, `conv2d/kernel:0`), of nodes (`/layer1/layer1.0/conv1/Conv`), or of the values themselves.
 */

import type { Node } from '../../network/graph.ts';

/** TensorFlow's operations, which stand behind the layer's name. */
const tensorFlowOps =
  /\/(Conv2D(Backprop(Input)?)?|BiasAdd|MatMul|Add|add|depthwise|separable_conv2d|convolution|ReadVariableOp|Conv2D\/ReadVariableOp|MatMul\/ReadVariableOp|Relu|Tensordot|Cast|merged_input|kernel|weights|Variable)(_\d+)?(:0)?$/;

/** The layer's name, from its node, its weights' name and the value it gives. */
export function layerName(node: Node, weights: string, value: string): string {
  return (
    fromWeights(weights) ??
    fromPyTorchScope(node.name) ??
    fromTensorFlow(weights) ??
    fromTensorFlow(node.name) ??
    value.replace(/_output_0$|:0$/, '')
  );
}

/** `features.0.weight`; `conv1/7x7_s2/weight` and `conv1/7x7_s2_w_0` of Caffe's. */
function fromWeights(name: string): string | undefined {
  const [, layer] = /^(.+)([./]weight|_w(_\d+)?)$/.exec(name) ?? [];
  return layer;
}

/** `/layer1/layer1.0/conv1/Conv`: each scope repeats what it has in common with the one before. */
function fromPyTorchScope(name: string): string | undefined {
  if (!name.startsWith('/')) return undefined;
  const scopes = name.slice(1).split('/').slice(0, -1);
  const parts: string[] = [];
  for (const scope of scopes) {
    const last = parts.at(-1);
    if (last !== undefined && scope.startsWith(`${last}.`)) parts.pop();
    parts.push(scope);
  }
  return parts.length === 0 ? undefined : parts.join('.');
}

function fromTensorFlow(name: string): string | undefined {
  let layer = name;
  let stripped = false;
  while (tensorFlowOps.test(layer)) {
    layer = layer.replace(tensorFlowOps, '');
    stripped = true;
  }
  return stripped ? layer.split('/').at(-1) : undefined;
}
