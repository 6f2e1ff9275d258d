/** A trained model: an ONNX graph, its one picture input, and its layers by the names of the source file. */

import type { Graph } from './graph.ts';

export type Format = 'keras-zip' | 'keras-h5' | 'tfjs-layers' | 'tfjs-graph' | 'onnx';

/** `scores`: the last dense or 1×1 layer, taken before its softmax. */
export type LayerKind = 'conv' | 'dense' | 'scores' | 'other';

export interface NetworkInput {
  /** The graph input's name. */
  readonly name: string;
  /** Order of axes of the graph input. */
  readonly layout: 'NCHW' | 'NHWC';
  readonly channels: number;
  /** Null where the network takes any size. */
  readonly height: number | null;
  readonly width: number | null;
}

export interface Layer {
  /** As in the source file; untrusted text. */
  readonly name: string;
  readonly kind: LayerKind;
  /** Channels of the layer's output, in the source framework's order. */
  readonly units: number;
  /** The graph value after the layer's activation, [N, units, h, w] or [N, units] (units last if `unitAxis` says so). */
  readonly output: string;
  /** The same before the activation; equal to `output` where there is none. A softmax is never part of a layer. */
  readonly linear: string;
  /** The axis of `output` and `linear` that counts units: 1, or 3 in a channels-last ONNX export. */
  readonly unitAxis: number;
}

export interface Network {
  readonly format: Format;
  readonly graph: Graph;
  readonly input: NetworkInput;
  /** In the order of the graph. Only what has units: a pooling layer is no layer here. */
  readonly layers: readonly Layer[];
  /** What the loader could not turn into the graph: everything before it can still be rendered. One sentence each. */
  readonly gaps: readonly { readonly layer: string; readonly reason: string }[];
}
