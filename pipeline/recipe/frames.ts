/** Which steps of an ascent are kept as frames. */

/** 0, 1, 2, 4, 8 … and the last. */
export function frameSteps(steps: number): number[] {
  const kept = [0];
  for (let step = 1; step < steps; step *= 2) kept.push(step);
  return steps > 0 ? [...kept, steps] : kept;
}
