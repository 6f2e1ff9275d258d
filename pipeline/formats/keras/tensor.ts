/**
 * A tensor as Keras sees it, and where the graph keeps it. Keras mostly counts channels last, the graph first: a picture
 * stays in NCHW from layer to layer, and is only transposed where a layer depends on the order that Keras sees.
 */

import type { GraphBuilder } from '../../network/build.ts';
import { ints } from '../../network/graph.ts';
import { LayerProblem } from './settings.ts';

/** A size, or null where it is free. */
export type Size = number | null;

export interface KerasTensor {
  /** Name of the graph value. */
  readonly value: string;
  /** As Keras sees it, without the batch axis. */
  readonly shape: readonly Size[];
  /**
   * How the graph's axes stand to `shape`: `same`, as they are; `nchw`, the graph has [c, h, w] where Keras has
   * [h, w, c]; `flat`, the graph has flattened [c, h, w] where Keras has flattened the [h, w, c] of `flattened`.
   */
  readonly order: 'same' | 'nchw' | 'flat';
  readonly flattened?: readonly [number, number, number];
}

export interface Picture {
  readonly value: string;
  readonly channels: number;
  readonly height: Size;
  readonly width: Size;
}

/** The tensor as a picture in NCHW, read with Keras' `data_format`. @throws LayerProblem if it is none. */
export function asPicture(
  build: GraphBuilder,
  tensor: KerasTensor,
  format: 'channels_first' | 'channels_last',
): Picture {
  if (tensor.shape.length !== 3) {
    throw new LayerProblem(`it takes pictures, but gets a tensor of shape [${shapeText(tensor.shape)}]`);
  }
  const last = format === 'channels_last';
  const [channels, height, width] = last ? [tensor.shape[2], tensor.shape[0], tensor.shape[1]] : tensor.shape;
  if (channels === undefined || channels === null || height === undefined || width === undefined) {
    throw new LayerProblem('the number of its input channels is not known');
  }
  const inGraph = tensor.order === 'nchw' ? 'last' : 'first';
  let value = tensor.value;
  if (last && inGraph === 'first') value = build.add('Transpose', [value], { perm: ints([0, 3, 1, 2]) });
  if (!last && inGraph === 'last') value = asSeen(build, tensor).value;
  return { value, channels, height, width };
}

/** A picture in NCHW as the tensor that Keras sees under `format`. */
export function fromPicture(picture: Picture, format: 'channels_first' | 'channels_last'): KerasTensor {
  const { value, channels, height, width } = picture;
  return format === 'channels_last'
    ? { value, shape: [height, width, channels], order: 'nchw' }
    : { value, shape: [channels, height, width], order: 'same' };
}

/** The tensor with the graph's axes exactly as Keras sees them. */
export function asSeen(build: GraphBuilder, tensor: KerasTensor): KerasTensor {
  if (tensor.order === 'same') return tensor;
  let value = tensor.value;
  if (tensor.order === 'nchw') value = build.add('Transpose', [value], { perm: ints([0, 2, 3, 1]) });
  else if (tensor.flattened !== undefined) {
    const [height, width, channels] = tensor.flattened;
    value = build.add('Reshape', [value, build.shape([-1, channels, height, width])]);
    value = build.add('Transpose', [value], { perm: ints([0, 2, 3, 1]) });
    value = build.add('Reshape', [value, build.shape([-1, height * width * channels])]);
  }
  return { value, shape: tensor.shape, order: 'same' };
}

/** The graph's axis (batch counted) of Keras' axis `axis` (batch counted, negative from the end). */
export function graphAxis(tensor: KerasTensor, axis: number): number {
  const rank = tensor.shape.length + 1;
  const seen = axis < 0 ? axis + rank : axis;
  if (seen < 0 || seen >= rank) {
    throw new LayerProblem(
      `its axis ${axis} does not exist in a tensor of shape [${shapeText(tensor.shape)}]`,
    );
  }
  return tensor.order === 'nchw' ? ([0, 2, 3, 1][seen] ?? seen) : seen;
}

/**
 * For each place of the graph's flattened picture, the place that Keras gives it: rows of a dense kernel are put in
 * this order at load, so that nothing need be transposed at run time.
 */
export function flatOrder([height, width, channels]: readonly [number, number, number]): Int32Array {
  const order = new Int32Array(height * width * channels);
  let at = 0;
  for (let c = 0; c < channels; c++) {
    for (let position = 0; position < height * width; position++) order[at++] = position * channels + c;
  }
  return order;
}

export function shapeText(shape: readonly Size[]): string {
  return shape.map((dim) => dim ?? 'any').join(', ');
}
