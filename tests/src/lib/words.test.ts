import { describe, expect, it } from 'vitest';
import type { Measures } from '../../../content/schema.ts';
import {
  asDuration,
  asProbability,
  countUnits,
  fieldInWords,
  gainInWords,
  inDigits,
  inPercent,
  inputInWords,
  inThousands,
  mapInWords,
  measuresInWords,
  plainName,
  predictionInWords,
  recipeInWords,
} from '../../../src/lib/words.ts';

const measured = (some: Partial<Measures>): Measures => ({
  activation: 4.2,
  maxActivation: 9,
  initialActivation: 0.02,
  linearActivation: 4.2,
  keptUnderShifts: 0.94,
  keptUnderScales: 0.88,
  equalContrastActivation: 4.1,
  harshShare: 0.02,
  highFrequencyShare: 0.1,
  dead: false,
  ...some,
});

describe('numbers', () => {
  it.each([
    [0, '0'],
    [4.3149, '4.31'],
    [-0.02, '−0.02'],
    [10, '10'],
    [100, '100'],
    [999.6, '1\u202f000'],
    [13416.4, '13\u202f400'],
    [0.000021, '2.1 × 10⁻⁵'],
    [Number.NaN, '–'],
  ])('%d is written %s', (value, words) => expect(inDigits(value)).toBe(words));

  it.each([
    [999, '999'],
    [4096, '4\u202f096'],
    [14714688, '14\u202f714\u202f688'],
  ])('the whole number %d is written %s', (value, words) => expect(inThousands(value)).toBe(words));

  it.each([
    [0, '0\u202f%'],
    [0.001, 'under 1\u202f%'],
    [0.94, '94\u202f%'],
    [0.999, 'over 99\u202f%'],
    [1, '100\u202f%'],
    [1.04, '104\u202f%'],
  ])('the share %d is written %s', (value, words) => expect(inPercent(value)).toBe(words));

  it.each([
    [0.9982, '.998'],
    [0.99998, '> .999'],
    [0.0001, '< .001'],
    [0.5, '.500'],
    [1, '> .999'],
  ])('the probability %d is written %s', (value, words) => expect(asProbability(value)).toBe(words));

  it.each([
    [0.04, '40 ms'],
    [1.234, '1.23 s'],
  ])('%d seconds are written %s', (value, words) => expect(asDuration(value)).toBe(words));
});

describe('names from files', () => {
  it('lose the characters that turn or hide text', () => {
    expect(plainName('a\u202eb\u200fc\u0000d\u2028e')).toBe('abcde');
  });

  it('are cut at a whole character', () => {
    expect(plainName('🎈'.repeat(80), 5)).toBe('🎈🎈🎈🎈…');
    expect(plainName('x'.repeat(60))).toHaveLength(60);
  });

  it('are never empty', () => expect(plainName('\u200b')).toBe('(no name)'));
});

describe('layers', () => {
  it('count their units by their own word', () => {
    expect(countUnits(1, 'conv')).toBe('1 filter');
    expect(countUnits(4096, 'dense')).toBe('4\u202f096 neurons');
    expect(countUnits(10, 'scores')).toBe('10 classes');
  });

  it('say their map where they have one', () => {
    expect(mapInWords([32, 26, 24])).toBe('26\u00a0×\u00a024\u00a0map');
    expect(mapInWords([10])).toBeUndefined();
    expect(mapInWords([10, 1, 1])).toBeUndefined();
  });

  it('say what they see', () => {
    const picture = { heightPx: 28, widthPx: 28 };
    expect(fieldInWords({ receptiveFieldPx: 5, picture })).toBe(
      'sees 5\u00a0×\u00a05 of 28\u00a0×\u00a028 pixels',
    );
    expect(fieldInWords({ receptiveFieldPx: 28, picture })).toBe('sees the whole picture');
    expect(fieldInWords({ receptiveFieldPx: null, picture })).toBe('sees the whole picture');
  });
});

describe('networks', () => {
  it('say what pictures they take', () => {
    const input = { channels: 1, heightPx: 20, widthPx: 28, scaling: '0..1' as const };
    expect(inputInWords(input)).toBe('takes 20\u00a0×\u00a028 pixels, grey');
    const free = { ...input, channels: 3, heightPx: null, widthPx: null };
    expect(inputInWords(free)).toBe('takes pictures of any size, colour');
  });
});

describe('measures', () => {
  it.each([
    [{ activation: 4.2, initialActivation: 0.02 }, '210 times as strongly as to its start'],
    [{ activation: 4.2, initialActivation: 2 }, '2.1 times as strongly as to its start'],
    [{ activation: 4.2, initialActivation: 4.2 }, 'no more than to its start'],
    [{ activation: 4.2, initialActivation: 0 }, 'where the start left it silent'],
  ])('%o: %s', (some, words) => expect(gainInWords(measured(some))).toBe(words));

  it('leave out what says nothing: the peak without a map, the shift where nothing is active', () => {
    const names = (measures: Measures, kind: 'conv' | 'dense'): string[] =>
      measuresInWords(measures, kind).map(({ name }) => name);
    expect(names(measured({ keptUnderShifts: null, keptUnderScales: null }), 'dense')).toEqual([
      'Activation',
      'At the start',
      'At equal contrast',
      'Fine structure',
      'Black or white',
    ]);
    expect(names(measured({ linearActivation: 3 }), 'conv')).toEqual([
      'Activation',
      'At the start',
      'Peak',
      'Before activation',
      'Kept when moved',
      'Kept when resized',
      'At equal contrast',
      'Fine structure',
      'Black or white',
    ]);
  });

  it('say what the network made of its own picture', () => {
    expect(predictionInWords({ unit: 7, label: '7', probability: 0.9982, right: true })).toBe('7, p = .998');
    expect(predictionInWords({ unit: 3, probability: 0.99999, right: false })).toBe('class 3, p > .999');
  });
});

describe('a recipe', () => {
  it('reads as rows, with its kinds first', () => {
    expect(
      recipeInWords({
        objective: { kind: 'mean', of: 'linear' },
        transforms: [
          { kind: 'jitter', pixels: 4 },
          { kind: 'scale', by: [0.9, 1.1] },
        ],
        regularisers: [],
        optimiser: { kind: 'adam', normEpsilon: 0.00001 },
        steps: 4096,
      }),
    ).toEqual([
      { name: 'objective', text: 'mean, of linear' },
      { name: 'transforms', text: 'jitter, pixels 4; scale, by [0.9, 1.1]' },
      { name: 'regularisers', text: 'none' },
      { name: 'optimiser', text: 'adam, norm epsilon 0.00001' },
      { name: 'steps', text: '4\u202f096' },
    ]);
  });
});
