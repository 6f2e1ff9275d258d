/** The strip of a unit: one number, the frame, moved by the slider or by time; the picture, the room's light and the words follow. */

import { layStrip, type Strip } from './strip.ts';

const frameMs = 260;
const lastFrameMs = 900;

class FramePlayer extends HTMLElement {
  #strip: Strip | undefined;
  #timer: number | undefined;

  connectedCallback(): void {
    const slider = this.#slider;
    const button = this.#find<HTMLButtonElement>('[data-do=play]');
    this.style.setProperty('--frames', String(this.#steps.length));
    slider.addEventListener('input', () => {
      this.#pause();
      void this.#show(slider.valueAsNumber);
    });
    button.addEventListener('click', () => {
      if (this.#timer === undefined) void this.#play();
      else this.#pause();
    });
    this.#find('.stage').addEventListener('click', () => button.click());
    this.querySelector('[data-do=back]')?.addEventListener('click', () => this.#step(-1));
    this.querySelector('[data-do=on]')?.addEventListener('click', () => this.#step(1));
    document.addEventListener('keydown', this.#onKey);
    this.classList.add('ready');
    this.#describe(slider.valueAsNumber);
  }

  disconnectedCallback(): void {
    document.removeEventListener('keydown', this.#onKey);
    this.#pause();
  }

  /** Only where the keys have no other use. */
  readonly #onKey = (event: KeyboardEvent): void => {
    const { activeElement } = document;
    const busy = activeElement !== null && activeElement !== document.body && activeElement !== this.#slider;
    if (busy || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const actions: Readonly<Record<string, () => void>> = {
      ' ': () => this.#find('[data-do=play]').click(),
      ',': () => this.#step(-1),
      '.': () => this.#step(1),
    };
    const act = actions[event.key];
    if (act === undefined) return;
    event.preventDefault();
    act();
  };

  get #slider(): HTMLInputElement {
    return this.#find<HTMLInputElement>('input');
  }

  #step(by: -1 | 1): void {
    this.#pause();
    const frame = Math.min(Math.max(this.#slider.valueAsNumber + by, 0), this.#steps.length - 1);
    void this.#show(frame);
  }

  get #steps(): readonly HTMLElement[] {
    return [...this.querySelectorAll<HTMLElement>('[data-frame]')];
  }

  #find<T extends HTMLElement>(selector: string): T {
    const found = this.querySelector<T>(selector);
    if (found === null) throw new Error(`Expected ${selector} in <frame-player>, found none`);
    return found;
  }

  async #play(): Promise<void> {
    const last = this.#steps.length - 1;
    const at = this.#slider.valueAsNumber;
    this.#find('[data-do=play]').textContent = 'Pause';
    await this.#advance(at === last ? 0 : at, last);
  }

  async #advance(frame: number, last: number): Promise<void> {
    this.#timer = window.setTimeout(
      () => {
        if (frame === last) this.#pause();
        else void this.#advance(frame + 1, last);
      },
      frame === last ? lastFrameMs : frameMs,
    );
    await this.#show(frame);
  }

  #pause(): void {
    window.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#find('[data-do=play]').textContent = 'Play';
  }

  async #show(frame: number): Promise<void> {
    this.#slider.valueAsNumber = frame;
    this.#describe(frame);
    const picture = this.#find<HTMLImageElement>('.stage > img');
    const address = picture.src.replace(/\.webp$/, '.strip.webp');
    this.#strip ??= await layStrip(this.#find('.stage'), address, picture.width / picture.height);
    this.#strip?.show(this.#slider.valueAsNumber);
  }

  #describe(frame: number): void {
    const steps = this.#steps;
    steps.forEach((step, index) => {
      step.toggleAttribute('data-now', index === frame);
    });
    const values = steps.map((step) => Number(step.dataset['objective']));
    const low = Math.min(...values);
    const light = (Number(values[frame]) - low) / (Math.max(...values) - low || 1);
    this.style.setProperty('--frame', String(frame));
    this.style.setProperty('--lit', light.toFixed(3));
    const words = steps[frame]?.dataset['words'] ?? '';
    this.#slider.setAttribute('aria-valuetext', words);
    this.#find('output').textContent = words;
  }
}

customElements.define('frame-player', FramePlayer);
