/** Operations that move values without changing them: the cotangents go back the way the values came. */

import { int, intOf, ints, intsOf, size, textOf } from '../graph.ts';
import { matrixOf, reduce, transposedAlong, unbroadcast } from './linear-map.ts';
import {
  axisOf,
  type Formula,
  integersOf,
  type Rule,
  type RuleContext,
  type Rules,
  range,
  rule,
  ruleOfFirst,
  zero,
} from './rule.ts';

/** Only the dims change. */
const reshaped: Rule = rule(({ build, g, x, dims }) => [build.add('Reshape', [g, build.shape(dims(x))])]);

/** Cuts positions `from` up to `to` out of an axis. */
function cut({ build }: RuleContext, value: string, axis: number, from: number, to: number): string {
  return build.add('Slice', [value, build.shape([from]), build.shape([to]), build.shape([axis])]);
}

/** Where along an axis of `extent` a Slice starts, how it steps, and how many positions it takes. */
function positions(extent: number, start: number, end: number, step: number) {
  const clamp = (place: number, low: number, high: number) =>
    Math.min(Math.max(place < 0 ? place + extent : place, low), high);
  const first = step > 0 ? clamp(start, 0, extent) : clamp(start, 0, extent - 1);
  const last = step > 0 ? clamp(end, 0, extent) : clamp(end, -1, extent - 1);
  return { first, count: Math.max(0, Math.ceil((last - first) / step)) };
}

/** Slice's cotangent: zeros all around where it steps by 1, else along that axis the transpose of a selection. */
function unslice(context: Formula): string {
  const { build, g, x, y, node, dims } = context;
  const rank = dims(x).length;
  const starts = integersOf(context, 1) ?? intsOf(node, 'starts') ?? [];
  const ends = integersOf(context, 2) ?? intsOf(node, 'ends') ?? [];
  const axes = integersOf(context, 3) ?? intsOf(node, 'axes') ?? range(starts.length);
  const steps = integersOf(context, 4) ?? starts.map(() => 1);
  const pads = new Array<number>(2 * rank).fill(0);
  let now = [...dims(y)];
  let result = g;
  starts.forEach((start, i) => {
    const axis = axisOf(axes[i] ?? 0, rank);
    const extent = dims(x)[axis] ?? 1;
    const step = steps[i] ?? 1;
    const { first, count } = positions(extent, start, ends[i] ?? 0, step);
    if (step === 1) {
      pads[axis] = first;
      pads[axis + rank] = extent - first - count;
      return;
    }
    const selection = matrixOf(build, count, extent, (add) => {
      for (const k of range(count)) add(k, first + k * step, 1);
    });
    result = transposedAlong(build, result, now, axis, selection, extent);
    now = now.with(axis, extent);
  });
  return pads.some((pad) => pad !== 0) ? build.add('Pad', [result, build.shape(pads)]) : result;
}

/** The position that a padded axis of `extent` copies at `place`, counted from the first unpadded one. */
const copied: Record<string, (place: number, extent: number) => number> = {
  edge: (place, extent) => Math.min(Math.max(place, 0), extent - 1),
  wrap: (place, extent) => ((place % extent) + extent) % extent,
  reflect: (place, extent) => {
    if (extent === 1) return 0;
    const period = 2 * (extent - 1);
    const folded = ((place % period) + period) % period;
    return Math.min(folded, period - folded);
  },
};

/** The pads of all axes, those before the values first. */
function padsOf(context: Formula): number[] {
  const rank = context.dims(context.x).length;
  const given = integersOf(context, 1) ?? [...(intsOf(context.node, 'pads') ?? [])];
  const axes = integersOf(context, 3) ?? range(rank);
  const pads = new Array<number>(2 * rank).fill(0);
  axes.forEach((axis, i) => {
    pads[axisOf(axis, rank)] = given[i] ?? 0;
    pads[axisOf(axis, rank) + rank] = given[i + axes.length] ?? 0;
  });
  return pads;
}

