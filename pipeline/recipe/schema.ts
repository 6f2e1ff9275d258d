/**
 * The recipe: all that decides how a picture is made, as JSON. One schema, defaults applied here and nowhere else.
 * What cannot be written down here cannot change a pixel.
 */

import { z } from 'zod';

const finite = z.number();
const positive = finite.positive();

const ofMap = {
  of: z
    .enum(['activation', 'linear'])
    .default('linear')
    .describe(
      "The unit's map after its activation function, or before it, where silent starts have a gradient.",
    ),
  leak: finite
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'With `activation`: this share of the linear map is added, so that silent starts have a gradient.',
    ),
};

export const objective = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('mean').describe("Mean of the unit's map; for a dense unit or a class its value."),
    ...ofMap,
  }),
  z.strictObject({ kind: z.literal('sum').describe("Sum of the unit's map."), ...ofMap }),
  z.strictObject({
    kind: z
      .literal('centre')
      .describe("The unit's centre neuron: row floor(h/2), column floor(w/2) of its map."),
    ...ofMap,
  }),
  z.strictObject({
    kind: z.literal('probability').describe("The unit's softmax probability among all units of its layer."),
  }),
]);
export type Objective = z.infer<typeof objective>;

const grey = z
  .union([z.literal('network'), finite.min(0).max(255)])
  .default('network')
  .describe(
    'Value of 0..255 that the picture varies around; `network`: the one that the input scaling takes to 0, or 127.5 where that is no grey.',
  );

export const parameterisation = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('pixels').describe('The picture itself.'),
    space: z
      .enum(['input', 'picture'])
      .default('picture')
      .describe(
        '`picture`: 0..255 RGB, scaled for the network; `input`: the very numbers that the network takes.',
      ),
  }),
  z.strictObject({
    kind: z
      .literal('fourier')
      .describe(
        'A Fourier spectrum with frequencies scaled by 1/f and decorrelated colours, through a sigmoid to 0..255.',
      ),
  }),
  z.strictObject({
    kind: z
      .literal('sphere')
      .describe(
        'A Fourier spectrum whose picture is kept at one contrast around grey, with a free mean colour.',
      ),
    grey,
    contrast: positive.max(128).default(48).describe('RMS deviation from grey, of 255, before clipping.'),
    lowPass: positive
      .max(2)
      .default(0.3)
      .describe(
        'Frequency in cycles a pixel at which the spectrum is damped to 1/e, as exp(-(f/lowPass)^4).',
      ),
    colourRate: finite
      .min(0)
      .default(2)
      .describe(
        "Step size of the mean colour, as a multiple of the optimiser's rate; 0 keeps the mean at grey.",
      ),
  }),
]);
export type Parameterisation = z.infer<typeof parameterisation>;

export const transform = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('jitter').describe('Moves the picture by whole pixels, another way at each step.'),
    pixels: z.int().min(1).max(64).describe('Largest shift in each direction.'),
    border: z
      .enum(['wrap', 'grey'])
      .default('wrap')
      .describe(
        'What comes in at the border: the other side, or the grey of the parameterisation (else of the network).',
      ),
  }),
]);
export type Transform = z.infer<typeof transform>;

const normalise = z
  .enum(['none', 'rms', 'l2'])
  .default('none')
  .describe('The gradient is divided by its root mean square or its Euclidean norm, a picture at a time.');
const epsilonOfNorm = finite.min(0).default(1e-5).describe('Added to that divisor.');

export const optimiser = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('plain').describe('x += rate · g'),
    normalise,
    normEpsilon: epsilonOfNorm,
  }),
  z.strictObject({
    kind: z.literal('adam').describe('Adam (Kingma, Ba, 2015), upwards, both moments bias-corrected.'),
    beta1: finite.min(0).lt(1).default(0.9),
    beta2: finite.min(0).lt(1).default(0.999),
    epsilon: positive.default(1e-8).describe('Outside the root.'),
    normalise,
    normEpsilon: epsilonOfNorm,
  }),
]);
export type Optimiser = z.infer<typeof optimiser>;

export const rate = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('constant'), value: positive }),
  z.strictObject({
    kind: z.literal('reciprocal').describe('1 / (a + b · step), step from 0.'),
    a: positive,
    b: finite.min(0),
  }),
]);
export type Rate = z.infer<typeof rate>;

