/**
 * The objective curve above its strip: frame k stands at k + ½ frame widths, and steps between two frames lie between
 * them on a logarithmic scale, as frames do.
 */

/** Where a step stands among the frames, 0 … frames − 1. `frameSteps` ascends. */
export function framePosition(step: number, frameSteps: readonly number[]): number {
  const next = frameSteps.findIndex((frameStep) => frameStep >= step);
  if (next === -1) return Math.max(frameSteps.length - 1, 0);
  const to = frameSteps[next] ?? 0;
  if (next === 0 || to === step) return next;
  const from = frameSteps[next - 1] ?? 0;
  const share = from > 0 ? Math.log(step / from) / Math.log(to / from) : (step - from) / (to - from);
  return next - 1 + share;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Curve {
  /** The `d` of an SVG path. */
  readonly path: string;
  /** One point a frame. */
  readonly points: readonly Point[];
  /** Smallest and largest value shown. */
  readonly low: number;
  readonly high: number;
}

/** Width of one frame in the curve's own units. */
export const frameWidth = 100;

/**
 * The curve in a box of `frames.length` × `frameWidth` by `height`, y downwards, with `margin` left free above and below.
 * Values that are not finite are left out.
 */
export function drawCurve(
  curve: readonly (readonly [step: number, value: number])[],
  frames: readonly { readonly step: number; readonly objective: number }[],
  height: number,
  margin: number,
): Curve {
  const steps = frames.map(({ step }) => step);
  const shown = curve.filter(([, value]) => Number.isFinite(value));
  const values = [...shown.map(([, value]) => value), ...frames.map(({ objective }) => objective)];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const at = (step: number, value: number): Point => ({
    x: Math.round((framePosition(step, steps) + 0.5) * frameWidth),
    y: Math.round(
      high === low ? height / 2 : height - margin - ((value - low) / (high - low)) * (height - 2 * margin),
    ),
  });
  const path = shown.map(([step, value], place) => {
    const { x, y } = at(step, value);
    return `${place === 0 ? 'M' : 'L'}${x} ${y}`;
  });
  return { path: path.join(''), points: frames.map(({ step, objective }) => at(step, objective)), low, high };
}
