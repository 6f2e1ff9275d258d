/** Recipes by name that differ from layer to layer: rows of layers and what holds for them, the first that fits counts. */

import type { RecipeInput } from './schema.ts';

export interface PresetRow {
  /** Patterns of layer names; `scores`: the layer of class scores, whatever its name. */
  readonly layers: readonly string[] | 'scores';
  readonly recipe: RecipeInput;
}

type Regularisers = NonNullable<RecipeInput['regularisers']>;

/**
 * F. Tencé, "Visualizing Deep Neural Networks Classes and Features", 2016: x = picture - mean in the network's order of
 * channels, the raw gradient of the sum of the map, or of the score; what is filtered is not on the last step.
 */
function tence(
  name: string,
  rate: number,
  regularisers: Regularisers,
  steps: number,
  of: 'activation' | 'linear' = 'activation',
): RecipeInput {
  return {
    name,
    source: 'ankivil.com/visualizing-deep-neural-networks-classes-and-features',
    objective: { kind: 'sum', of },
    parameterisation: { kind: 'pixels', space: 'input' },
    optimiser: { kind: 'plain' },
    rate: { kind: 'constant', value: rate },
    regularisers,
    start: { kind: 'normal', mean: 0, deviation: 10 },
    steps,
    display: { kind: 'range' },
  };
}

const clip: Regularisers[number] = { kind: 'clip' };
const median = (side: 3 | 5, every: number): Regularisers[number] => ({
  kind: 'median',
  side,
  every,
  last: false,
});

/** Layers as Keras and as Caffe name those of VGG16. */
const block = (number: number, convolution: number | '*' = '*'): string[] => [
  `block${number}_conv${convolution}`,
  `conv${number}_${convolution}`,
];

const vgg16: readonly (Pick<PresetRow, 'layers'> & { rate: number; filters: Regularisers })[] = [
  { layers: block(1), rate: 1, filters: [] },
  { layers: block(2), rate: 2, filters: [median(3, 12)] },
  { layers: block(3, 1), rate: 6, filters: [median(3, 6)] },
  { layers: block(3), rate: 10, filters: [median(3, 6)] },
  { layers: block(4), rate: 40, filters: [median(5, 4)] },
  { layers: block(5), rate: 80, filters: [median(5, 4)] },
  { layers: 'scores', rate: 8000, filters: [median(5, 4)] },
];

const caffenet: typeof vgg16 = [
  { layers: ['conv1*'], rate: 10, filters: [] },
  { layers: ['conv2*'], rate: 50, filters: [median(3, 12)] },
  { layers: ['conv3*'], rate: 100, filters: [median(3, 6)] },
  { layers: ['conv4*'], rate: 200, filters: [median(5, 6)] },
  { layers: ['conv5*'], rate: 300, filters: [median(5, 4)] },
  { layers: 'scores', rate: 30_000, filters: [median(5, 4)] },
];

const table = (
  name: string,
  rows: typeof vgg16,
  regularisers: (filters: Regularisers) => Regularisers,
): readonly PresetRow[] =>
  rows.map(({ layers, rate, filters }) => ({
    layers,
    recipe:
      layers === 'scores'
        ? tence(name, rate, regularisers(filters), 1000, 'linear')
        : tence(name, rate, regularisers(filters), 200),
  }));

const decay: Regularisers[number] = { kind: 'decay', amount: 0.01, last: false };
const blur: Regularisers[number] = { kind: 'blur', deviation: 0.5, every: 8, last: false };

export const presetTables = {
  'tence-vgg16': table('tence-vgg16', vgg16, (filters) => [clip, ...filters]),
  'tence-caffenet': table('tence-caffenet', caffenet, (filters) => [clip, ...filters]),
  // The steps of the text on the way to its tables, each with what those before it have.
  'tence-naive': table('tence-naive', vgg16, () => []),
  'tence-clip': table('tence-clip', vgg16, () => [clip]),
  'tence-decay': table('tence-decay', vgg16, () => [clip, decay]),
  'tence-blur': table('tence-blur', vgg16, () => [clip, decay, blur]),
} as const satisfies Record<string, readonly PresetRow[]>;
