/** A button beside each text copies it. Where the site does not know its host, the texts learn it from the address. */

const thanksMs = 1600;

class CopyTexts extends HTMLElement {
  connectedCallback(): void {
    const path = this.dataset['path'];
    for (const way of this.querySelectorAll<HTMLElement>('.way')) {
      const text = way.querySelector('code');
      const button = way.querySelector('button');
      if (text === null || button === null) continue;
      if (path !== undefined)
        text.textContent = (text.textContent ?? '').replaceAll(path, location.origin + path);
      button.hidden = false;
      button.addEventListener('click', () => void this.#copy(text, button));
    }
  }

  async #copy(text: HTMLElement, button: HTMLButtonElement): Promise<void> {
    const done = await navigator.clipboard.writeText(text.textContent ?? '').then(
      () => true,
      () => false,
    );
    // No clipboard without a secure connection: what is marked can be copied by hand.
    if (!done) getSelection()?.selectAllChildren(text);
    this.#say(done ? 'Copied' : 'Marked');
    button.textContent = done ? 'Copied' : 'Marked';
    setTimeout(() => {
      button.textContent = 'Copy';
    }, thanksMs);
  }

  #say(words: string): void {
    const status = this.querySelector('[role=status]');
    if (status !== null) status.textContent = words;
  }
}

customElements.define('copy-texts', CopyTexts);
