/**
 * Receptive fields: which pixels one value of a map can depend on. Along each axis, the value at position p sees the
 * pixels from first + stride · p to last + stride · p; joining paths see from the least first to the greatest last.
 */

import { type Graph, intOf, intsOf, type Node, textOf } from './graph.ts';
import type { NetworkInput } from './network.ts';

/** What one axis of a map sees, in pixels of the input. */
export interface Span {
  readonly first: number;
  readonly last: number;
  readonly stride: number;
}

/** A map's vertical and horizontal span, and which of its axes these are. */
interface Field {
  readonly spans: readonly [Span, Span];
  readonly axes: readonly [number, number];
  /** Whether something on the way is made for maps of one size: a constant with places of its own, an end of a slice. */
  readonly bound: boolean;
}

/** `everything`: the value sees the whole picture. Values that do not depend on the picture have no entry. */
type Seen = Field | 'everything';

/**
 * The side, in pixels, of the area that one value sees (the larger of the two sides), for each value of the graph that
 * depends on the picture; null where it sees all of it.
 */
export function receptiveFields(
  graph: Graph,
  input: Pick<NetworkInput, 'name' | 'layout'>,
): ReadonlyMap<string, number | null> {
  const side = ({ spans }: Field): number => Math.max(...spans.map(({ first, last }) => last - first + 1));
  return new Map(
    [...follow(graph, input)].map(([name, field]) => [
      name,
      field === 'everything' ? null : Math.ceil(side(field)),
    ]),
  );
}

/**
 * The values that are computed in the same way whatever the size of the picture, even where the network states one:
 * maps that come from the picture by nothing but windows and operations on single values.
 */
export function valuesOfAnySize(
  graph: Graph,
  input: Pick<NetworkInput, 'name' | 'layout'>,
): ReadonlySet<string> {
  return new Set(
    [...follow(graph, input)].flatMap(([name, field]) =>
      field === 'everything' || field.bound ? [] : [name],
    ),
  );
}

/** How many pixels lie between two neighbours of a map, down and across; only of values that are maps. */
export function strides(
  graph: Graph,
  input: Pick<NetworkInput, 'name' | 'layout'>,
): ReadonlyMap<string, readonly [number, number]> {
  return new Map(
    [...follow(graph, input)].flatMap(([name, field]) =>
      field === 'everything' ? [] : [[name, [field.spans[0].stride, field.spans[1].stride]] as const],
    ),
  );
}

/**
 * What a value at position p of a map sees, down and across: pixels first + stride · p to last + stride · p; undefined
 * where that depends on the size of the picture.
 */
export function spansOf(
  graph: Graph,
  input: Pick<NetworkInput, 'name' | 'layout'>,
  value: string,
): readonly [Span, Span] | undefined {
  const field = follow(graph, input).get(value);
  return field === undefined || field === 'everything' || field.bound ? undefined : field.spans;
}

function follow(graph: Graph, input: Pick<NetworkInput, 'name' | 'layout'>): Map<string, Seen> {
  const start: Span = { first: 0, last: 0, stride: 1 };
  const seen = new Map<string, Seen>([
    [input.name, { spans: [start, start], axes: input.layout === 'NCHW' ? [2, 3] : [1, 2], bound: false }],
  ]);
  const reader: Reader = {
    numbers: (name) => {
      const tensor = graph.initializers.get(name);
      return tensor === undefined ? undefined : Array.from(tensor.data, Number);
    },
    dims: (name) => graph.initializers.get(name)?.dims,
  };
  for (const node of graph.nodes) {
    const fields = node.inputs.flatMap((name) => seen.get(name) ?? []);
    if (fields.length === 0 || node.op === 'Shape') continue;
    const joined = fields.reduce(join);
    const others = node.inputs.filter((name) => name !== '' && !seen.has(name));
    const field = joined === 'everything' ? joined : through(node, joined, others, reader);
    for (const output of node.outputs) seen.set(output, field);
  }
  return seen;
}

interface Reader {
  /** The values of a constant. */
  numbers(name: string): readonly number[] | undefined;
  dims(name: string): readonly number[] | undefined;
}

function join(a: Seen, b: Seen): Seen {
  if (a === 'everything' || b === 'everything' || a.axes.join() !== b.axes.join()) return 'everything';
  const [ay, ax] = a.spans;
  const [by, bx] = b.spans;
  return { axes: a.axes, spans: [widest(ay, by), widest(ax, bx)], bound: a.bound || b.bound };
}

