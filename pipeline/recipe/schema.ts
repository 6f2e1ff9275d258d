/**
 * The recipe: all that decides how a picture is made, as JSON. One schema, defaults applied here and nowhere else.
 * What cannot be written down here cannot change a pixel.
 */

import { z } from 'zod';

const finite = z.number();
const positive = finite.positive();

const negative = z
  .boolean()
  .optional()
  .describe('true: the negative of it, so that the picture shows what silences the unit.');

const ofMap = {
  of: z
    .enum(['activation', 'linear'])
    .default('linear')
    .describe(
      "The unit's map after its activation function, or before it, where silent starts have a gradient; of class scores both are the score before the softmax.",
    ),
  leak: finite
    .min(0)
    .max(1)
    .default(0)
    .describe(
      'With `activation`: this share of the linear map is added, so that silent starts have a gradient.',
    ),
  negative,
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
    negative,
  }),
  z.strictObject({
    kind: z
      .literal('joint')
      .describe("Mean of the unit's map plus weighted means of other units' maps of the same layer."),
    others: z
      .array(
        z.strictObject({
          unit: z.int().min(0).describe('Of the same layer, from 0.'),
          weight: finite.default(1).describe('Below 0: the picture keeps this unit silent.'),
        }),
      )
      .min(1)
      .max(16),
    ...ofMap,
  }),
  z.strictObject({
    kind: z
      .literal('norm')
      .describe(
        '(Σ|a|^p)^(1/p) over all units of the layer: what the layer sees in a picture, made stronger.',
      ),
    p: finite.min(1).max(8).default(2),
    ...ofMap,
  }),
]);
export type Objective = z.infer<typeof objective>;

const grey = z
  .union([z.literal('network'), finite.min(0).max(255)])
  .default('network')
  .describe(
    'Value of 0..255 that the picture varies around; `network`: the one that the input scaling takes to 0, or 127.5 where that is no grey.',
  );

const colours = z
  .enum(['decorrelated', 'plain'])
  .default('decorrelated')
  .describe(
    "`decorrelated`: three channels are mixed as ImageNet's colours are, so that steps are alike in all directions; `plain`: they are red, green and blue. One channel is grey in both.",
  );
const valid = z
  .enum(['sigmoid', 'clip'])
  .describe(
    'How any number v becomes a value of 0..255: 255 / (1 + e^-v), or the tangent of that at 0, clipped: 127.5 + 63.75 v.',
  );
const lowPass = positive
  .max(2)
  .describe('Frequency in cycles a pixel at which the spectrum is damped to 1/e, as exp(-(f/lowPass)^4).');
const contrast = positive.max(128).default(48).describe('RMS deviation from grey, of 255, before clipping.');
const exponent = finite.min(0).max(3).default(1).describe('n of the amplitude 1/f^n, f in cycles a pixel.');

export const parameterisation = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('pixels').describe('The picture itself.'),
    space: z
      .enum(['input', 'picture'])
      .default('picture')
      .describe(
        '`picture`: 0..255 RGB, scaled for the network; `input`: the very numbers that the network takes.',
      ),
    valid: z
      .enum(['sigmoid', 'clip'])
      .optional()
      .describe(
        'How a pixel is kept to what a picture of 0..255 can be: black + (white - black) / (1 + e^-x), or x clipped; as it is where this is left out.',
      ),
  }),
  z.strictObject({
    kind: z.literal('fourier').describe('A Fourier spectrum with frequencies scaled by 1/f^exponent.'),
    exponent,
    lowPass: lowPass.optional(),
    colours,
    valid: valid.default('sigmoid'),
  }),
  z.strictObject({
    kind: z
      .literal('pyramid')
      .describe('A Laplacian pyramid: the sum of pictures of side S, S/2, S/4 …, each enlarged to S.'),
    levels: z.int().min(2).max(8).default(4),
    colours,
    valid: valid.default('sigmoid'),
  }),
  z.strictObject({
    kind: z
      .literal('phase')
      .describe(
        "The phases of a Fourier spectrum (radians) whose magnitudes stay those of natural pictures: 1/f^exponent (D. J. Field, 1987), as MACO does with ImageNet's mean.",
      ),
    exponent,
    lowPass: lowPass.optional(),
    colours,
    grey,
    contrast,
  }),
  z.strictObject({
    kind: z
      .literal('sphere')
      .describe(
        'A Fourier spectrum whose picture is kept at one contrast around grey, with a free mean colour.',
      ),
    grey,
    contrast,
    lowPass: lowPass.default(0.3),
    colourRate: finite
      .min(0)
      .default(2)
      .describe(
        "Step size of the mean colour, as a multiple of the optimiser's rate; 0 keeps the mean at grey.",
      ),
    structureRate: finite
      .min(0)
      .default(0)
      .describe(
        'The same for the weight of the structure beside that colour, from 1 on; 0 keeps it. With it a unit that wants one colour gets it pure.',
      ),
  }),
]);
export type Parameterisation = z.infer<typeof parameterisation>;

