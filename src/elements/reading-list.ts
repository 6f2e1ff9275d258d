/** The visitor's list, on every page: the way to it carries it in its address, and a unit's page can add to it. */

import { keepList, ownList, queryOf } from '../lib/reading-list.ts';

const way = document.querySelector<HTMLAnchorElement>('[data-list]');
const button = document.querySelector<HTMLButtonElement>('[data-keep]');

function follow(): void {
  const units = ownList();
  if (way !== null) {
    way.search = queryOf(units);
    way.textContent = units.length === 0 ? 'Compare' : `Compare (${units.length})`;
  }
  if (button === null) return;
  const isKept = units.includes(button.dataset['keep'] ?? '');
  button.hidden = false;
  button.setAttribute('aria-pressed', String(isKept));
  button.textContent = isKept ? 'On your list' : 'Add to your list';
}

button?.addEventListener('click', () => {
  const unit = button.dataset['keep'] ?? '';
  const units = ownList();
  keepList(units.includes(unit) ? units.filter((other) => other !== unit) : [...units, unit]);
  follow();
});
document.addEventListener('phosphene:list', follow);
// A page that the browser brings back as it was may have an old list.
window.addEventListener('pageshow', follow);

document.addEventListener('keydown', (event) => {
  if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return;
  const { activeElement } = document;
  if (activeElement instanceof HTMLInputElement || activeElement instanceof HTMLSelectElement) return;
  event.preventDefault();
  document.querySelector<HTMLAnchorElement>('[data-search]')?.click();
});
