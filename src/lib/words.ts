/** Numbers and measures as a reader meets them: three digits, true minus signs, whole sentences. */

import type { GalleryModel, LayerSummary, Measures, UnitRecord } from '../../content/schema.ts';

const thinSpace = '\u202f';
const superscripts: Readonly<Record<string, string>> = Object.fromEntries(
  [...'0123456789-'].map((digit, place) => [digit, '⁰¹²³⁴⁵⁶⁷⁸⁹⁻'[place] as string]),
);

/** Three significant digits: `4.31`, `−0.02`, `13 400`, `2.1 × 10⁻⁵`. */
export function inDigits(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (value === 0) return '0';
  const sign = value < 0 ? '−' : '';
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e9) {
    const [digits = '', exponent = ''] = size.toExponential(1).split('e');
    const raised = [...exponent.replace('+', '')].map((digit) => superscripts[digit]).join('');
    return `${sign}${digits} × 10${raised}`;
  }
  const rounded = Number(size.toPrecision(3));
  if (rounded >= 1000) return sign + inThousands(rounded);
  return sign + rounded;
}

/** A whole number with its thousands apart: `1 199 882`. */
export function inThousands(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, thinSpace);
}

/** A share of 1 in per cent; what is not quite nothing or all does not look as if it were. */
export function inPercent(share: number): string {
  if (share > 0 && share < 0.005) return `under 1${thinSpace}%`;
  if (share < 1 && share >= 0.995) return `over 99${thinSpace}%`;
  return `${Math.round(share * 100)}${thinSpace}%`;
}

/** A probability as papers print it: `.998`, `> .999` (a softmax in floats may say 1), `< .001`. */
export function asProbability(value: number): string {
  if (value > 0.9995) return '> .999';
  if (value < 0.0005) return '< .001';
  return value.toFixed(3).replace(/^0/, '');
}

// Made once: each costs a tenth of a page.
const dayFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });

/** A moment such as `21 November 2026`. */
export function asDay(moment: string): string {
  return dayFormat.format(new Date(moment));
}

/** `40 ms`, `1.2 s` */
export function asDuration(seconds: number): string {
  return seconds < 1 ? `${inDigits(Math.round(seconds * 1000))} ms` : `${inDigits(seconds)} s`;
}

/** Names from files are untrusted: no control or direction characters, and cut at `most` characters. */
export function plainName(name: string, most = 60): string {
  const characters = [...name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '')];
  const plain = characters.length > most ? `${characters.slice(0, most - 1).join('')}…` : characters.join('');
  return plain.trim() === '' ? '(no name)' : plain;
}

type Kind = LayerSummary['kind'];

const kinds: Record<Kind, { readonly layer: string; readonly units: readonly [string, string] }> = {
  conv: { layer: 'convolution', units: ['filter', 'filters'] },
  dense: { layer: 'dense layer', units: ['neuron', 'neurons'] },
  scores: { layer: 'class scores', units: ['class', 'classes'] },
  other: { layer: 'layer', units: ['unit', 'units'] },
};

export const kindInWords = (kind: Kind): string => kinds[kind].layer;

/** `1 filter`, `4 096 neurons` */
export function countUnits(count: number, kind: Kind): string {
  return `${inThousands(count)} ${kinds[kind].units[count === 1 ? 0 : 1]}`;
}

/** What people call a unit: its class, or its number. */
export function unitName(unit: Pick<UnitRecord, 'unit' | 'label'>): string {
  return unit.label === undefined ? `Unit ${unit.unit}` : plainName(unit.label);
}

/** Kept on one line: `26 × 26`. */
const byInWords = (heightPx: number, widthPx: number): string => `${heightPx}\u00a0×\u00a0${widthPx}`;

/** `26 × 26 map`, or nothing for a layer without one. */
export function mapInWords(output: readonly number[]): string | undefined {
  const [, height, width] = output;
  if (height === undefined || width === undefined || height * width === 1) return undefined;
  return `${byInWords(height, width)}\u00a0map`;
}

/** What one value of the layer's map sees of the picture. */
export function fieldInWords({
  receptiveFieldPx,
  picture: { heightPx, widthPx },
}: Pick<LayerSummary, 'receptiveFieldPx' | 'picture'>): string {
  if (receptiveFieldPx === null || receptiveFieldPx >= Math.max(heightPx, widthPx)) {
    return 'sees the whole picture';
  }
  const field = byInWords(receptiveFieldPx, receptiveFieldPx);
  return `sees ${field} of ${byInWords(heightPx, widthPx)} pixels`;
}

/** What pictures a network takes. */
export function inputInWords({ heightPx, widthPx, channels }: GalleryModel['input']): string {
  const colour = channels === 1 ? 'grey' : 'colour';
  if (heightPx === null || widthPx === null) return `takes pictures of any size, ${colour}`;
  return `takes ${byInWords(heightPx, widthPx)} pixels, ${colour}`;
}

/** How the answer to the picture stands to the answer to its start, as the end of a sentence. */
export function gainInWords({ activation, initialActivation }: Measures): string {
  if (initialActivation <= 0) return 'where the start left it silent';
  const times = activation / initialActivation;
  if (times < 1.05) return 'no more than to its start';
  return `${times < 10 ? times.toFixed(1) : inDigits(times)} times as strongly as to its start`;
}