const sidePx = z.int().min(1).max(64);

export const transform = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('jitter').describe('Moves the picture by whole pixels, another way at each step.'),
    pixels: sidePx.describe('Largest shift in each direction.'),
    border: z
      .enum(['wrap', 'grey', 'crop'])
      .default('wrap')
      .describe(
        'What comes in at the border: the other side, or the grey of the parameterisation (else of the network); `crop`: nothing, the picture gets smaller by twice `pixels`.',
      ),
  }),
  z.strictObject({
    kind: z.literal('pad').describe('Makes the picture larger on every side.'),
    pixels: sidePx.describe('On each side.'),
    border: z
      .union([z.enum(['grey', 'edge', 'reflect']), finite])
      .default('grey')
      .describe(
        'What comes in: the grey of the parameterisation, the border repeated, the picture mirrored at its outermost pixels, or a number in the space of the picture.',
      ),
  }),
  z.strictObject({
    kind: z
      .literal('scale')
      .describe(
        'Scales about the centre by one of the factors, another at each step; the size stays, grey comes in.',
      ),
    factors: z.array(finite.min(0.25).max(4)).min(1).max(64),
  }),
  z.strictObject({
    kind: z
      .literal('rotate')
      .describe('Rotates about the centre by one of the angles, another at each step; grey comes in.'),
    degrees: z.array(finite.min(-45).max(45)).min(1).max(64).describe('Above 0: clockwise.'),
  }),
  z.strictObject({
    kind: z.literal('crop').describe('Enlarges a window, another one at each step, to the whole picture.'),
    low: positive.max(1).describe("Smallest share of the picture's sides that the window takes."),
    high: positive.max(1).default(1).describe('Largest share.'),
  }),
  z.strictObject({
    kind: z.literal('noise').describe('Adds normal noise, another at each step.'),
    deviation: finite.min(0).describe('In the space of the picture.'),
  }),
  z.strictObject({
    kind: z.literal('blur').describe('Gaussian blur, the border mirrored: the network sees no finer detail.'),
    deviation: positive.max(16).describe('In pixels.'),
  }),
  z.strictObject({ kind: z.literal('flip').describe('Mirrors left and right at every other step or so.') }),
]);
export type Transform = z.infer<typeof transform>;

const normalise = z
  .enum(['none', 'rms', 'l2'])
  .default('none')
  .describe('The gradient is divided by its root mean square or its Euclidean norm, a picture at a time.');
const epsilonOfNorm = finite.min(0).default(1e-5).describe('Added to that divisor.');

const moments = {
  beta1: finite.min(0).lt(1).default(0.9),
  beta2: finite.min(0).lt(1).default(0.999),
  epsilon: positive.default(1e-8).describe('Outside the root.'),
};

