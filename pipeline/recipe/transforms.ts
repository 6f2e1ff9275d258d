/** (settings) ⇒ (random numbers of one step) ⇒ (picture [N, C, H, W]) ⇒ picture, all as matrix products. */

import type { GraphBuilder } from '../network/build.ts';
import { float32 } from '../network/graph.ts';
import type { PictureSize } from './parameterisations.ts';
import type { Random } from './random.ts';
import type { Transform } from './schema.ts';

/** A graph input [batch, …dims] that the host draws anew for each picture and step. */
export interface Draw {
  readonly name: string;
  readonly dims: readonly number[];
  draw(random: Random): readonly number[];
}

export interface TransformRule {
  readonly draws: readonly Draw[];
  /** `draws` are the inputs' names; `grey` is what lies between black and white, a channel. */
  write(build: GraphBuilder, value: string, draws: readonly string[], grey: readonly number[]): string;
}

/** Looks a transform up by its kind. */
export function transformRule(settings: Transform, size: PictureSize): TransformRule {
  switch (settings.kind) {
    case 'jitter':
      return jitter(settings, size);
  }
}

type Of<Kind> = Extract<Transform, { kind: Kind }>;

/** out[y, x] = in[y - d, x - e]: a product from the left and one from the right with shifted identity matrices. */
function jitter({ pixels, border }: Of<'jitter'>, { height, width }: PictureSize): TransformRule {
  const shift: Omit<Draw, 'name'> = { dims: [1, 1, 1], draw: (random) => [random.integer(-pixels, pixels)] };
  return {
    draws: [
      { ...shift, name: 'down' },
      { ...shift, name: 'right' },
    ],
    write(build, value, [down = '', right = ''], grey) {
      const move = (centred: string): string => {
        const rows = build.add('MatMul', [shiftMatrix(build, down, height, border, 'down'), centred]);
        return build.add('MatMul', [rows, shiftMatrix(build, right, width, border, 'right')]);
      };
      if (border === 'wrap') return move(value);
      const fill = build.perChannel(grey);
      return build.add('Add', [move(build.add('Sub', [value, fill])), fill]);
    },
  };
}

/**
 * A matrix [batch, 1, side, side] that moves by `offset` [batch, 1, 1, 1]: max(0, 1 - |to - from - offset|), which
 * interpolates linearly where the offset is no whole number; for `wrap` the same one side before and after.
 */
function shiftMatrix(
  build: GraphBuilder,
  offset: string,
  side: number,
  border: 'wrap' | 'grey',
  direction: 'down' | 'right',
): string {
  const triangle = (wrapped: number): string => {
    const distance = new Float32Array(side * side);
    for (let row = 0; row < side; row++) {
      for (let column = 0; column < side; column++) {
        distance[row * side + column] = (direction === 'down' ? row - column : column - row) + wrapped;
      }
    }
    const constant = build.constant(float32([1, 1, side, side], distance), 'distance');
    const away = build.add('Abs', [build.add('Sub', [constant, offset])]);
    return build.add('Relu', [build.add('Sub', [build.scalar(1), away])]);
  };
  if (border === 'grey') return triangle(0);
  return build.add('Add', [build.add('Add', [triangle(0), triangle(side)]), triangle(-side)]);
}
