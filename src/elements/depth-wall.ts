/** The home page's wall: now and then light spreads from one picture, and those it reaches come to be once more. */

import { motionWanted, playOnce } from './strip.ts';

const pauseMs = 2600;
const msPerPx = 1.6;
const reachPx = 420;

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
      if (target instanceof HTMLImageElement) void playOnce(target);
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
    if (document.hidden) return;
    const pictures = [...this.querySelectorAll<HTMLImageElement>('.tile > img')].map((picture) => {
      const { x, y, width } = picture.getBoundingClientRect();
      return { picture, x, y, seen: width > 0 && y > -width && y < innerHeight };
    });
    const seen = pictures.filter((place) => place.seen);
    const from = seen[Math.floor(Math.random() * seen.length)];
    if (from === undefined) return;
    for (const { picture, x, y } of seen) {
      const distancePx = Math.hypot(x - from.x, y - from.y);
      if (distancePx > reachPx * Math.random()) continue;
      window.setTimeout(() => {
        if (this.#timer !== undefined) void playOnce(picture);
      }, distancePx * msPerPx);
    }
  }
}

customElements.define('depth-wall', DepthWall);
