/** The home page's wall: now and then light spreads from one picture, and those it reaches come to be once more. */

import { motionWanted, playOnce } from './strip.ts';

const pauseMs = 2600;
const msPerPx = 1.6;
/** Of the wall's width; on a narrow one fewer strips are loaded for it. */
const reach = 0.33;

class DepthWall extends HTMLElement {
  #timer: number | undefined;

  connectedCallback(): void {
    const button = this.querySelector('button');
    if (button === null || !motionWanted()) return;
    button.hidden = false;
    button.addEventListener('click', () => {
      if (this.#timer === undefined) this.#start();
      else this.#stop();
      button.textContent = this.#timer === undefined ? 'Let it move' : 'Hold still';
    });
    this.addEventListener('pointerover', ({ target }) => {
      const tile = target instanceof Element && target.closest<HTMLAnchorElement>('a.tile');
      if (tile) void playOnce(tile);
    });
    this.#start();
  }

  disconnectedCallback(): void {
    this.#stop();
  }

  #start(): void {
    this.#timer = window.setInterval(() => this.#wave(), pauseMs);
  }

  #stop(): void {
    window.clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #wave(): void {
    // First the pictures, then their strips.
    if (document.hidden || document.readyState !== 'complete') return;
    const tiles = [...this.querySelectorAll<HTMLAnchorElement>('a.tile')].map((tile) => {
      const { x, y, width } = tile.getBoundingClientRect();
      return { tile, x, y, seen: width > 0 && y > -width && y < innerHeight };
    });
    const seen = tiles.filter((place) => place.seen);
    const from = seen[Math.floor(Math.random() * seen.length)];
    if (from === undefined) return;
    const reachPx = reach * this.clientWidth;
    for (const { tile, x, y } of seen) {
      const distancePx = Math.hypot(x - from.x, y - from.y);
      if (distancePx > reachPx * Math.random()) continue;
      window.setTimeout(() => {
        if (this.#timer !== undefined) void playOnce(tile);
      }, distancePx * msPerPx);
    }
  }
}

customElements.define('depth-wall', DepthWall);
