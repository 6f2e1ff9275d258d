/** Pooling: each window gives its cotangent back to the values that it was made of. */

import { float32, intOf, ints, intsOf, size } from '../graph.ts';
import { type Formula, type Rules, range, rule } from './rule.ts';
import { overhang, putBack, span, type Window, windowsOf } from './window.ts';

/** Smaller than all that a picture's values can be, and still finite. */
const lowest = -3.4e38;

/** Channels as images: [n · c, 1, …], so that one kernel serves them all. */
function planes({ build }: Formula, value: string, dims: readonly number[]): string {
  const [n = 1, c = 1, ...image] = dims;
  return build.add('Reshape', [value, build.shape([n * c, 1, ...image])]);
}

/** By the index of each maximum among all values of x. */
function maxByIndices({ build, g, x, node, dims }: Formula, windows: readonly Window[]): string {
  const indices = build.output(node, 1);
  const disjoint = windows.every((window) => window.stride >= span(window));
  if (disjoint) {
    return build.add('MaxUnpool', [g, indices, build.shape(dims(x))], {
      kernel_shape: ints(windows.map(({ kernel }) => kernel)),
      strides: ints(windows.map(({ stride }) => stride)),
    });
  }
  const flat = (value: string): string => build.add('Reshape', [value, build.shape([-1])]);
  const zeros = build.add('Expand', [build.scalar(0), build.shape([size(dims(x))])]);
  const sums = build.add('ScatterElements', [zeros, flat(indices), flat(g)], {
    reduction: { kind: 'string', value: 'add' },
  });
  return build.add('Reshape', [sums, build.shape(dims(x))]);
}

/** By comparing y with what each tap of the kernel read: the first that equals it takes the window's cotangent. */
function maxByComparison(context: Formula, windows: readonly Window[]): string {
  const { build, f, g, x, y, dims } = context;
  const before = windows.map((window) => window.before);
  const after = windows.map((window) => Math.max(overhang(window), 0));
  const padded = [...before, ...after].some((pad) => pad > 0)
    ? build.add('Pad', [x, build.shape([0, 0, ...before, 0, 0, ...after]), build.scalar(lowest)])
    : x;
  const kernel = windows.map((window) => window.kernel);
  const taps = size(kernel);
  let rest = g;
  const taken = range(taps).map((tap) => {
    if (tap === taps - 1) return rest;
    const mine = f.mul(rest, f.bracket(f.equal(readAt(context, padded, windows, tap), y)));
    rest = f.sub(rest, mine);
    return mine;
  });
  const stacked = build.add(
    'Concat',
    taken.map((mine) => planes(context, mine, dims(y))),
    { axis: { kind: 'int', value: 1 } },
  );
  const identity = range(taps * taps).map((place) => (place % (taps + 1) === 0 ? 1 : 0));
  const place = build.constant(float32([taps, 1, ...kernel], identity));
  return build.add('Reshape', [putBack(context, stacked, place, windows), build.shape(dims(x))]);
}

/** What tap number `tap` of the kernel, counted in row-major order, reads of the padded x at every place. */
function readAt({ build }: Formula, padded: string, windows: readonly Window[], tap: number): string {
  let left = tap;
  const starts = windows
    .toReversed()
    .map(({ kernel, dilation }) => {
      const offset = (left % kernel) * dilation;
      left = Math.floor(left / kernel);
      return offset;
    })
    .toReversed();
  const ends = windows.map(({ count, stride }, axis) => (starts[axis] ?? 0) + (count - 1) * stride + 1);
  return build.add('Slice', [
    padded,
    build.shape(starts),
    build.shape(ends),
    build.shape(windows.map((_, axis) => axis + 2)),
    build.shape(windows.map(({ stride }) => stride)),
  ]);
}

/** How many taps of each window along one axis count: those up to `end`, and from 0 or from the padding on. */
function countedTaps(
  { kernel, dilation, stride, before, count }: Window,
  from: number,
  end: number,
): number[] {
  return range(count).map((place) => {
    const positions = range(kernel).map((tap) => place * stride - before + tap * dilation);
    return positions.filter((position) => position >= from && position < end).length;
  });
}

export const pooling: Rules = {
  /** Ties: the first maximum in row-major order takes all. */
  MaxPool: rule((context) => {
    const { node, x, y, dims, lowering } = context;
    const windows = windowsOf(node, dims(x), dims(y), intsOf(node, 'kernel_shape') ?? []);
    const rowMajor = intOf(node, 'storage_order', 0) === 0;
    return lowering.maxPool === 'indices' && rowMajor
      ? [maxByIndices(context, windows)]
      : [maxByComparison(context, windows)];
  }),

  /** ȳ / number of values averaged, to each of them. Padding counts as values only with count_include_pad. */
  AveragePool: rule((context) => {
    const { build, f, g, x, y, node, dims } = context;
    const windows = windowsOf(node, dims(x), dims(y), intsOf(node, 'kernel_shape') ?? []);
    const padded = intOf(node, 'count_include_pad', 0) === 1;
    const pads = intsOf(node, 'pads') ?? [];
    const shares = windows.map((window, axis) => {
      const after = pads[axis + windows.length] ?? Math.max(overhang(window), 0);
      const counts = padded
        ? countedTaps(window, -window.before, window.size + after)
        : countedTaps(window, 0, window.size);
      const along = windows.map((_, other) => (other === axis ? window.count : 1));
      return build.constant(
        float32(
          along,
          counts.map((count) => 1 / count),
        ),
      );
    });
    const shared = shares.reduce((value, share) => f.mul(value, share), g);
    const kernel = windows.map((window) => window.kernel);
    const ones = build.constant(float32([1, 1, ...kernel], new Float32Array(size(kernel)).fill(1)));
    const spread = putBack(context, planes(context, shared, dims(y)), ones, windows);
    return [build.add('Reshape', [spread, build.shape(dims(x))])];
  }),
};
