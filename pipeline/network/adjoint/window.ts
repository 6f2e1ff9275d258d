/**
 * How a kernel slides: one Window an image axis. Along it a long side (the input of a convolution or a pool, the output
 * of a transposed convolution) is read at `count` places of a short side:
 * long position = place · stride - before + tap · dilation, for the taps 0 … kernel - 1.
 */

import { ints, intsOf, type Node, textOf } from '../graph.ts';
import type { RuleContext } from './rule.ts';

export interface Window {
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Padding before the first value. */
  readonly before: number;
  /** Length of the long side, without padding. */
  readonly size: number;
  /** Length of the short side. */
  readonly count: number;
}

/** The windows of a node with ONNX's attributes for them, whose sides have these dims, [n, channels, …image]. */
export function windowsOf(
  node: Node,
  long: readonly number[],
  short: readonly number[],
  kernel: readonly number[],
): Window[] {
  const autoPad = textOf(node, 'auto_pad', 'NOTSET');
  return kernel.map((extent, axis) => {
    const stride = intsOf(node, 'strides')?.[axis] ?? 1;
    const dilation = intsOf(node, 'dilations')?.[axis] ?? 1;
    const size = long[axis + 2] ?? 1;
    const count = short[axis + 2] ?? 1;
    const outputPadding = intsOf(node, 'output_padding')?.[axis] ?? 0;
    const surplus = Math.max(0, (count - 1) * stride + outputPadding + (extent - 1) * dilation + 1 - size);
    const before = {
      NOTSET: intsOf(node, 'pads')?.[axis] ?? 0,
      VALID: 0,
      SAME_UPPER: Math.floor(surplus / 2),
      SAME_LOWER: Math.ceil(surplus / 2),
    }[autoPad];
    return { kernel: extent, stride, dilation, before: before ?? 0, size, count };
  });
}

/** Positions that the kernel reaches over: 1 + those between its first and last tap. */
export function span({ kernel, dilation }: Window): number {
  return (kernel - 1) * dilation + 1;
}

/** How far the last window reaches beyond the last value; below 0 where that many values are read by no window. */
export function overhang(window: Window): number {
  return (window.count - 1) * window.stride + span(window) - window.before - window.size;
}

/**
 * The adjoint of reading through the windows: puts the short side's values back where they were read, times `kernel`
 * [channels of g, channels of the result / group, …], and 0 where nothing was read.
 */
export function putBack(
  { build }: Pick<RuleContext, 'build'>,
  g: string,
  kernel: string,
  windows: readonly Window[],
  group = 1,
): string {
  return build.add('ConvTranspose', [g, kernel], {
    ...sliding(windows),
    group: { kind: 'int', value: group },
    pads: ints([
      ...windows.map((window) => window.before),
      ...windows.map((window) => Math.max(overhang(window), 0)),
    ]),
    output_padding: ints(windows.map((window) => Math.max(-overhang(window), 0))),
  });
}

/** The attributes of steps within a kernel and between its places. */
export function sliding(windows: readonly Window[]) {
  return {
    strides: ints(windows.map((window) => window.stride)),
    dilations: ints(windows.map((window) => window.dilation)),
  };
}