/** The unit in one or two sentences. */
export function summary({ measures, label }: UnitRecord): string {
  const { activation, initialActivation, dead } = measures;
  if (dead)
    return 'This unit is dead. Nothing that was tried, from any start, made it active: to all of it, it answers 0.';
  if (label !== undefined) {
    return `The network gives this picture a score of ${inDigits(activation)} for ${plainName(label)}; the one it grew from got ${inDigits(initialActivation)}.`;
  }
  return `It answers with ${inDigits(activation)} to this picture, ${gainInWords(measures)}.`;
}

export interface Measure {
  readonly name: string;
  readonly value: string;
  readonly meaning: string;
}

/**
 * The measures of a unit, each with what it means.
 * @param all Also one that is the same as another, where units stand side by side.
 */
export function measuresInWords(measures: Measures, kind: Kind, all = false): Measure[] {
  const rows: Measure[] = [
    {
      name: kind === 'scores' ? 'Score' : 'Activation',
      value: inDigits(measures.activation),
      meaning:
        kind === 'scores'
          ? 'What the network gives this class, before softmax.'
          : kind === 'dense'
            ? "The neuron's output for this picture."
            : "Mean of the filter's map for this picture.",
    },
    {
      name: 'At the start',
      value: inDigits(measures.initialActivation),
      meaning: 'The same for the picture that it grew from.',
    },
  ];
  if (kind === 'conv' || kind === 'other') {
    rows.push({
      name: 'Peak',
      value: inDigits(measures.maxActivation),
      meaning: 'The strongest place of the map.',
    });
  }
  if (all ? kind !== 'scores' : measures.linearActivation !== measures.activation) {
    rows.push({
      name: 'Before activation',
      value: inDigits(measures.linearActivation),
      meaning: 'The mean before the activation function.',
    });
  }
  if (measures.keptUnderShifts !== null) {
    rows.push({
      name: 'Kept when moved',
      value: inPercent(measures.keptUnderShifts),
      meaning: 'What is left when the picture moves by a pixel or two.',
    });
  }
  if (measures.keptUnderScales !== null && measures.keptUnderScales !== undefined) {
    rows.push({
      name: 'Kept when resized',
      value: inPercent(measures.keptUnderScales),
      meaning: 'What is left when the picture is a twentieth larger or smaller.',
    });
  }
  if (measures.equalContrastActivation !== undefined) {
    rows.push({
      name: 'At equal contrast',
      value: inDigits(measures.equalContrastActivation),
      meaning: 'The activation at the one contrast that recipes are compared at.',
    });
  }
  if (measures.highFrequencyShare !== undefined) {
    rows.push({
      name: 'Fine structure',
      value: inPercent(measures.highFrequencyShare),
      meaning: 'Share of the picture in details finer than four pixels.',
    });
  }
  rows.push({
    name: 'Black or white',
    value: inPercent(measures.harshShare),
    meaning: 'Share of pixel values at the ends of the scale.',
  });
  if (measures.probability !== undefined) {
    rows.push({
      name: 'Probability',
      value: asProbability(measures.probability),
      meaning: 'That the picture is of this class, as the network sees it.',
    });
  }
  return rows;
}

/** The picture for those who do not see it. */
export function pictureInWords(model: string, layer: string, unit: UnitRecord): string {
  const where = `${plainName(layer)} of ${plainName(model)}`;
  const who =
    unit.label === undefined ? `unit ${unit.unit}` : `class ${plainName(unit.label)} (unit ${unit.unit})`;
  if (unit.measures.dead) return `No picture excites ${who} of ${where}: the unit is dead`;
  const much = unit.label === undefined ? 'mean activation' : 'score';
  return `Picture that excites ${who} of ${where} most: ${much} ${inDigits(unit.measures.activation)}`;
}

/** The same beside many others: `MNIST ConvNet, conv2d_1, unit 17: activation 4.31`. */
export function tileInWords(model: string, layer: string, unit: number, measured?: Measures): string {
  const place = `${plainName(model)}, ${plainName(layer)}, unit ${unit}`;
  return measured === undefined ? place : `${place}: activation ${inDigits(measured.activation)}`;
}

/** What the network made of the picture: `7, p = .998`. */
export function predictionInWords(prediction: NonNullable<Measures['prediction']>): string {
  const name = prediction.label === undefined ? `class ${prediction.unit}` : plainName(prediction.label);
  const probability = asProbability(prediction.probability);
  return `${name}, p ${/^[<>]/.test(probability) ? '' : '= '}${probability}`;
}

/** Any JSON value on one line, its kind first: `jitter, pixels 4`. */
export function valueInWords(value: unknown): string {
  if (typeof value === 'number') return Number.isInteger(value) ? inThousands(value) : String(value);
  if (Array.isArray(value)) {
    if (value.length === 0) return 'none';
    const words = value.map(valueInWords);
    return value.some((item) => typeof item === 'object') ? words.join('; ') : `[${words.join(', ')}]`;
  }
  if (typeof value === 'object' && value !== null) {
    const { kind, ...rest } = value as Record<string, unknown>;
    const parts = Object.entries(rest).map(([key, part]) => `${spaced(key)} ${valueInWords(part)}`);
    return [...(kind === undefined ? [] : [valueInWords(kind)]), ...parts].join(', ');
  }
  return plainName(String(value), 200);
}

/** A recipe as rows of name and text. */
export function recipeInWords(recipe: Readonly<Record<string, unknown>>): { name: string; text: string }[] {
  return Object.entries(recipe).map(([key, value]) => ({ name: spaced(key), text: valueInWords(value) }));
}

/** `normEpsilon` → `norm epsilon` */
const spaced = (key: string): string =>
  plainName(key.replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ').toLowerCase(), 40);
