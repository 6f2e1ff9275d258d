/** Units side by side: the address names them, their records fill them, one slider moves the strips of all. */

import type { UnitJson } from '../../content/schema.ts';
import { keepList, ownList, queryOf, unitFrom, unitsIn } from '../lib/reading-list.ts';
import { measuresInWords, plainName, predictionInWords } from '../lib/words.ts';
import { layStrip, type Strip } from './strip.ts';

class CompareTable extends HTMLElement {
  #units: readonly string[] = [];
  readonly #strips = new Map<string, Promise<Strip | undefined>>();
  /** What was measured of each unit, by name. */
  readonly #measured = new Map<string, ReadonlyMap<string, string>>();

  connectedCallback(): void {
    this.#units = unitsIn(location.search);
    if (this.#units.length === 0) this.#units = ownList();
    const form = this.#find<HTMLFormElement>('form');
    const field = this.#find<HTMLInputElement>('[name=unit]');
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      const unit = unitFrom(field.value, this.#home);
      if (unit === undefined) {
        this.#say('A unit is named as model/layer/number, or by its address.');
        return;
      }
      field.value = '';
      this.#change([...this.#units.filter((other) => other !== unit), unit]);
    });
    this.#find<HTMLInputElement>('[type=range]').addEventListener('input', () => void this.#scrub());
    this.#show();
  }

  get #home(): string {
    return this.dataset['home'] ?? '/';
  }

  #find<T extends HTMLElement>(selector: string): T {
    const found = this.querySelector<T>(selector);
    if (found === null) throw new Error(`Expected ${selector} in <compare-table>, found none`);
    return found;
  }

  #say(words: string): void {
    this.#find('[role=status]').textContent = words;
  }

  /** The visitor's own list follows what is done here. */
  #change(units: readonly string[]): void {
    this.#units = units;
    keepList(units);
    document.dispatchEvent(new Event('phosphene:list'));
    this.#show();
  }

  #show(): void {
    history.replaceState(null, '', location.pathname + queryOf(this.#units));
    this.#say(this.#units.length === 0 ? 'The list is empty.' : '');
    const list = this.#find('ol');
    const known = new Map([...list.children].map((item) => [(item as HTMLElement).dataset['unit'], item]));
    list.replaceChildren(...this.#units.map((unit) => known.get(unit) ?? this.#card(unit)));
    this.#lineUp();
  }

  /** The same rows for all units, so that each can be read across. */
  #lineUp(): void {
    const shown = this.#units.map((unit) => this.#measured.get(unit));
    const names = new Set(shown.flatMap((measured) => [...(measured?.keys() ?? [])]));
    for (const card of this.querySelectorAll<HTMLElement>('li')) {
      const measured = this.#measured.get(card.dataset['unit'] ?? '');
      if (measured === undefined) continue;
      const rows = [...names].flatMap((name) => [made('dt', name), made('dd', measured.get(name) ?? '–')]);
      card.querySelector('dl')?.replaceChildren(...rows);
    }
  }

  #card(unit: string): HTMLElement {
    const card = document.createElement('li');
    card.dataset['unit'] = unit;
    const title = made('h2', '');
    title.className = 'small';
    title.append(linkTo(`${this.#home}${unit}/`, unit));
    const remove = document.createElement('button');
    remove.type = 'button';
    remove.className = 'small';
    remove.textContent = 'Remove';
    remove.setAttribute('aria-label', `Remove ${unit}`);
    remove.addEventListener('click', () => this.#change(this.#units.filter((other) => other !== unit)));
    const view = document.createElement('div');
    view.className = 'view';
    const table = document.createElement('dl');
    table.className = 'small numbers';
    const frame = document.createElement('div');
    frame.className = 'frame';
    frame.append(view);
    card.append(frame, title, remove, table);
    void fetch(`${this.#home}${unit}.json`).then(
      async (answer) => {
        if (answer.ok) this.#fill(card, unit, (await answer.json()) as UnitJson);
        else table.replaceWith(made('p', 'Not in this gallery.'));
      },
      () => table.replaceWith(made('p', 'It could not be fetched.')),
    );
    return card;
  }

  #fill(card: HTMLElement, unit: string, record: UnitJson): void {
    const view = card.querySelector('.view');
    const title = card.querySelector('h2');
    const { model, layer, label, image, measures } = record;
    const name = label === undefined ? `Unit ${record.unit}` : plainName(label);
    title?.replaceChildren(
      linkTo(`${this.#home}${unit}/`, `${name} · ${plainName(layer.name)} · ${plainName(model.title)}`),
    );
    card.classList.add(`px-${image.width}`);
    if (measures.dead) view?.append(made('p', 'dead'));
    else {
      const picture = new Image(image.width, image.height);
      picture.alt = `Picture that excites ${name} of ${plainName(layer.name)} most`;
      // Of a release it does not lie beside the page.
      picture.src = new URL(image.url, location.href).pathname;
      view?.append(picture);
    }
    const seen = measures.prediction && ['Seen as', predictionInWords(measures.prediction)];
    const rows = measuresInWords(measures, layer.kind, true).map(({ name: row, value }) => [row, value]);
    this.#measured.set(unit, new Map([...rows, ...(seen === undefined ? [] : [seen])] as [string, string][]));
    this.#lineUp();
  }

  async #scrub(): Promise<void> {
    const share = this.#find<HTMLInputElement>('[type=range]').valueAsNumber / 100;
    for (const view of this.querySelectorAll('.view')) {
      const unit = view.closest('li')?.dataset['unit'];
      const picture = view.querySelector('img');
      if (unit === undefined || picture === null) continue;
      const laid =
        this.#strips.get(unit) ??
        layStrip(view, picture.src.replace(/\.webp$/, '.strip.webp'), picture.width / picture.height);
      this.#strips.set(unit, laid);
      const strip = await laid;
      strip?.show(Math.round(share * (strip.frames - 1)));
    }
  }
}

function made(tag: string, text: string): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

function linkTo(href: string, text: string): HTMLAnchorElement {
  const link = document.createElement('a');
  link.href = href;
  link.textContent = text;
  return link;
}

customElements.define('compare-table', CompareTable);
