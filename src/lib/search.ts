/**
 * Search in models, layers, classes and unit numbers. Each word of the query has to begin a word of what is found;
 * a number may be a unit's.
 */

import type { SearchJson } from '../../content/schema.ts';

export interface Found {
  readonly model: string;
  readonly layer?: string;
  readonly unit?: number;
  readonly name: string;
  /** Where it is. */
  readonly place: string;
}

const wordsOf = (text: string): string[] =>
  text
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .split(/[^\p{L}\p{N}]+/u)
    .filter((word) => word !== '');

/** How well the words fit, larger is better; undefined where one of them is not there. */
function scoreOf(query: readonly string[], text: readonly string[]): number | undefined {
  let score = 0;
  for (const word of query) {
    if (text.includes(word)) score += 2;
    else if (text.some((other) => other.startsWith(word))) score += 1;
    else return undefined;
  }
  return score;
}

/** At most `most` of what fits, the best first: classes, then models, layers and units by number. */
export function search(query: string, { models }: SearchJson, most = 60): Found[] {
  const words = wordsOf(query);
  if (words.length === 0) return [];
  const found: { readonly score: number; readonly what: Found }[] = [];
  const add = (score: number | undefined, what: Found): void => {
    if (score !== undefined) found.push({ score, what });
  };
  for (const { slug: model, title, layers } of models) {
    const ofModel = wordsOf(`${title} ${model}`);
    add(raised(scoreOf(words, ofModel), 6), { model, name: title, place: 'model' });
    for (const { slug: layer, name, shown, labels } of layers) {
      const ofLayer = [...ofModel, ...wordsOf(name)];
      const place = title;
      add(raised(scoreOf(words, ofLayer), 3), { model, layer, name, place });
      for (const number of words.filter((word) => /^\d+$/.test(word)).map(Number)) {
        const others = words.filter((word) => word !== String(number));
        const isShown = shown.some(([first, last]) => number >= first && number <= last);
        if (!isShown) continue;
        const unit = labels?.[number] ?? `Unit ${number}`;
        add(raised(scoreOf(others, ofLayer), others.length > 0 ? 2 : 0), {
          model,
          layer,
          unit: number,
          name: unit,
          place: `${name}, ${title}`,
        });
      }
      for (const [unit, label] of (labels ?? []).entries()) {
        if (!shown.some(([first, last]) => unit >= first && unit <= last)) continue;
        const ofLabel = wordsOf(label);
        if (!words.some((word) => ofLabel.some((other) => other.startsWith(word)))) continue;
        const exact = ofLabel.join(' ') === words.join(' ') ? 10 : 0;
        add(raised(scoreOf(words, [...ofLabel, ...ofLayer]), 4 + exact), {
          model,
          layer,
          unit,
          name: label,
          place: `class ${unit}, ${title}`,
        });
      }
    }
  }
  return found
    .toSorted((a, b) => b.score - a.score)
    .slice(0, most)
    .map(({ what }) => what);
}

const raised = (score: number | undefined, by: number): number | undefined =>
  score === undefined ? undefined : score + by;
