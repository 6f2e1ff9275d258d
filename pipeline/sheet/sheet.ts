/**
 * A contact sheet: units down, recipes across, below each picture what was measured of it. One page of HTML that holds
 * its pictures, loads nothing and runs nothing. No picture file: text in a picture needs fonts, which bare machines lack,
 * and nobody could read it aloud, search it or copy a number from it.
 */

import type { LayerSummary } from '../../content/schema.ts';
import { html, Markup } from './markup.ts';
import { type Means, type Measured, meansOf, strongestOf } from './means.ts';
import { style } from './style.ts';
import { asDuration, asProbability, inDigits, inPercent, plainName } from './words.ts';

export interface Sheet {
  /** What the sheet is, in two or three words. */
  readonly kicker: string;
  readonly title: string;
  /** What is compared, in a sentence. */
  readonly lead: string;
  /** How it was made: command, machine, day. */
  readonly made: string;
  /** Recipes from left to right; the others are held against the first. */
  readonly columns: readonly SheetColumn[];
  readonly layers: readonly SheetLayer[];
  /** All that was tried, where that is more than the columns. */
  readonly trials?: TrialTable;
}

export interface SheetColumn {
  readonly name: string;
  /** What is special of it. */
  readonly note?: string;
}

export interface SheetLayer {
  readonly name: string;
  readonly kind: LayerSummary['kind'];
  /** For each column its recipe in a few words, or why it has no pictures of this layer. */
  readonly columns: readonly SheetLayerColumn[];
  readonly rows: readonly SheetRow[];
}

export type SheetLayerColumn =
  | { readonly kind: 'recipe'; readonly summary: string }
  | { readonly kind: 'none'; readonly reason: string };

export interface SheetRow {
  readonly unit: number;
  readonly label?: string;
  /** For each column; undefined where it says nothing of the layer. */
  readonly cells: readonly (SheetCell | undefined)[];
}

export type SheetCell =
  | ({
      readonly kind: 'picture';
      /** `data:` and the picture. */
      readonly url: string;
      readonly widthPx: number;
      readonly heightPx: number;
    } & Measured)
  | { readonly kind: 'none'; readonly reason: string };

export interface TrialTable {
  readonly caption: string;
  readonly head: readonly string[];
  /** `over`: beyond a limit, which ranks it behind. */
  readonly rows: readonly { readonly cells: readonly (string | number)[]; readonly over: boolean }[];
}

/** The sheet as a page of HTML. */
export async function sheetPage(sheet: Sheet): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style));
  const policy = `default-src 'none'; img-src data:; style-src 'sha256-${base64(hash)}'; base-uri 'none'; form-action 'none'`;
  const title = plainName(sheet.title, 200);
  const page = html`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${title}: ${sheet.kicker.toLowerCase()}</title>
${new Markup(`<style>${style}</style>`)}
</head>
<body>
<header>
<p class="kicker">${sheet.kicker}</p>
<h1>${title}</h1>
<p class="lead">${sheet.lead}</p>
</header>
<main>
${meansTable(sheet)}
${sheet.layers.map((layer, index) => layerTable(sheet, layer, index))}
${sheet.trials === undefined ? undefined : trialTable(sheet.trials)}
</main>
${legend(sheet)}
</body>
</html>
`;
  return page.text;
}

const base64 = (bytes: ArrayBuffer): string => btoa(String.fromCharCode(...new Uint8Array(bytes)));

/** A region that scrolls sideways where it must, by keyboard too. */
const scrolling = (label: string, content: Markup): Markup =>
  html`<div class="scroll" role="region" tabindex="0" aria-label="${label}">
${content}
</div>`;

const measuredOf = (cell: SheetCell | undefined): Measured | undefined =>
  cell?.kind === 'picture' ? cell : undefined;

const columnOf = ({ rows }: SheetLayer, place: number): (Measured | undefined)[] =>
  rows.map(({ cells }) => measuredOf(cells[place]));

/** A measure of the table of means. */
interface MeanColumn {
  readonly head: string;
  value(means: Means): string;
}

