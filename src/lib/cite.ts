/** A unit as others quote it: one line of text, BibTeX, Markdown, HTML, and a frame that holds it. */

import type { GalleryModel, LayerSummary, UnitRecord } from '../../content/schema.ts';
import { asDay, pictureInWords, plainName, unitName } from './words.ts';

/** What is quoted, and the whole addresses that lead to it. */
export interface Quoted {
  readonly model: GalleryModel;
  readonly layer: LayerSummary;
  readonly unit: UnitRecord;
  readonly page: string;
  readonly picture: string;
  readonly embed: string;
}

export interface Quotation {
  readonly name: string;
  readonly text: string;
}

/** `Unit 3 of conv2d_1 in MNIST ConvNet` */
export function titleOf({ model, layer, unit }: Pick<Quoted, 'model' | 'layer' | 'unit'>): string {
  const who = `${unit.label === undefined ? '' : 'Class '}${unitName(unit)}`;
  return `${who} of ${plainName(layer.name)} in ${plainName(model.title)}`;
}

export function plainCitation(quoted: Pick<Quoted, 'model' | 'layer' | 'unit' | 'page'>): string {
  return `${titleOf(quoted)}. Phosphene gallery, rendered ${quoted.unit.renderedAt.slice(0, 10)}, ${quoted.page}`;
}

const bibtexCommands: Readonly<Record<string, string>> = {
  '\\': '\\textbackslash{}',
  '~': '\\textasciitilde{}',
  '^': '\\textasciicircum{}',
};
const forBibtex = (text: string): string =>
  text.replace(/[\\~^]|[{}&%$#_]/g, (character) => bibtexCommands[character] ?? `\\${character}`);

export const forMarkdown = (text: string): string => text.replace(/[\\`*_[\]()<>|#!~]/g, '\\$&');

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const forHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => entities[character] ?? '');

export function bibtex(quoted: Quoted): string {
  const { model, layer, unit, page } = quoted;
  return [
    `@misc{phosphene-${model.slug}-${layer.slug}-${unit.unit},`,
    `  title        = {{${forBibtex(titleOf(quoted))}}},`,
    '  howpublished = {Phosphene gallery},',
    `  year         = {${unit.renderedAt.slice(0, 4)}},`,
    `  note         = {Rendered ${asDay(unit.renderedAt)}, fingerprint ${unit.fingerprint.slice(0, 12)}},`,
    `  url          = {${page}}`,
    '}',
  ].join('\n');
}

export function markdown(quoted: Quoted): string {
  const { model, layer, unit, page, picture } = quoted;
  const words = forMarkdown(pictureInWords(model.title, layer.name, unit));
  const link = `[${forMarkdown(titleOf(quoted))}](${page})`;
  return unit.measures.dead ? `${link}, dead` : `[![${words}](${picture})](${page})\n${link}`;
}

export function html(quoted: Quoted): string {
  const { model, layer, unit, page, picture } = quoted;
  const words = forHtml(pictureInWords(model.title, layer.name, unit));
  const title = forHtml(titleOf(quoted));
  if (unit.measures.dead) return `<a href="${page}">${title}</a>, dead`;
  const { widthPx, heightPx } = unit.image;
  return `<a href="${page}"><img src="${picture}" alt="${words}" width="${widthPx}" height="${heightPx}"></a>`;
}

/** The frame is as wide as the text that it stands in lets it be, and high enough for the caption. */
export function frame(quoted: Quoted): string {
  return `<iframe src="${quoted.embed}" title="${forHtml(titleOf(quoted))}" width="320" height="440" loading="lazy"></iframe>`;
}

/** All ways to quote a unit, each with its name. */
export function quotations(quoted: Quoted): Quotation[] {
  return [
    { name: 'Link', text: quoted.page },
    { name: 'BibTeX', text: bibtex(quoted) },
    { name: 'Markdown', text: markdown(quoted) },
    { name: 'HTML', text: html(quoted) },
    { name: 'Embed', text: frame(quoted) },
  ];
}