const widest = (a: Span, b: Span): Span => ({
  first: Math.min(a.first, b.first),
  last: Math.max(a.last, b.last),
  stride: Math.max(a.stride, b.stride),
});

const pointwise = new Set(
  (
    'Relu LeakyRelu PRelu Elu Selu Celu ThresholdedRelu Clip Sigmoid HardSigmoid HardSwish Tanh Softplus Softsign Mish ' +
    'Gelu Swish Erf Exp Log Sqrt Reciprocal Abs Neg Sin Cos Pow Min Max Sum Mean Add Sub Mul Div Where Equal Greater ' +
    'Less Not And Or Floor Ceil Round Sign Cast Identity Dropout BatchNormalization LRN Concat'
  ).split(' '),
);

/** @param others The node's inputs that do not depend on the picture. */
function through(node: Node, field: Field, others: readonly string[], reader: Reader): Seen {
  const { op } = node;
  if (op === 'BatchNormalization') return field;
  if (pointwise.has(op)) {
    return others.some((name) => hasPlaces(reader.dims(name), field)) ? { ...field, bound: true } : field;
  }
  switch (op) {
    case 'Conv':
      return windowed(node, field, reader.dims(node.inputs[1] ?? '')?.slice(2));
    case 'MaxPool':
    case 'AveragePool':
    case 'LpPool':
      return windowed(node, field, undefined);
    case 'ConvTranspose':
      return transposed(node, field, reader.dims(node.inputs[1] ?? '')?.slice(2));
    case 'Pad':
      return padded(node, field, reader);
    case 'Slice':
      return sliced(node, field, reader);
    case 'Resize':
    case 'Upsample':
      return resized(node, field, reader);
    case 'Transpose':
      return reordered(node, field);
    case 'Split':
      return field.axes.includes(intOf(node, 'axis', 0)) ? 'everything' : field;
    case 'MatMul':
    case 'Softmax':
    case 'LogSoftmax':
      return alongChannels(node, field) ? field : 'everything';
    case 'DepthToSpace':
      return scaled(field, 1 / intOf(node, 'blocksize', 1));
    case 'SpaceToDepth':
      return spaceToDepth(field, intOf(node, 'blocksize', 1));
    default:
      return 'everything';
  }
}

/** Whether a value that is broadcast to the map differs from place to place; one of unknown dims may. */
function hasPlaces(dims: readonly number[] | undefined, { axes }: Field): boolean {
  const rank = 4;
  return dims === undefined || axes.some((axis) => (dims[axis - rank + dims.length] ?? 1) !== 1);
}

/** Maps the spans of the axes with a function of the span and the axis' place, 0 vertical and 1 horizontal. */
function mapped(field: Field, change: (span: Span, place: 0 | 1) => Span): Field {
  const [vertical, horizontal] = field.spans;
  return { ...field, spans: [change(vertical, 0), change(horizontal, 1)] };
}

/** A window that slides: position p reads positions p · stride − pad + k · dilation. */
function windowed(node: Node, field: Field, dims: readonly number[] | undefined): Seen {
  const kernel = intsOf(node, 'kernel_shape') ?? dims;
  if (kernel === undefined || field.axes[0] !== 2) return 'everything';
  const pads = intsOf(node, 'pads') ?? [];
  const auto = textOf(node, 'auto_pad', 'NOTSET');
  return mapped(field, (span, place) => {
    const stride = intsOf(node, 'strides')?.[place] ?? 1;
    const reach = ((kernel[place] ?? 1) - 1) * (intsOf(node, 'dilations')?.[place] ?? 1);
    const total = Math.max(reach + 1 - stride, 0);
    const same = auto === 'SAME_LOWER' ? Math.ceil(total / 2) : Math.floor(total / 2);
    const pad = auto.startsWith('SAME') ? same : (pads[place] ?? 0);
    return {
      first: span.first - pad * span.stride,
      last: span.last + (reach - pad) * span.stride,
      stride: span.stride * stride,
    };
  });
}