function meansTable({ columns, layers }: Sheet): Markup {
  const first = plainName(columns[0]?.name ?? '');
  const hasScores = layers.some(({ kind }) => kind === 'scores');
  const heads: MeanColumn[] = [
    { head: 'at equal contrast', value: (means) => inDigits(means.equalContrastActivation) },
    ...(columns.length < 2
      ? []
      : [{ head: `times ${first}`, value: (means: Means) => timesInWords(means.timesFirst) }]),
    ...(hasScores
      ? [{ head: 'probability', value: (means: Means) => asProbability(means.probability) }]
      : []),
    { head: 'kept when moved', value: (means) => inPercent(means.keptUnderShifts) },
    { head: 'kept when resized', value: (means) => inPercent(means.keptUnderScales) },
    { head: 'black or white', value: (means) => inPercent(means.harshShare) },
    { head: 'fine structure', value: (means) => inPercent(means.highFrequencyShare) },
    { head: 'a picture takes', value: (means) => asDuration(means.seconds) },
  ];
  const table = html`<table class="means">
<thead><tr><th scope="col">recipe</th><th scope="col" class="right">strongest of</th>${heads.map(({ head }) => html`<th scope="col" class="right">${head}</th>`)}</tr></thead>
${layers.map((layer) => meansOfLayer(layer, columns, heads))}
</table>`;
  return html`<section aria-labelledby="means">
<h2 id="means">On average</h2>
${scrolling('Means of each recipe, layer by layer', table)}
</section>`;
}

const timesInWords = (times: number | null): string => (times === null ? '–' : `${times.toFixed(2)} ×`);

function meansOfLayer(
  layer: SheetLayer,
  columns: readonly SheetColumn[],
  heads: readonly MeanColumn[],
): Markup {
  const strongest = layer.rows.map(({ cells }) => strongestOf(cells.map(measuredOf)));
  const all = columns.map((_, place) => meansOf(columnOf(layer, place), columnOf(layer, 0)));
  const wins = columns.map((_, place) => strongest.filter((winner) => winner === place).length);
  const most = Math.max(...wins);
  const rows = columns.map(({ name }, place) => {
    const own = layer.columns[place];
    const head = html`<th scope="row">${plainName(name)}</th>`;
    if (own?.kind !== 'recipe') {
      return html`<tr>${head}<td class="says quiet small" colspan="${heads.length + 1}">${own?.reason}</td></tr>
`;
    }
    const means = all[place] as Means;
    const leads = most > 0 && wins[place] === most && columns.length > 1;
    return html`<tr>${head}<td${leads ? html` class="best"` : undefined}>${wins[place]} of ${layer.rows.length}</td>${heads.map(({ value }) => html`<td>${value(means)}</td>`)}</tr>
`;
  });
  return html`<tbody>
<tr class="layer"><th scope="rowgroup" colspan="${heads.length + 2}">${plainName(layer.name)}</th></tr>
${rows}</tbody>
`;
}

function layerTable({ columns }: Sheet, layer: SheetLayer, index: number): Markup {
  const heads = columns.map(({ name, note }, place) => {
    const own = layer.columns[place];
    return html`<th scope="col"><span class="recipe">${plainName(name)}</span>${note === undefined ? undefined : html`<span class="note">${note}</span>`}${own?.kind === 'recipe' ? html`<span class="note">${own.summary}</span>` : undefined}</th>`;
  });
  const table = html`<table class="pictures">
<thead><tr><td></td>${heads}</tr></thead>
<tbody>
${layer.rows.map((row, place) => pictureRow(columns, layer, row, place))}</tbody>
</table>`;
  const name = plainName(layer.name);
  return html`<section aria-labelledby="layer-${index}">
<h2 id="layer-${index}">${name}</h2>
${scrolling(`Pictures of ${name}`, table)}
</section>
`;
}

function pictureRow(
  columns: readonly SheetColumn[],
  layer: SheetLayer,
  { unit, label, cells }: SheetRow,
  place: number,
): Markup {
  const strongest = columns.length > 1 ? strongestOf(cells.map(measuredOf)) : undefined;
  const most = Math.max(0, ...cells.map((cell) => measuredOf(cell)?.measures.equalContrastActivation ?? 0));
  const name = label === undefined ? `unit ${unit}` : plainName(label);
  const tds = columns.map((column, at) => {
    const own = layer.columns[at];
    if (own?.kind !== 'recipe') {
      return place > 0
        ? undefined
        : html`<td rowspan="${layer.rows.length}"><p class="none">${own?.reason}</p></td>`;
    }
    const cell = cells[at];
    if (cell?.kind !== 'picture') return html`<td><p class="none">${cell?.reason}</p></td>`;
    return html`<td><div class="picture">
${picture(cell, `${plainName(layer.name)}, ${name}, by ${plainName(column.name)}`)}
${facts(cell, layer.kind, at === strongest, most)}
</div></td>`;
  });
  return html`<tr>
<th scope="row"><span class="unit">${unit}${label === undefined ? undefined : html`<small>${name}</small>`}</span></th>
${tds}
</tr>
`;
}