export const optimiser = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('plain').describe('x += rate · g'),
    normalise,
    normEpsilon: epsilonOfNorm,
  }),
  z.strictObject({
    kind: z.literal('momentum').describe('v = decay · v + g; x += rate · v'),
    decay: finite.min(0).lt(1).default(0.9),
    nesterov: z.boolean().default(false).describe('true: x += rate · (g + decay · v)'),
    normalise,
    normEpsilon: epsilonOfNorm,
  }),
  z.strictObject({
    kind: z.literal('rmsprop').describe('v = decay · v + (1 - decay) · g²; x += rate · g / (√v + epsilon)'),
    decay: finite.min(0).lt(1).default(0.9),
    epsilon: positive.default(1e-8).describe('Outside the root.'),
    normalise,
    normEpsilon: epsilonOfNorm,
  }),
  z.strictObject({
    kind: z.literal('adam').describe('Adam (Kingma, Ba, 2015), upwards, both moments bias-corrected.'),
    ...moments,
    normalise,
    normEpsilon: epsilonOfNorm,
  }),
  z.strictObject({
    kind: z.literal('nadam').describe("Adam with Nesterov's look ahead (Dozat, 2016)."),
    ...moments,
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
  z.strictObject({
    kind: z.literal('geometric').describe('value · factor^step, step from 0.'),
    value: positive,
    factor: positive.max(2),
  }),
  z.strictObject({
    kind: z.literal('cosine').describe('Half a cosine from `value` at step 0 down to `end` after the last.'),
    value: positive,
    end: finite.min(0).default(0),
  }),
  z.strictObject({
    kind: z.literal('table').describe('`value` from step `from` on, until the next row.'),
    rows: z
      .array(z.strictObject({ from: z.int().min(0), value: positive }))
      .min(1)
      .max(64)
      .refine((rows) => rows.every(({ from }, row) => from > (rows[row - 1]?.from ?? -1)), {
        message: 'a table whose steps `from` go up',
      })
      .refine(([first]) => first?.from === 0, { message: 'a table that begins with step 0' }),
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
const share = finite.min(0).lt(1).describe('Of all pixels of the picture.');

const filters = [
  z.strictObject({
    kind: z.literal('clip').describe('To what a picture of 0..255 can be. For `pixels`.'),
    ...when,
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
  z.strictObject({
    kind: z
      .literal('bilateral')
      .describe(
        'Bilateral filter, the border mirrored: a Gaussian blur in which a neighbour counts less the more its colour differs. For `pixels`.',
      ),
    side: z.union([z.literal(3), z.literal(5), z.literal(7)]).describe('Of the square window, in pixels.'),
    deviation: positive.max(16).describe('Of the distance, in pixels.'),
    range: positive.describe('Deviation of the difference in colour, in the space of the picture.'),
    ...when,
  }),
  z.strictObject({
    kind: z.literal('small-norm').describe('Sets the pixels nearest to grey to grey. For `pixels`.'),
    share,
    ...when,
  }),
  z.strictObject({
    kind: z
      .literal('small-contribution')
      .describe('Sets the pixels to grey that add least to the objective. For `pixels`.'),
    share,
    ...when,
  }),
] as const;

const weight = positive.describe('Of what is subtracted from the objective.');

const penalties = [
  z.strictObject({
    kind: z
      .literal('total-variation')
      .describe('Subtracts weight · Σ (dx² + dy²)^(power/2), differences between neighbours of one channel.'),
    weight,
    power: finite.min(1).max(4).default(1),
    ...when,
  }),
  z.strictObject({
    kind: z.literal('norm').describe('Subtracts weight · Σ |x - grey|^p.'),
    weight,
    p: finite.min(1).max(8).default(2),
    ...when,
  }),
] as const;

/** Done to the pixels between steps. */
export const filter = z.discriminatedUnion('kind', filters);
export type Filter = z.infer<typeof filter>;
/** Subtracted from the objective. */
export const penalty = z.discriminatedUnion('kind', penalties);
export type Penalty = z.infer<typeof penalty>;

export const regulariser = z.discriminatedUnion('kind', [...filters, ...penalties]);
export type Regulariser = z.infer<typeof regulariser>;

export const diversity = z.strictObject({
  pictures: z
    .int()
    .min(2)
    .max(16)
    .describe('So many pictures of the unit climb together, from other starts.'),
  weight: positive
    .default(1)
    .describe(
      "Of what is subtracted from the objective: the mean likeness of a picture to the others, the cosine between the Gram matrices of the layer's maps, 0..1.",
    ),
  shown: z.int().min(0).default(0).describe('Which of them is kept, from 0.'),
});
export type Diversity = z.infer<typeof diversity>;

const firstSteps = z
  .int()
  .min(1)
  .default(16)
  .describe('So many steps from the start; after them the true gradient.');

export const relu = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z
      .literal('redirected')
      .describe(
        'Where a picture gets no gradient through a whole ReLU, all of it passes that does not push negative values down.',
      ),
    steps: firstSteps,
  }),
  z.strictObject({
    kind: z.literal('leaky').describe('A share of the gradient passes where a value is not above 0.'),
    slope: positive.max(1).default(0.1),
    steps: firstSteps,
  }),
]);
export type Relu = z.infer<typeof relu>;

export const stop = z.strictObject({
  window: z
    .int()
    .min(1)
    .max(10_000)
    .default(16)
    .describe('Steps that are compared with as many before them.'),
  gain: finite
    .min(0)
    .max(1)
    .default(0.01)
    .describe('The ascent ends where the mean objective rises by no more than this share of itself.'),
});
export type Stop = z.infer<typeof stop>;

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
  z.strictObject({
    kind: z.literal('grey').describe("The parameterisation's grey; of a spectrum it is 0."),
  }),
  z.strictObject({
    kind: z.literal('gradient').describe('Straight from one value to another across the picture.'),
    from: finite,
    to: finite,
    degrees: finite.default(0).describe('0: from left to right; 90: from top to bottom.'),
  }),
  z.strictObject({
    kind: z.literal('image').describe('A picture, cut to the shape that is rendered. For `pixels`.'),
    file: z
      .string()
      .min(1)
      .describe('Path from the folder of the file that holds the recipe; PNG, JPEG, WebP and others.'),
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .optional()
      .describe('Of the file; filled in when it is read, and refused where the file is another.'),
  }),
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
  relu: relu
    .optional()
    .describe(
      "What passes for ReLU's gradient at first, so that silent starts have one; the true one by default.",
    ),
  optimiser: optimiser.describe('How the gradient becomes a step.'),
  rate: rate.describe('The size of a step.'),
  regularisers: z.array(regulariser).default([]).describe('Done between steps, first to last.'),
  start: start.describe('Where the ascent starts, in the space of the parameterisation.'),
  steps: z.int().min(0).max(100_000).describe('Number of updates; the most where `stop` is given.'),
  stop: stop
    .optional()
    .describe(
      'Ends an ascent whose objective has stopped rising; after `steps` updates where it is left out.',
    ),
  octaves: octaves
    .optional()
    .describe('Multi-scale: the ascent starts small and goes on in ever larger pictures. For `pixels`.'),
  diversity: diversity
    .optional()
    .describe('Several pictures of a unit that must differ from each other, one of which is kept.'),
  attempts: z
    .int()
    .min(1)
    .max(16)
    .default(1)
    .describe(
      'A unit that stays silent is started anew from other random numbers, this often in all; the best is kept.',
    ),
  keep: z
    .literal('best')
    .optional()
    .describe(
      '`best`: every unit is started from all `attempts`, and the one is kept whose objective ends highest.',
    ),
  wake: z
    .boolean()
    .default(false)
    .describe('A unit that no attempt made active is shown as the recipe `wake` finds it, where that does.'),
  display: display.describe('How the finished picture is shown as 8 bits.'),
});

