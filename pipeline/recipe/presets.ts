/** Recipes by name: data, each with its source. */

import type { RecipeInput } from './schema.ts';

/** everettsprojects.com: filters of an MNIST ConvNet. */
const mnistFilters: RecipeInput = {
  name: 'mnist-filters',
  source: 'everettsprojects.com/2018/01/17/mnist-visualization.html',
  objective: { kind: 'mean', of: 'activation' },
  parameterisation: { kind: 'pixels', space: 'input' },
  optimiser: { kind: 'plain', normalise: 'rms' },
  rate: { kind: 'constant', value: 1 },
  start: { kind: 'uniform', low: 0, high: 255 },
  steps: 256,
  display: { kind: 'standardise', mean: 0.5, deviation: 0.1 },
};

/** everettsprojects.com: the ideal digit of each class. */
const mnistDigits: RecipeInput = {
  name: 'mnist-digits',
  source: 'everettsprojects.com/2018/01/17/mnist-visualization.html',
  objective: { kind: 'mean', of: 'linear' },
  parameterisation: { kind: 'pixels', space: 'input' },
  optimiser: { kind: 'plain', normalise: 'rms' },
  rate: { kind: 'reciprocal', a: 100, b: 10 },
  start: { kind: 'constant', value: 0 },
  steps: 4096,
  display: { kind: 'positive' },
};

/** The default: ascent on the sphere of equal contrast. */
const phosphene: RecipeInput = {
  name: 'phosphene',
  objective: { kind: 'mean', of: 'linear' },
  parameterisation: { kind: 'sphere', contrast: 48, lowPass: 0.3, colourRate: 2 },
  transforms: [{ kind: 'jitter', pixels: 4 }],
  optimiser: { kind: 'adam', normalise: 'rms' },
  rate: { kind: 'constant', value: 0.05 },
  start: { kind: 'normal', deviation: 0.01 },
  steps: 64,
  attempts: 3,
  display: { kind: 'range' },
};

export const presets = {
  phosphene,
  'mnist-filters': mnistFilters,
  'mnist-digits': mnistDigits,
} as const satisfies Record<string, RecipeInput>;