/** Pictures up to this side are shown in whole multiples, so that their pixels can be seen. */
const snapUpToPx = 64;
const shownPx = 168;
const mostShownPx = 256;

function picture({ url, widthPx, heightPx }: Extract<SheetCell, { kind: 'picture' }>, alt: string): Markup {
  const snaps = Math.max(widthPx, heightPx) <= snapUpToPx;
  const times = snaps
    ? Math.max(1, Math.round(shownPx / widthPx))
    : Math.min(mostShownPx, Math.max(shownPx, widthPx)) / widthPx;
  const [width, height] = [Math.round(widthPx * times), Math.round(heightPx * times)];
  return html`<img src="${url}" width="${width}" height="${height}" alt="${alt}"${snaps ? html` class="snap"` : undefined}>`;
}

function facts(
  { measures, seconds }: Measured,
  kind: SheetLayer['kind'],
  isStrongest: boolean,
  most: number,
): Markup {
  const { equalContrastActivation, dead, prediction } = measures;
  const share = most > 0 ? Math.max(0, equalContrastActivation ?? 0) / most : 0;
  const wrong = prediction !== undefined && !prediction.right;
  const rows: (Markup | undefined)[] = [
    kind === 'scores' ? fact('probability', asProbability(measures.probability)) : undefined,
    wrong
      ? html`<div class="wrong"><dt>taken for</dt><dd>${prediction.label === undefined ? `class ${prediction.unit}` : plainName(prediction.label)}</dd></div>`
      : undefined,
    fact('kept when moved', inPercent(measures.keptUnderShifts)),
    fact('black or white', inPercent(measures.harshShare)),
    fact('took', asDuration(seconds)),
  ];
  return html`<svg class="${isStrongest ? 'bar best' : 'bar'}" aria-hidden="true" focusable="false"><rect width="${(100 * share).toFixed(1)}%" height="100%"/></svg>
<dl>
<div class="first"><dt>at equal contrast</dt><dd class="much">${dead ? 'silent' : inDigits(equalContrastActivation)}${isStrongest ? html` <small class="best">strongest</small>` : undefined}</dd></div>
${rows}</dl>`;
}

const fact = (name: string, value: string): Markup => html`<div><dt>${name}</dt><dd>${value}</dd></div>
`;

function trialTable({ caption, head, rows }: TrialTable): Markup {
  const table = html`<table class="trials">
<thead><tr>${head.map((text) => html`<th scope="col" class="right">${text}</th>`)}</tr></thead>
<tbody>
${rows.map(
  ({
    cells,
    over,
  }) => html`<tr${over ? html` class="over"` : undefined}>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>
`,
)}</tbody>
</table>`;
  return html`<section aria-labelledby="trials">
<h2 id="trials">All that was tried</h2>
<p class="quiet small">${caption}</p>
${scrolling('All trials', table)}
</section>`;
}

function legend({ layers, columns, made }: Sheet): Markup {
  const meanings: [string, string][] = [
    [
      'At equal contrast',
      "The unit's mean activation (of a class the score) for the published picture, once its deviation from the network's grey is scaled to an RMS of 48 of 255. Activation as such grows with contrast alone; this is what recipes can be compared by. The bar shows it as a share of the row's strongest.",
    ],
    ...(columns.length < 2
      ? []
      : ([
          [
            `Times ${plainName(columns[0]?.name ?? '')}`,
            'The same divided by the first recipe\u2019s, unit by unit; the geometric mean of that.',
          ],
        ] satisfies [string, string][])),
    ['Kept when moved', 'What is left of the activation when the picture moves by a pixel or two.'],
    ['Kept when resized', 'The same when it is a twentieth larger or smaller.'],
    ['Black or white', 'Share of values within 8 of 0 or 255: harsh pictures have many.'],
    ['Fine structure', "Share of the picture's power in details finer than four pixels."],
    ...(layers.some(({ kind }) => kind === 'scores')
      ? ([['Probability', 'That the picture is of its class, as the network sees it.']] satisfies [
          string,
          string,
        ][])
      : []),
    [
      'Took',
      'Time of the rendering, when and where it was made; what was in the store already keeps its own.',
    ],
  ];
  return html`<footer>
<h2>How to read it</h2>
<dl>
${meanings.map(
  ([name, meaning]) => html`<div><dt>${name}</dt><dd>${meaning}</dd></div>
`,
)}</dl>
<p class="quiet small">${made}</p>
</footer>`;
}
