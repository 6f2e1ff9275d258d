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

/** F. Chollet, "How convolutional neural networks see the world": x in 0..255 as the network takes it, no mean subtracted. */
const kerasBlog: RecipeInput = {
  name: 'keras-blog',
  source: 'blog.keras.io/how-convolutional-neural-networks-see-the-world.html',
  objective: { kind: 'mean', of: 'activation' },
  parameterisation: { kind: 'pixels', space: 'input' },
  optimiser: { kind: 'plain', normalise: 'rms' },
  rate: { kind: 'constant', value: 1 },
  start: { kind: 'uniform', low: 118, high: 138 },
  steps: 20,
  display: { kind: 'standardise', mean: 0.5, deviation: 0.1 },
};

/** L. Strika: the Keras blog's update in pictures that grow by a fifth each time. */
const multiScale: RecipeInput = {
  ...kerasBlog,
  name: 'multi-scale',
  source: 'datastuff.tech, "Feature Visualization on Convolutional Neural Networks (Keras)"',
  octaves: { count: 4, factor: 1.2, interpolation: 'bilinear' },
};

/**
 * lucid's `render_vis` with its defaults (Olah, Mordvintsev, Schubert, "Feature Visualization", Distill, 2017). Its
 * jitter of d cuts a window d smaller at one of d + 1 places: up to d / 2 each way from the middle.
 */
const lucid: RecipeInput = {
  name: 'lucid',
  source: 'github.com/tensorflow/lucid, optvis/render.py and optvis/transform.py',
  objective: { kind: 'mean', of: 'activation' },
  parameterisation: { kind: 'fourier' },
  transforms: [
    { kind: 'pad', pixels: 12, border: 127.5 },
    { kind: 'jitter', pixels: 4, border: 'crop' },
    { kind: 'scale', factors: [0.9, 0.92, 0.94, 0.96, 0.98, 1, 1.02, 1.04, 1.06, 1.08, 1.1] },
    {
      kind: 'rotate',
      degrees: [...Array.from({ length: 21 }, (_, place) => place - 10), 0, 0, 0, 0, 0],
    },
    { kind: 'jitter', pixels: 2, border: 'crop' },
  ],
  relu: { kind: 'redirected', steps: 16 },
  optimiser: { kind: 'adam' },
  rate: { kind: 'constant', value: 0.05 },
  start: { kind: 'normal', deviation: 0.01 },
  steps: 512,
  display: { kind: 'range' },
};

/**
 * The default: ascent on the sphere of equal contrast. What a unit is silent about counts a tenth: its map before the
 * activation function is full of places that it dislikes, and an ascent on their mean would rather calm those than
 * excite any. On the sphere only directions count, so that the coefficients' growth makes equal steps ever smaller; the
 * rate grows with them.
 */
const phosphene: RecipeInput = {
  name: 'phosphene',
  objective: { kind: 'mean', of: 'activation', leak: 0.1 },
  parameterisation: { kind: 'sphere', contrast: 46, lowPass: 0.37, colourRate: 1, structureRate: 0.5 },
  transforms: [{ kind: 'jitter', pixels: 3 }],
  optimiser: { kind: 'adam', beta1: 0.85, normalise: 'rms' },
  rate: { kind: 'geometric', value: 0.05, factor: 1.03 },
  start: { kind: 'normal', deviation: 0.01 },
  steps: 60,
  attempts: 3,
  wake: true,
  display: { kind: 'range' },
};

/**
 * The last resort for silent units: the centre neuron alone, before its activation function, so that there is a
 * gradient and no average over places where the unit is inhibited; past layers that are silent below it the gradient
 * is redirected; all pictures of 0..255 are allowed, from several starts. What the neuron does not want fades to black.
 */
const wake: RecipeInput = {
  name: 'wake',
  objective: { kind: 'centre', of: 'linear' },
  parameterisation: { kind: 'pixels', space: 'picture' },
  relu: { kind: 'redirected', steps: 64 },
  optimiser: { kind: 'plain', normalise: 'rms' },
  rate: { kind: 'constant', value: 16 },
  regularisers: [{ kind: 'clip' }, { kind: 'decay', amount: 0.06, last: false }],
  start: { kind: 'uniform', low: 0, high: 255 },
  steps: 64,
  attempts: 4,
  display: { kind: 'range' },
};

/**
 * The default for small networks that were trained on white ink on black: the same sphere around black, so that half
 * of it is clipped and the rest is ink; the map after its activation function, which wants structure where the linear
 * map of an early layer wants a flat grey.
 */
const phospheneInk: RecipeInput = {
  ...phosphene,
  name: 'phosphene-ink',
  objective: { kind: 'mean', of: 'activation', leak: 0.02 },
  parameterisation: { kind: 'sphere', grey: 0, contrast: 110, lowPass: 0.25, colourRate: 2 },
  transforms: [{ kind: 'jitter', pixels: 2, border: 'grey' }],
};

/**
 * For small networks trained on ink of 0 on black: 20,000 steps with a decay towards black, so that only what the unit
 * wants is left. Number of steps and decay as such were published; a picture ends where rate = amount · x.
 */
const smallNet: RecipeInput = {
  name: 'small-net',
  objective: { kind: 'mean', of: 'linear' },
  parameterisation: { kind: 'pixels', space: 'picture' },
  optimiser: { kind: 'plain', normalise: 'rms' },
  rate: { kind: 'constant', value: 1 },
  regularisers: [{ kind: 'clip' }, { kind: 'decay', amount: 0.01, last: false }],
  start: { kind: 'uniform', low: 0, high: 32 },
  steps: 20_000,
  display: { kind: 'range' },
};

export const presets = {
  phosphene,
  'phosphene-ink': phospheneInk,
  'mnist-filters': mnistFilters,
  'mnist-digits': mnistDigits,
  wake,
  'keras-blog': kerasBlog,
  'multi-scale': multiScale,
  lucid,
  'small-net': smallNet,
} as const satisfies Record<string, RecipeInput>;