/** Position p reads every position q with p = q · stride − pad + k · dilation for some k of the kernel. */
function transposed(node: Node, field: Field, dims: readonly number[] | undefined): Seen {
  const kernel = intsOf(node, 'kernel_shape') ?? dims;
  if (kernel === undefined || field.axes[0] !== 2) return 'everything';
  const pads = intsOf(node, 'pads') ?? [];
  return mapped(field, (span, place) => {
    const stride = intsOf(node, 'strides')?.[place] ?? 1;
    const reach = ((kernel[place] ?? 1) - 1) * (intsOf(node, 'dilations')?.[place] ?? 1);
    const pad = pads[place] ?? 0;
    const reads = Math.floor(reach / stride) + 1;
    const last = Math.floor(pad / stride);
    return {
      first: span.first + (last - (reads - 1)) * span.stride,
      last: span.last + last * span.stride,
      stride: span.stride / stride,
    };
  });
}

function padded(node: Node, field: Field, reader: Reader): Seen {
  const pads = intsOf(node, 'pads') ?? reader.numbers(node.inputs[1] ?? '');
  if (pads === undefined || (node.inputs[3] ?? '') !== '') return 'everything';
  return mapped(field, (span, place) => shifted(span, -(pads[field.axes[place] ?? 0] ?? 0)));
}

/** The same positions counted from another start. */
const shifted = (span: Span, by: number): Span => ({
  ...span,
  first: span.first + by * span.stride,
  last: span.last + by * span.stride,
});

function sliced(node: Node, field: Field, reader: Reader): Seen {
  const [, startsName = '', endsName = '', axesName = '', stepsName = ''] = node.inputs;
  const starts = intsOf(node, 'starts') ?? reader.numbers(startsName);
  const ends = intsOf(node, 'ends') ?? reader.numbers(endsName);
  const axes = intsOf(node, 'axes') ?? reader.numbers(axesName) ?? starts?.map((_, axis) => axis);
  const steps = reader.numbers(stepsName);
  if (starts === undefined || axes === undefined) return 'everything';
  const rank = 4;
  const at = (axis: number): number => axes.findIndex((one) => (one < 0 ? one + rank : one) === axis);
  const places = field.axes.map(at);
  const bad = places.some((place) => (starts[place] ?? 0) < 0 || (steps?.[place] ?? 1) < 1);
  if (bad) return 'everything';
  const bound = places.some((place) => place >= 0 && endsInside(ends?.[place]));
  return mapped({ ...field, bound: field.bound || bound }, (span, place) => {
    const own = places[place] ?? -1;
    const moved = shifted(span, starts[own] ?? 0);
    return { ...moved, stride: span.stride * (steps?.[own] ?? 1) };
  });
}

/** Whether a slice ends at a place that is counted from the start: exporters write the end of any map as a huge number. */
const endsInside = (end = 0): boolean => end >= 0 && end < 2 ** 31 - 1;

function resized(node: Node, field: Field, reader: Reader): Seen {
  const scales = reader.numbers(node.inputs[node.op === 'Upsample' ? 1 : 2] ?? '');
  if (scales === undefined || scales.length === 0) return 'everything';
  const near = textOf(node, 'mode', 'nearest') === 'nearest' ? 0 : 1;
  return mapped(field, (span, place) => ({
    first: span.first,
    last: span.last + near * span.stride,
    stride: span.stride / (scales[field.axes[place] ?? 0] ?? 1),
  }));
}

const scaled = (field: Field, factor: number): Field =>
  mapped(field, (span) => ({ ...span, stride: span.stride * factor }));

const spaceToDepth = (field: Field, block: number): Field =>
  mapped(field, (span) => ({
    first: span.first,
    last: span.last + (block - 1) * span.stride,
    stride: span.stride * block,
  }));

function reordered(node: Node, field: Field): Seen {
  const order = intsOf(node, 'perm');
  if (order === undefined) return 'everything';
  const [vertical, horizontal] = field.axes.map((axis) => order.indexOf(axis));
  if (vertical === undefined || horizontal === undefined || vertical < 0 || horizontal < 0)
    return 'everything';
  return { ...field, axes: [vertical, horizontal] };
}

/** Whether an operation that mixes places along one axis leaves the picture's axes alone. */
function alongChannels(node: Node, field: Field): boolean {
  const rank = 4;
  const axis = node.op === 'MatMul' ? -1 : intOf(node, 'axis', -1);
  return !field.axes.includes(axis < 0 ? axis + rank : axis);
}
