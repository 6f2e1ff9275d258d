/**
 * A wall of units: one stop for the tab key, arrows move in it, a picture that is looked at comes to be once more. Order,
 * share and size are three values; the wall and the address follow them.
 */

import { motionWanted, pictureOf, playOnce } from './strip.ts';

interface Hung {
  readonly item: HTMLElement;
  readonly tile: HTMLAnchorElement;
  /** By order, undefined where it was not measured. */
  readonly values: readonly (number | undefined)[];
  /** What `find` looks in. */
  readonly name: string;
}

const restMs = 200;
/**
 * Larger walls hang in blocks of rows, of which those out of sight are neither laid out nor painted: small ones, as one
 * comes into sight within a frame. As each frame looks at all of them, very many lie in larger ones.
 */
const fewInOnePiece = 100;
const rowsOfBlock = 3;
const mostBlocks = 96;
const sizeKept = 'phosphene:tile-size';

class UnitWall extends HTMLElement {
  /** All, in the model's order. */
  #all: readonly Hung[] = [];
  /** Those that are seen, as they hang. */
  #tiles: readonly HTMLAnchorElement[] = [];
  #sharpening: number | undefined;
  /** Columns of the blocks in which the wall hangs; 0 in one piece. */
  #columns = 0;
  /** Ends with the wall's own listeners. */
  #gone = new AbortController();