const when = {
  every: z
    .int()
    .min(1)
    .optional()
    .describe('After the steps 0, n, 2n … alone, counted from 0; after each where it is left out.'),
  last: z
    .boolean()
    .optional()
    .describe('false: not after the last step, so that the finished picture is as the network wants it.'),
};

export const regulariser = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('clip').describe('After each step: to what a picture of 0..255 can be. For `pixels`.'),
  }),
  z.strictObject({
    kind: z.literal('decay').describe('x *= 1 - amount. For `pixels`.'),
    amount: finite.min(0).max(1),
    ...when,
  }),
  z.strictObject({
    kind: z.literal('blur').describe('Gaussian blur, the border mirrored. For `pixels`.'),
    deviation: positive.max(16).describe('In pixels.'),
    ...when,
  }),
  z.strictObject({
    kind: z
      .literal('median')
      .describe('Median filter, the border mirrored, a channel at a time. For `pixels`.'),
    side: z.union([z.literal(3), z.literal(5)]).describe('Of the square window, in pixels.'),
    ...when,
  }),
]);
export type Regulariser = z.infer<typeof regulariser>;

export const octaves = z.strictObject({
  count: z.int().min(2).max(16).describe('Number of sizes; the steps are shared out among them.'),
  factor: finite
    .gt(1)
    .max(4)
    .describe('From one size to the next: floor(side / factor^k), k = count - 1 … 0.'),
  interpolation: z
    .enum(['bilinear', 'bicubic'])
    .default('bilinear')
    .describe('Between the sizes: half-pixel centres, the border repeated, no antialiasing.'),
});
export type Octaves = z.infer<typeof octaves>;

export const start = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('uniform'), low: finite, high: finite }),
  z.strictObject({ kind: z.literal('normal'), mean: finite.default(0), deviation: finite.min(0) }),
  z.strictObject({ kind: z.literal('constant'), value: finite }),
]);
export type Start = z.infer<typeof start>;

export const display = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('range').describe('As it is: 0..255, clipped and rounded.') }),
  z.strictObject({
    kind: z
      .literal('standardise')
      .describe(
        '(x - mean) / deviation · `deviation` + `mean`, of 0..1, clipped: the published look of many notebooks.',
      ),
    mean: finite.default(0.5),
    deviation: positive.default(0.1),
  }),
  z.strictObject({
    kind: z
      .literal('positive')
      .describe('Minus the mean, negative values to 0, scaled so that the largest is 255.'),
  }),
]);
export type Display = z.infer<typeof display>;

/** What a recipe says, field by field. */
export const recipeFields = z.strictObject({
  name: z.string().min(1).max(60).describe('What people call it.'),
  source: z.string().optional().describe('Where it was published.'),
  objective: objective.describe('The number to maximise.'),
  parameterisation: parameterisation.describe('What is optimised, and how a picture comes from it.'),
  transforms: z.array(transform).default([]).describe('Put between picture and network, first to last.'),
  optimiser: optimiser.describe('How the gradient becomes a step.'),
  rate: rate.describe('The size of a step.'),
  regularisers: z.array(regulariser).default([]).describe('Done between steps, first to last.'),
  start: start.describe('Where the ascent starts, in the space of the parameterisation.'),
  steps: z.int().min(0).max(100_000).describe('Number of updates.'),
  octaves: octaves
    .optional()
    .describe('Multi-scale: the ascent starts small and goes on in ever larger pictures. For `pixels`.'),
  attempts: z
    .int()
    .min(1)
    .max(16)
    .default(1)
    .describe(
      'A unit that stays silent is started anew from other random numbers, this often in all; the best is kept.',
    ),
  wake: z
    .boolean()
    .default(false)
    .describe('A unit that no attempt made active is shown as the recipe `wake` finds it, where that does.'),
  display: display.describe('How the finished picture is shown as 8 bits.'),
});

/** A recipe, and what its fields ask of each other. */
export const recipe = recipeFields.superRefine((own, context) => {
  if (own.parameterisation.kind === 'pixels') return;
  const message = 'left out where not `pixels` but something else is optimised';
  if (own.octaves !== undefined) context.addIssue({ code: 'custom', path: ['octaves'], message });
  own.regularisers.forEach((_, index) => {
    context.addIssue({ code: 'custom', path: ['regularisers', index], message });
  });
});
/** A resolved recipe: every field is there. */
export type Recipe = z.infer<typeof recipe>;
/** A recipe as people may write it: fields with a default may be left out. */
export type RecipeInput = z.input<typeof recipe>;
