/**
 * The one type that all Keras layers obey: (a call of the layer) ⇒ the tensor it gives, written into the graph.
 * A layer with units (a convolution, a dense layer) writes all but its activation, which is written for it.
 */

import type { GraphBuilder } from '../../../network/build.ts';
import type { Float32Tensor } from '../../../network/graph.ts';
import { LayerProblem, type Settings } from '../settings.ts';
import type { KerasTensor } from '../tensor.ts';

export interface LayerCall {
  /** Name for the value that the layer gives. */
  readonly name: string;
  readonly settings: Settings;
  readonly inputs: readonly KerasTensor[];
  /** Arguments in order: null for each of the inputs, and the numbers between them. */
  readonly operands: readonly (number | null)[];
  /** Major version of Keras that wrote the file. */
  readonly version: number;
  readonly build: GraphBuilder;
  /** The layer's weights in Keras' order. @throws LayerProblem unless there are exactly `count`. */
  weights(count: number): readonly Float32Tensor[];
  /** A constant of the layer, made once however often the layer is called; `role` as in `<layer>/<role>`. */
  constant(role: string, make: () => Float32Tensor): string;
}

export type WriteLayer = (call: LayerCall) => KerasTensor;

/** How a Keras class becomes graph: `conv` and `dense` have units and an activation of their own. */
export interface LayerRow {
  readonly kind: 'conv' | 'dense' | 'other';
  readonly write: WriteLayer;
}

/** The only input of a layer. @throws LayerProblem if it has none or several. */
export function onlyInput(call: LayerCall): KerasTensor {
  const [input] = call.inputs;
  if (input === undefined || call.inputs.length !== 1) {
    throw new LayerProblem(`it takes one input, but gets ${call.inputs.length}`);
  }
  return input;
}

/** The order of axes that a layer's settings state. */
export function dataFormat(settings: Settings): 'channels_first' | 'channels_last' {
  return settings.text('data_format', 'channels_last') === 'channels_first'
    ? 'channels_first'
    : 'channels_last';
}

/** @throws LayerProblem unless the tensor has exactly these dims. */
export function expectDims(tensor: Float32Tensor | undefined, role: string, dims: readonly number[]): void {
  if (tensor?.dims.length !== dims.length || dims.some((dim, axis) => tensor.dims[axis] !== dim)) {
    throw new LayerProblem(
      `its ${role} has the shape [${tensor?.dims.join(', ')}], where [${dims.join(', ')}] is expected`,
    );
  }
}