  connectedCallback(): void {
    this.#all = [...this.querySelectorAll<HTMLAnchorElement>('a.tile')].map((tile) => ({
      item: tile.parentElement as HTMLElement,
      tile,
      values: (tile.dataset['by'] ?? '')
        .split(' ')
        .map((value) => (value === '-' ? undefined : Number(value))),
      name: (tile.textContent ?? '').trim().toLowerCase(),
    }));
    this.#tiles = this.#all.map(({ tile }) => tile);
    this.style.setProperty('--aspect', String(this.#aspect));
    const named = location.hash === '' ? null : document.getElementById(location.hash.slice(1));
    this.#enterAt(this.#tiles.find((tile) => named?.contains(tile)));
    this.addEventListener('focusin', ({ target }) => {
      if (!(target instanceof HTMLAnchorElement)) return;
      this.#enterAt(target);
      this.#play(target);
    });
    this.addEventListener('pointerover', ({ target }) => {
      if (target instanceof Element) this.#play(target.closest<HTMLAnchorElement>('a.tile'));
    });
    const { signal } = this.#gone;
    document.addEventListener('keydown', (event) => this.#move(event), { signal });
    window.addEventListener('scroll', () => this.#sharpenSoon(), { passive: true, signal });
    window.addEventListener('resize', () => this.#resized(), { passive: true, signal });
    this.#control();
    if (this.#columns === 0) this.#lay();
    this.#sharpenSoon();
  }

  disconnectedCallback(): void {
    this.#gone.abort();
  }

  get #aspect(): number {
    return Number(this.dataset['aspect'] ?? 1);
  }

  /** Makes one tile the stop of the tab key. */
  #enterAt(stop: HTMLAnchorElement | undefined): void {
    const at = stop ?? this.#tiles[0];
    for (const { tile } of this.#all) {
      const index = tile === at ? 0 : -1;
      if (tile.tabIndex !== index) tile.tabIndex = index;
    }
  }

  #play(tile: HTMLAnchorElement | null): void {
    if (tile !== null && motionWanted()) void playOnce(tile, this.#aspect);
  }

  // ------------------------------------------------------------------------------------------- order, share, size

  #control(): void {
    if (this.querySelector('.controls') === null) return;
    const order = this.#find<HTMLSelectElement>('[name=order]');
    const top = this.#find<HTMLInputElement>('[name=top]');
    const find = this.#find<HTMLInputElement>('[name=find]');
    const size = this.#find<HTMLInputElement>('[name=size]');
    const asked = new URLSearchParams(location.search);
    if ([...order.options].some(({ value }) => value === asked.get('order'))) {
      order.value = asked.get('order') ?? '';
    }
    top.value = asked.get('top') ?? '100';
    find.value = asked.get('find') ?? '';
    const kept = recalled();
    if (kept !== null) this.style.setProperty('--size', `${kept}px`);
    size.value = kept ?? String(this.#tilePx());
    const hang = (): void => {
      this.#hang(order.selectedIndex - 1, top.valueAsNumber / 100, find.value.trim().toLowerCase());
      top.disabled = order.value === '';
      const wanted = new URLSearchParams({
        ...(order.value === '' ? {} : { order: order.value }),
        ...(order.value === '' || top.value === '100' ? {} : { top: top.value }),
        ...(find.value === '' ? {} : { find: find.value }),
      });
      const query = wanted.size === 0 ? '' : `?${wanted}`;
      history.replaceState(null, '', location.pathname + query + location.hash);
    };
    for (const control of [order, top, find]) control.addEventListener('input', hang);
    size.addEventListener('input', () => {
      this.style.setProperty('--size', `${size.value}px`);
      remember(size.value);
      this.#resized();
    });
    if (asked.size > 0) hang();
    else top.disabled = true;
  }

  #find<T extends HTMLElement>(selector: string): T {
    const found = this.querySelector<T>(selector);
    if (found === null) throw new Error(`Expected ${selector} in <unit-wall>, found none`);
    return found;
  }

  /** `by`: which of the orders, −1 for the model's. Units that were not measured so hang last. */
  #hang(by: number, share: number, find: string): void {
    const numbers = /^[\d\s,-]+$/.test(find) ? new Set(find.split(/[\s,]+/)) : undefined;
    const fits = ({ name }: Hung): boolean =>
      find === '' || (numbers?.has(name) ?? false) || (numbers === undefined && name.includes(find));
    const value = ({ values }: Hung): number => values[by] ?? Number.NEGATIVE_INFINITY;
    const ordered = by < 0 ? this.#all : this.#all.toSorted((a, b) => value(b) - value(a));
    const top = by < 0 ? ordered : ordered.slice(0, Math.max(1, Math.round(ordered.length * share)));
    const seen = top.filter(fits);
    this.#tiles = seen.map(({ tile }) => tile);
    this.#lay();
    this.#enterAt(this.#tiles.find(({ tabIndex }) => tabIndex === 0));
    this.#sharpenSoon();
    const measure = this.#find<HTMLSelectElement>('[name=order]').selectedOptions[0]?.dataset['measure'];
    const last = top.at(-1)?.values[by];
    const least = measure === undefined || last === undefined || share === 1 ? '' : `, ${measure} ≥ ${last}`;
    this.#find('output').textContent = `${seen.length} of ${this.#all.length}${least}`;
  }

  // ---------------------------------------------------------------------------------------------------------- blocks

  /** Hangs the tiles that are seen, in blocks of whole rows where there are many. */
  #lay(): void {
    const wall = this.#find('.wall');
    const items = this.#tiles.map((tile) => tile.parentElement as HTMLElement);
    this.#columns = items.length > fewInOnePiece ? this.#columnsOf(wall) : 0;
    if (this.#columns === 0) {
      wall.replaceChildren(...items);
      return;
    }
    const focused = document.activeElement;
    const small = this.#blocks(items, this.#columns * rowsOfBlock, rowsOfBlock);
    const together = Math.ceil(Math.sqrt(small.length));
    const blocks = small.length <= mostBlocks ? small : this.#blocks(small, together, together * rowsOfBlock);
    // It stays a list, though its items are not its children.
    wall.role = 'list';
    wall.replaceChildren(...blocks);
    // What is moved loses the focus.
    if (focused instanceof HTMLAnchorElement && wall.contains(focused))
      focused.focus({ preventScroll: true });
  }

  /** So many of these in each block, which are so many rows. */
  #blocks(items: readonly HTMLElement[], each: number, rows: number): HTMLElement[] {
    return Array.from({ length: Math.ceil(items.length / each) }, (_, place) => {
      const block = document.createElement('div');
      const own = items.slice(place * each, (place + 1) * each);
      block.className = 'block';
      block.role = 'presentation';
      block.style.setProperty('--rows', String(Math.ceil((own.length * rows) / each)));
      block.append(...own);
      return block;
    });
  }

  #columnsOf(wall: HTMLElement): number {
    return getComputedStyle(wall).gridTemplateColumns.split(' ').length;
  }

  #resized(): void {
    if (this.#columns !== 0 && this.#columnsOf(this.#find('.wall')) !== this.#columns) this.#lay();
    this.#sharpenSoon();
  }

  // ------------------------------------------------------------------------------------------------- sharp pictures

  #tilePx(): number {
    return Math.round(this.#all[0]?.tile.getBoundingClientRect().width ?? 96);
  }

  /** Once people stop: not while they scroll past. */
  #sharpenSoon(): void {
    window.clearTimeout(this.#sharpening);
    this.#sharpening = window.setTimeout(() => this.#sharpen(), restMs);
  }

  /** Where tiles are larger than on their sheet, those in view get their own picture. Pixel art needs none. */
  #sharpen(): void {
    const pixelArt = getComputedStyle(this).getPropertyValue('--rendering').trim() === 'pixelated';
    const sheetPx = Number(this.dataset['tile']);
    if (pixelArt || this.#tilePx() * devicePixelRatio <= sheetPx * 1.05) return;
    const first = lowest(this.#tiles, (tile) => tile.getBoundingClientRect().bottom > 0);
    const end = lowest(this.#tiles, (tile) => tile.getBoundingClientRect().top > innerHeight);
    for (const tile of this.#tiles.slice(first, end)) {
      if (/\bs\d/.test(tile.className)) void sharpenTile(tile);
    }
  }

  // ------------------------------------------------------------------------------------------------------- keyboard

  #move(event: KeyboardEvent): void {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const at = this.#tiles.indexOf(document.activeElement as HTMLAnchorElement);
    const idle = document.activeElement === document.body || document.activeElement === null;
    const to = at >= 0 ? this.#target(event.key, at) : idle && event.key === 'ArrowRight' ? 0 : undefined;
    const tile = to === undefined ? undefined : this.#tiles[to];
    if (tile === undefined) return;
    event.preventDefault();
    tile.focus();
  }

  #target(key: string, at: number): number | undefined {
    const columns = this.#columnsOf(this.#find('.wall'));
    const targets: Readonly<Record<string, number>> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at - columns,
      ArrowDown: at + columns,
      PageUp: Math.max(at - 5 * columns, at % columns),
      PageDown: Math.min(at + 5 * columns, this.#tiles.length - 1),
      Home: 0,
      End: this.#tiles.length - 1,
    };
    return targets[key];
  }
}

/** The index of the first item that `holds`, where it holds for all after that; their number where it does for none. */
function lowest<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(items[middle] as T)) high = middle;
    else low = middle + 1;
  }
  return low;
}

async function sharpenTile(tile: HTMLAnchorElement): Promise<void> {
  const frame = tile.querySelector(':scope > span');
  if (frame === null || frame.querySelector('.sharp') !== null) return;
  const picture = new Image();
  picture.className = 'sharp';
  picture.alt = '';
  picture.src = pictureOf(tile);
  await picture.decode().then(
    () => frame.firstElementChild?.after(picture),
    () => undefined,
  );
}

/** Storage may be switched off: then nothing is kept. */
function recalled(): string | null {
  try {
    return localStorage.getItem(sizeKept);
  } catch {
    return null;
  }
}
function remember(sizePx: string): void {
  try {
    localStorage.setItem(sizeKept, sizePx);
  } catch {
    // As above.
  }
}

customElements.define('unit-wall', UnitWall);
