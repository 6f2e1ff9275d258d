/**
 * `Shift`, an operation of our own that graphs are written in and no engine has, in two forms.
 *
 * out[n, c, y, x] = in[n, c, y - down[n], x - right[n]] of [N, C, H, W] values, `down` and `right` [N, 1, 1, 1], whole numbers of
 * at most `pixels` each way; with the attribute `back` they count upwards and to the left. What comes in at the border comes
 * from the other side where it `wraps`, and is 0 where it does not; `sides` are H and W.
 */

import type { GraphBuilder } from '../network/build.ts';
import { float32, int, intOf, intsOf, type Node } from '../network/graph.ts';
import type { Form } from './forms.ts';

interface Shift {
  readonly x: string;
  readonly down: string;
  readonly right: string;
  readonly height: number;
  readonly width: number;
  readonly pixels: number;
  readonly wraps: boolean;
  readonly back: boolean;
}

function shiftOf(node: Node): Shift {
  const [x = '', down = '', right = ''] = node.inputs;
  const [height = 1, width = 1] = intsOf(node, 'sides') ?? [];
  const [wraps, back] = [intOf(node, 'wraps', 0) === 1, intOf(node, 'back', 0) === 1];
  return { x, down, right, height, width, pixels: intOf(node, 'pixels', 0), wraps, back };
}

/** A product from the left and one from the right with shifted identity matrices. */
export const shiftByProducts: Form = (build, node) => {
  const { x, down, right, height, width, back, ...how } = shiftOf(node);
  const rows = build.add('MatMul', [
    identityShifted(build, down, { ...how, side: height, before: !back }),
    x,
  ]);
  return build.add('MatMul', [rows, identityShifted(build, right, { ...how, side: width, before: back })]);
};

/**
 * The matrix [N, 1, side, side] that is max(0, 1 - |row - column - offset|) for an `offset` [N, 1, 1, 1] of at most `pixels`; or
 * column - row, where the offset is not `before`. Where it wraps, the way round is taken where that is shorter, or the same is
 * written one side before and after where either way may be.
 */
function identityShifted(
  build: GraphBuilder,
  offset: string,
  { side, pixels, wraps, before }: { side: number; pixels: number; wraps: boolean; before: boolean },
): string {
  const hasShorterWay = wraps && 2 * (pixels + 1) <= side;
  const triangle = (wrapped: number): string => {
    const distance = new Float32Array(side * side);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        const straight = before ? row - column : column - row;
        const round = hasShorterWay ? side * Math.round(straight / side) : 0;
        distance[row * side + column] = straight - round + wrapped;
      }
    }
    const constant = build.constant(float32([1, 1, side, side], distance), 'distance');
    const away = build.add('Abs', [build.add('Sub', [constant, offset])]);
    return build.add('Relu', [build.add('Sub', [build.scalar(1), away])]);
  };
  if (!wraps || hasShorterWay) return triangle(0);
  return build.add('Add', [build.add('Add', [triangle(0), triangle(side)]), triangle(-side)]);
}

/** Of both products, multiplications a channel: with fewer of them the nodes of a picture cost more. */
const fewProducts = 2 ** 19;

/**
 * Each picture is cut out of itself in a frame of `pixels`; undefined where products are faster, and where the frame would be
 * wider than the picture.
 */
export const shiftBySlices: Form = (build, node) => {
  const { x, down, right, height, width, pixels, wraps, back } = shiftOf(node);
  const batch = Number(build.inputs.find(({ name }) => name === down)?.dims[0]);
  const isSmall = height * width * (height + width) < fewProducts;
  if (isSmall || !Number.isInteger(batch) || pixels > Math.min(height, width)) return undefined;
  const framed = wraps
    ? wrapped(build, wrapped(build, x, 2, height, pixels), 3, width, pixels)
    : build.add('Pad', [x, build.shape([0, 0, pixels, pixels, 0, 0, pixels, pixels])]);
  const pictures = Array.from({ length: batch }, (_, picture) => picture);
  /** Where each begins: number, row, column. */
  const unmoved = pictures.flatMap((picture) => [picture, pixels, pixels]);
  const sign = back ? 1 : -1;
  const moved = build.add('Add', [
    build.add('Add', [
      build.constant(float32([batch, 3, 1, 1], unmoved)),
      build.add('Mul', [down, build.perChannel([0, sign, 0])]),
    ]),
    build.add('Mul', [right, build.perChannel([0, 0, sign])]),
  ]);
  const flat = build.add('Reshape', [moved, build.shape([-1])]);
  const starts = build.add('Cast', [flat], { to: int(int64Type) });
  const ends = build.add('Add', [starts, build.shape(pictures.flatMap(() => [1, height, width]))]);
  const own = (corners: string, picture: number): string =>
    build.add('Slice', [corners, build.shape([3 * picture]), build.shape([3 * picture + 3])]);
  const axes = build.shape([0, 2, 3]);
  const cut = pictures.map((picture) =>
    build.add('Slice', [framed, own(starts, picture), own(ends, picture), axes]),
  );
  return build.add('Concat', cut, { axis: int(0) });
};

/** ONNX's number of this type of numbers. */
const int64Type = 7;

/** With `pixels` of either side of an axis beside the other. */
function wrapped(build: GraphBuilder, x: string, axis: number, side: number, pixels: number): string {
  const part = (from: number, to: number): string =>
    build.add('Slice', [x, build.shape([from]), build.shape([to]), build.shape([axis])]);
  return build.add('Concat', [part(side - pixels, side), x, part(0, pixels)], { axis: int(axis) });
}
