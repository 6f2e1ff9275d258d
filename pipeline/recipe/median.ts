/**
 * The median of a square window as a network of exchanges: (a, b) ⇒ (min, max), on whole planes at once. The columns
 * of the window are sorted once and shared by neighbouring windows; then its rows; what cannot be the median any more
 * is dropped, and of the rest the two extremes again and again.
 */

import type { GraphBuilder } from '../network/build.ts';
import { int, int64 } from '../network/graph.ts';
import { mirrored } from './resampling.ts';

/** A value that is written when somebody asks for its name: an exchange of which one side is needed writes one node. */
type Wire = () => string;

function wire(write: () => string): Wire {
  let name: string | undefined;
  return () => {
    name ??= write();
    return name;
  };
}

/** Writes the median over `side` × `side` (odd) neighbours of an [N, C, height, width] value, the border mirrored. */
export function median(
  build: GraphBuilder,
  value: string,
  side: number,
  { height, width }: { readonly height: number; readonly width: number },
): string {
  const order = (wires: Wire[], low: number, high: number): void => {
    const [a, b] = [wires[low] as Wire, wires[high] as Wire];
    wires[low] = wire(() => build.add('Min', [a(), b()]));
    wires[high] = wire(() => build.add('Max', [a(), b()]));
  };
  const sorted = (wires: readonly Wire[]): Wire[] => {
    const list = [...wires];
    for (let end = list.length - 1; end > 0; end--)
      for (let place = 0; place < end; place++) order(list, place, place + 1);
    return list;
  };
  const withoutExtremes = (wires: readonly Wire[]): Wire[] => {
    const list = [...wires];
    const last = list.length - 1;
    const half = Math.floor(list.length / 2);
    for (let place = 0; place < half; place++) order(list, place, last - place);
    for (let place = 1; place <= last - half; place++) order(list, 0, place);
    for (let place = half; place < last; place++) order(list, place, last);
    return list.slice(1, -1);
  };

  const offsets = Array.from({ length: side }, (_, index) => index - (side - 1) / 2);
  const views = (from: Wire, axis: 2 | 3): Wire[] => {
    const length = axis === 2 ? height : width;
    return offsets.map((offset) => {
      if (offset === 0) return from;
      const places = Array.from({ length }, (_, place) => mirrored(place + offset, length));
      return wire(() =>
        build.add('Gather', [from(), build.constant(int64(places), 'neighbours')], { axis: int(axis) }),
      );
    });
  };
  const rows = sorted(views(() => value, 2)).map((row) => sorted(views(row, 3)));

  // Of a square with sorted rows and columns, (i + 1)(j + 1) values are at most and (n - i)(n - j) at least entry (i, j).
  const half = (side * side + 1) / 2;
  const rest = rows.flatMap((row, i) =>
    row.filter((_, j) => (i + 1) * (j + 1) <= half && (side - i) * (side - j) <= half),
  );
  let pool = rest.splice(0, (rest.length + 3) / 2);
  while (pool.length > 1) pool = [...withoutExtremes(pool), ...rest.splice(0, 1)];
  return (pool[0] as Wire)();
}
