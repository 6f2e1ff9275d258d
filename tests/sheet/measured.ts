/** A picture's measures, of which a test names those that it is about. */

import type { Measures } from '../../content/schema.ts';
import type { Measured } from '../../pipeline/sheet/means.ts';

export function measured(changes: Partial<Measures>, seconds = 1): Measured {
  const measures: Measures = {
    activation: 1,
    maxActivation: 1,
    initialActivation: 0,
    linearActivation: 1,
    keptUnderShifts: 1,
    harshShare: 0,
    dead: false,
    ...changes,
  };
  return { measures, seconds };
}
