/** HTML as a tagged template: whatever is put in is text and escaped, unless it is markup itself. */

export class Markup {
  readonly text: string;

  /** @param text Markup of this project's own: nothing in it is escaped any more. */
  constructor(text: string) {
    this.text = text;
  }
}

type Part = Markup | string | number | undefined | readonly Part[];

/** `undefined` is nothing; a list is its items one after another. */
export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(texts.map((text, place) => text + markupOf(parts[place])).join(''));
}

function markupOf(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Markup) return part.text;
  return typeof part === 'object' ? part.map(markupOf).join('') : escaped(String(part));
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Strangers' text can neither be markup nor turn or hide what stands beside it. */
const escaped = (text: string): string =>
  text
    .replace(/[\t-\r]/g, ' ')
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .replace(/[&<>"']/g, (character) => entities[character] ?? '');
