/** Looks in search.json, which is fetched when the field is first used. What is looked for stands in the address. */

import type { SearchJson } from '../../content/schema.ts';
import { addressesBelow } from '../lib/address.ts';
import { type Found, search } from '../lib/search.ts';

class SearchBox extends HTMLElement {
  #index: Promise<SearchJson> | undefined;

  connectedCallback(): void {
    const field = this.#field;
    field.value = new URLSearchParams(location.search).get('q') ?? '';
    field.addEventListener('input', () => void this.#find(field.value));
    this.querySelector('form')?.addEventListener('submit', (event) => {
      event.preventDefault();
      this.querySelector<HTMLAnchorElement>('ol a')?.click();
    });
    this.addEventListener('keydown', (event) => this.#move(event));
    field.focus();
    if (field.value !== '') void this.#find(field.value);
  }

  get #field(): HTMLInputElement {
    const field = this.querySelector('input');
    if (field === null) throw new Error('Expected a field in <search-box>, found none');
    return field;
  }

  async #find(query: string): Promise<void> {
    const asked = query.trim();
    history.replaceState(null, '', asked === '' ? location.pathname : `?q=${encodeURIComponent(asked)}`);
    this.#index ??= fetch(this.dataset['index'] ?? '').then((answer) => answer.json() as Promise<SearchJson>);
    const index = await this.#index;
    if (this.#field.value !== query) return;
    const found = search(asked, index);
    this.querySelector('ol')?.replaceChildren(...found.map((one) => this.#item(one)));
    const status = this.querySelector('[role=status]');
    if (status !== null) status.textContent = asked === '' ? '' : inWords(found.length);
  }

  #item({ model, layer, unit, name, place }: Found): HTMLLIElement {
    const address = addressesBelow(this.dataset['home'] ?? '/');
    const link = document.createElement('a');
    if (layer === undefined) link.href = address.model(model);
    else if (unit === undefined) link.href = address.layer(model, layer);
    else {
      link.href = address.unit(model, layer, unit);
      const picture = new Image();
      picture.loading = 'lazy';
      picture.alt = '';
      picture.src = address.picture(model, layer, unit);
      link.append(picture);
    }
    const [words, title, where] = ['span', 'bdi', 'span'].map((tag) => document.createElement(tag));
    if (words === undefined || title === undefined || where === undefined)
      return document.createElement('li');
    title.textContent = name;
    where.className = 'quiet small';
    where.textContent = ` ${place}`;
    words.append(title, where);
    link.append(words);
    const item = document.createElement('li');
    item.append(link);
    return item;
  }

  #move(event: KeyboardEvent): void {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by === undefined) return;
    const links = [...this.querySelectorAll<HTMLAnchorElement>('ol a')];
    const at = links.indexOf(document.activeElement as HTMLAnchorElement);
    event.preventDefault();
    if (at + by < 0) this.#field.focus();
    else links[at + by]?.focus();
  }
}

const inWords = (count: number): string =>
  count === 0
    ? 'Nothing found.'
    : count === 1
      ? 'One place.'
      : `${count}${count === 60 ? ' or more' : ''} places.`;

customElements.define('search-box', SearchBox);
