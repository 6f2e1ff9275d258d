/** A wall of units is one stop for the tab key; arrows move in it. A picture that is looked at comes to be once more. */

import { motionWanted, playOnce } from './strip.ts';

class UnitWall extends HTMLElement {
  #tiles: readonly HTMLAnchorElement[] = [];

  connectedCallback(): void {
    this.#tiles = [...this.querySelectorAll<HTMLAnchorElement>('a.tile')];
    const named = location.hash === '' ? null : document.getElementById(location.hash.slice(1));
    const first = this.#tiles.find((tile) => named?.contains(tile)) ?? this.#tiles[0];
    for (const tile of this.#tiles) tile.tabIndex = tile === first ? 0 : -1;
    this.addEventListener('focusin', ({ target }) => {
      if (!(target instanceof HTMLAnchorElement)) return;
      for (const tile of this.#tiles) if (tile.tabIndex === 0) tile.tabIndex = -1;
      target.tabIndex = 0;
      this.#play(target);
    });
    this.addEventListener('pointerover', ({ target }) => {
      if (target instanceof Element) this.#play(target.closest('a.tile'));
    });
    document.addEventListener('keydown', (event) => this.#move(event));
  }

  #play(tile: Element | null): void {
    const picture = tile?.querySelector<HTMLImageElement>(':scope > img');
    if (picture && motionWanted()) void playOnce(picture);
  }

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
    const top = this.#tiles[0]?.offsetTop;
    const columns =
      Math.max(
        this.#tiles.findIndex((tile) => tile.offsetTop !== top),
        0,
      ) || this.#tiles.length;
    const targets: Readonly<Record<string, number>> = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      ArrowUp: at - columns,
      ArrowDown: at + columns,
      Home: 0,
      End: this.#tiles.length - 1,
    };
    return targets[key];
  }
}

customElements.define('unit-wall', UnitWall);
