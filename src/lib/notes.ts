/** What people write about a model, a layer or a unit: content/notes/<model>/{index,<layer>/index,<layer>/<unit>}.md. */

import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Marked } from 'marked';

/** Where notes lie. */
export const notesFolder = (): string => resolve(process.env['PHOSPHENE_CONTENT'] ?? 'content', 'notes');

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escaped = (text: string): string => text.replace(/[&<>]/g, (character) => entities[character] ?? '');

/** Links lead to the web or to a place on this site; anything else, `javascript:` above all, is text. */
const leadsSomewhere = (href: string): boolean => /^(https?:|mailto:)/i.test(href) || !/^[^/?#]*:/.test(href);

const marked = new Marked({
  gfm: true,
  renderer: {
    html: ({ text }) => escaped(text),
    link({ href, tokens }) {
      const text = this.parser.parseInline(tokens);
      return leadsSomewhere(href) ? `<a href="${encodeURI(decoded(href))}">${text}</a>` : text;
    },
    image: ({ text }) => escaped(text),
    // The page has a first heading of its own.
    heading({ tokens, depth }) {
      const level = Math.min(depth + 1, 6);
      return `<h${level}>${this.parser.parseInline(tokens)}</h${level}>\n`;
    },
  },
});

function decoded(href: string): string {
  try {
    return decodeURI(href);
  } catch {
    return href;
  }
}

/** Markdown as HTML that holds no markup but its own: tags in it are shown as text. */
export function noteAsHtml(markdown: string): string {
  return marked.parse(markdown, { async: false });
}

/** The note of a place such as `['mnist']` or `['mnist', 'conv2d_1', 3]`, as HTML; undefined where there is none. */
export async function readNote(...place: readonly (string | number)[]): Promise<string | undefined> {
  const path = place.map(String);
  const file = path.length === 3 ? `${join(...path)}.md` : join(...path, 'index.md');
  const text = await readFile(join(notesFolder(), file), 'utf8').catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : noteAsHtml(text);
}

const folders = new Map<string, Promise<boolean>>();

/** Whether anything was written about a layer or its units. */
export function hasNotes(model: string, layer: string): Promise<boolean> {
  const folder = join(notesFolder(), model, layer);
  const known =
    folders.get(folder) ??
    stat(folder).then(
      () => true,
      () => false,
    );
  folders.set(folder, known);
  return known;
}
