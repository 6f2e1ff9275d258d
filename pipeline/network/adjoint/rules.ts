/** The rule of every operation that has one. */

import { activation } from './activation.ts';
import { arithmetic } from './arithmetic.ts';
import { convolution } from './convolution.ts';
import { linear } from './linear.ts';
import { normalisation } from './normalisation.ts';
import { pooling } from './pooling.ts';
import { reduction } from './reduction.ts';
import { resampling } from './resampling.ts';
import type { Rules } from './rule.ts';
import { shape } from './shape.ts';

export const rules: Rules = {
  ...activation,
  ...arithmetic,
  ...convolution,
  ...linear,
  ...normalisation,
  ...pooling,
  ...reduction,
  ...resampling,
  ...shape,
};