export const shape: Rules = {
  Flatten: reshaped,
  Reshape: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,

  Transpose: rule(({ build, g, x, node, dims }) => {
    const perm = intsOf(node, 'perm') ?? range(dims(x).length).reverse();
    return [
      build.add('Transpose', [g], { perm: ints(range(perm.length).map((axis) => perm.indexOf(axis))) }),
    ];
  }),

  Expand: rule(({ build, g, x, y, dims }) => [unbroadcast(build, g, dims(y), dims(x))]),

  /** Axis k of the result is [repeats, dims(x)[k]]: sum over the repeats. */
  Tile: rule(({ build, g, x, y, dims }) => {
    const split = dims(x).flatMap((dim, axis) => [(dims(y)[axis] ?? 1) / dim, dim]);
    const apart = build.add('Reshape', [g, build.shape(split)]);
    const repeats = range(dims(x).length).map((axis) => 2 * axis);
    return [build.add('Reshape', [reduce(build, 'ReduceSum', apart, repeats), build.shape(dims(x))])];
  }),

  Concat: rule((context) => {
    const { g, y, node, dims, needs } = context;
    const axis = axisOf(intOf(node, 'axis', 0), dims(y).length);
    let from = 0;
    return node.inputs.map((input, index) => {
      const to = from + (dims(input)[axis] ?? 0);
      const piece = needs(index) ? cut(context, g, axis, from, to) : undefined;
      from = to;
      return piece;
    });
  }),

  Split: ({ build, node, cotangents, dims }) => {
    const axis = axisOf(intOf(node, 'axis', 0), dims(node.inputs[0] ?? '').length);
    const pieces = node.outputs.map((output, index) => {
      return cotangents[index] ?? build.add('Expand', [build.scalar(0), build.shape(dims(output))]);
    });
    return [build.add('Concat', pieces, { axis: { kind: 'int', value: axis } })];
  },

  /** Our own, see `engine/shift.ts`: the cotangents go as far the other way. */
  Shift: ruleOfFirst(({ build, g, node }) =>
    build.add('Shift', [g, ...node.inputs.slice(1)], {
      ...node.attributes,
      back: int(1 - intOf(node, 'back', 0)),
    }),
  ),

  Slice: rule((context) => [unslice(context)]),

  /** y = M·x along the axis, with M[k, index[k]] = 1. An index below 0 counts from the end. */
  Gather: rule(({ build, f, g, x, y, node, dims }) => {
    const index = node.inputs[1] ?? '';
    const rank = dims(x).length;
    const axis = axisOf(intOf(node, 'axis', 0), rank);
    const extent = dims(x)[axis] ?? 1;
    const count = size(dims(index));
    const places = build.add('Reshape', [
      build.add('Cast', [index], { to: { kind: 'int', value: 1 } }),
      build.shape([count, 1]),
    ]);
    const columns = build.constant({
      type: 'float32',
      dims: [1, extent],
      data: Float32Array.from(range(extent)),
    });
    const selection = f.bracket(f.equal(f.where(f.less(places, 0), f.add(places, extent), places), columns));
    const gathered = [...dims(x)].with(axis, count);
    const flat = dims(y).length === rank ? g : build.add('Reshape', [g, build.shape(gathered)]);
    return [transposedAlong(build, flat, gathered, axis, selection, extent)];
  }),

  /** Of constants: cut the pads off again (and put zeros where they cut). Else each pad goes back to what it copied. */
  Pad: rule((context) => {
    const { build, g, x, y, node, dims, refuse } = context;
    const mode = textOf(node, 'mode', 'constant');
    const pads = padsOf(context);
    if (mode === 'constant') return [build.add('Pad', [g, build.shape(pads.map((pad) => -pad))])];
    const source = copied[mode] ?? refuse(`its mode is '${mode}'`);
    let now = [...dims(y)];
    let result = g;
    dims(x).forEach((extent, axis) => {
      const padded = now[axis] ?? 1;
      const before = pads[axis] ?? 0;
      if (before === 0 && padded === extent) return;
      const selection = matrixOf(build, padded, extent, (add) => {
        for (const k of range(padded)) add(k, source(k - before, extent), 1);
      });
      result = transposedAlong(build, result, now, axis, selection, extent);
      now = now.with(axis, extent);
    });
    return [result];
  }),

  /** The way back from [n, c, h, b, w, b] to [n, b, b, c, h, w] (DCR) or [n, c, b, b, h, w] (CRD). */
  DepthToSpace: rule(({ build, g, x, node, dims }) => {
    const [n = 1, depth = 1, h = 1, w = 1] = dims(x);
    const b = intOf(node, 'blocksize', 1);
    const blocks = build.add('Reshape', [g, build.shape([n, depth / (b * b), h, b, w, b])]);
    const perm = textOf(node, 'mode', 'DCR') === 'DCR' ? [0, 3, 5, 1, 2, 4] : [0, 1, 3, 5, 2, 4];
    const depths = build.add('Transpose', [blocks], { perm: ints(perm) });
    return [build.add('Reshape', [depths, build.shape(dims(x))])];
  }),

  SpaceToDepth: rule(({ build, g, node }) => [
    build.add('DepthToSpace', [g], { blocksize: { kind: 'int', value: intOf(node, 'blocksize', 1) } }),
  ]),

  Cast: rule(({ g }) => [g]),
  Shape: zero,
  Size: zero,
  ArgMax: zero,
  ArgMin: zero,
  ConstantOfShape: zero,
};