/** A recipe, and what its fields ask of each other. */
export const recipe = recipeFields.superRefine((own, context) => {
  const refuse = (message: string, ...path: (string | number)[]): void =>
    context.addIssue({ code: 'custom', path, message });
  if (own.diversity !== undefined && own.diversity.shown >= own.diversity.pictures) {
    refuse('less than `pictures`', 'diversity', 'shown');
  }
  if (own.stop !== undefined && own.octaves !== undefined) {
    refuse('left out where the steps are shared out among octaves', 'stop');
  }
  const { parameterisation: form } = own;
  if (form.kind === 'sphere' && form.structureRate > 0 && form.colourRate === 0) {
    refuse(
      '0 where `colourRate` is 0: there is no colour to weigh it against',
      'parameterisation',
      'structureRate',
    );
  }
  if (own.parameterisation.kind !== 'pixels') {
    const message = 'left out where not `pixels` but something else is optimised';
    if (own.octaves !== undefined) refuse(message, 'octaves');
    if (own.start.kind === 'image') refuse(message, 'start');
    own.regularisers.forEach((each, index) => {
      if (!isPenalty(each)) refuse(message, 'regularisers', index);
    });
  } else if (own.parameterisation.valid !== undefined) {
    own.regularisers.forEach(({ kind }, index) => {
      if (kind === 'clip') refuse('left out where `valid` keeps the pixels in range', 'regularisers', index);
    });
  }
});

export const isPenalty = (settings: Regulariser): settings is Penalty =>
  penalties.some(({ shape }) => shape.kind.value === settings.kind);

/** A resolved recipe: every field is there. */
export type Recipe = z.infer<typeof recipe>;
/** A recipe as people may write it: fields with a default may be left out. */
export type RecipeInput = z.input<typeof recipe>;
