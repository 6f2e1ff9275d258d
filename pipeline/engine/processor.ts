/** What onnxruntime's CPU provider computes faster than the operations that graphs are written in. */

import { turnedConstant } from '../network/adjoint/convolution.ts';
import type { GraphBuilder } from '../network/build.ts';
import { float, float32, int, intOf, ints, intsOf, size, text, textOf } from '../network/graph.ts';
import { isHalving } from '../network/lowering/pool.ts';
import type { Liberties } from './engine.ts';
import type { Form, Forms } from './forms.ts';
import { shiftByProducts, shiftBySlices } from './shift.ts';

/** Kernels are filled up to blocks of so many filters, which are computed and cut off again. */
export const blockOfFilters = 16;

const exactForms: Forms = {
  /** [x > 0] in one pass instead of two. Numbers below 1e-30 count as 0. */
  Cast: (build, { inputs: [compared], attributes }) => {
    const comparison = build.nodes.find(({ op, outputs }) => op === 'Greater' && outputs[0] === compared);
    const [x = '', than = ''] = comparison?.inputs ?? [];
    const zero = build.float32Constant(than)?.data;
    if (zero?.length !== 1 || zero[0] !== 0 || attributes['to']?.value !== 1) return undefined;
    return build.add('HardSigmoid', [x], { alpha: float(1e30), beta: float(0) });
  },

  Conv: (build, node) => byTaps(build, node) ?? fromFewToMany(build, node),

  Shift: (build, node) => shiftBySlices(build, node) ?? shiftByProducts(build, node),
};

/** What the provider computes faster, with these liberties. */
export const processorForms = ({ allWinners = false }: Liberties = {}): Forms =>
  allWinners ? { ...exactForms, MaxUnpool: byComparison } : exactForms;

/** From many channels to few: as the adjoint of the convolution from few to many, which fills nothing up. */
const fromFewToMany: Form = (build, node) => {
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
  const other = build.constant(turnedConstant(kernel, 1, [channels, filters, ...image]), `${name}_turned`);
  return build.add('ConvTranspose', [x, other, ...(bias === '' ? [] : [bias])], { pads: ints(rest) });
};

/**
 * One filter a group, of many channels, as pictures meet kernels of their own: first the channels meet each tap of the
 * kernel at every place, as a matrix product, then the taps are added up, each from where it lies. Takes a third of the time.
 */
const byTaps: Form = (build, node) => {
  const [x = '', kernel = '', bias = ''] = node.inputs;
  const dims = build.inputs.find(({ name }) => name === kernel)?.dims.map(Number) ?? [];
  const [filters = 0, channels = 0, ...image] = dims;
  const [group, taps] = [intOf(node, 'group', 1), size(image)];
  const isDense = intsOf(node, 'strides')?.every((stride) => stride === 1) ?? true;
  if (filters !== group || channels < blockOfFilters || taps === 1 || bias !== '' || !isDense)
    return undefined;
  const shaped = (value: string, to: readonly number[]): string =>
    build.add('Reshape', [value, build.shape(to)]);
  const byTap = build.add('Transpose', [shaped(kernel, [group, channels, taps])], { perm: ints([0, 2, 1]) });
  const points = shaped(byTap, [group * taps, channels, 1, 1]);
  const met = shaped(build.add('Conv', [x, points], { group: int(group) }), [group, taps, 0, 0]);
  const identity = Array.from({ length: taps * taps }, (_, at) => Number(at % (taps + 1) === 0));
  const own = build.constant(float32([1, taps, ...image], identity), 'taps');
  return shaped(build.add('Conv', [met, own], { ...node.attributes, group: int(1) }), [1, group, 0, 0]);
};

/**
 * Of a pooling of 2×2: by comparing its input with what was pooled, as all of this stays in blocks of channels, and
 * indices do not. Where several values are the largest each gets the window's cotangent.
 */
const byComparison: Form = (build, { inputs: [g = '', indices = '', shape = ''] }) => {
  const pooling = build.nodes.find(({ op, outputs }) => op === 'MaxPool' && outputs[1] === indices);
  const dims = Array.from(build.initializers.get(shape)?.data ?? [], Number);
  const [, channels = 0] = dims;
  const isWide = channels >= wideMap && channels % blockOfFilters === 0;
  if (pooling === undefined || !isWide || !isHalving(pooling, dims)) return undefined;
  const [x = ''] = pooling.inputs;
  const [pooled = ''] = pooling.outputs;
  const times = (value: string, factor: number): string => {
    const kernel = build.constant(float32([channels, 1, 1, 1], new Float32Array(channels).fill(factor)));
    return build.add('Conv', [value, kernel], { group: int(channels) });
  };
  const less = build.add('Add', [times(x, 1), enlarged(build, times(pooled, -1))]);
  const isLargest = build.add('HardSigmoid', [less], { alpha: float(1e30), beta: float(1) });
  return build.add('Mul', [enlarged(build, times(g, 1)), isLargest]);
};

/** Maps of fewer channels gain nothing by blocks. */
const wideMap = 64;

/** Every value four times, as a square. */
const enlarged = (build: GraphBuilder, value: string): string =>
  build.add('Resize', [value, '', build.constant(float32([4], [1, 1, 2, 2]))], {
    mode: text('nearest'),
    coordinate_transformation_mode: text('asymmetric'),
    nearest_mode: text('floor'),
  });
