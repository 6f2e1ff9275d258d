/** What onnxruntime's CPU provider computes faster than the operations that graphs are written in. */

import { type Float32Tensor, float, float32, intOf, ints, intsOf, textOf } from '../network/graph.ts';
import type { Forms } from './forms.ts';

/** Kernels are filled up to blocks of so many filters, which are computed and cut off again. */
export const blockOfFilters = 16;

export const processorForms: Forms = {
  /** [x > 0] in one pass instead of two. Numbers below 1e-30 count as 0. */
  Cast: (build, { inputs: [compared], attributes }) => {
    const comparison = build.nodes.find(({ op, outputs }) => op === 'Greater' && outputs[0] === compared);
    const [x = '', than = ''] = comparison?.inputs ?? [];
    const zero = build.float32Constant(than)?.data;
    if (zero?.length !== 1 || zero[0] !== 0 || attributes['to']?.value !== 1) return undefined;
    return build.add('HardSigmoid', [x], { alpha: float(1e30), beta: float(0) });
  },

  /** From many channels to few: as the adjoint of the convolution from few to many, which fills nothing up. */
  Conv: (build, node) => {
    const [x = '', name = '', bias = ''] = node.inputs;
    const kernel = build.float32Constant(name);
    const [filters = 0, channels = 0, ...image] = kernel?.dims ?? [];
    const isNarrow = filters < blockOfFilters && channels >= blockOfFilters && image.length === 2;
    const pads = intsOf(node, 'pads') ?? image.map(() => 0).flatMap((pad) => [pad, pad]);
    const rest = pads.map((pad, side) => (image[side % 2] as number) - 1 - pad);
    const isPlain =
      intOf(node, 'group', 1) === 1 &&
      textOf(node, 'auto_pad', 'NOTSET') === 'NOTSET' &&
      ['strides', 'dilations'].every((each) => intsOf(node, each)?.every((one) => one === 1) ?? true);
    if (kernel === undefined || !isNarrow || !isPlain || rest.some((pad) => pad < 0)) return undefined;
    const other = build.constant(turned(kernel), `${name}_turned`);
    return build.add('ConvTranspose', [x, other, ...(bias === '' ? [] : [bias])], { pads: ints(rest) });
  },
};

/** [filters, channels, …] ⇒ [channels, filters, …] with each image axis reversed. */
function turned({ data, dims }: Float32Tensor): Float32Tensor {
  const [filters = 1, channels = 1, ...image] = dims;
  const taps = data.length / filters / channels;
  const result = new Float32Array(data.length);
  data.forEach((value, at) => {
    const [tap, pair] = [at % taps, Math.floor(at / taps)];
    const [filter, channel] = [Math.floor(pair / channels), pair % channels];
    result[(channel * filters + filter) * taps + taps - 1 - tap] = value;
  });
  return float32([channels, filters, ...image], result);
}
