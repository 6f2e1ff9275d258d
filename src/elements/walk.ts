/** Left and right lead to the neighbours of this page, wherever the keys have no other use. */

document.addEventListener('keydown', (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
  if (document.activeElement instanceof HTMLInputElement) return;
  const relation = { ArrowLeft: 'prev', ArrowRight: 'next' }[event.key];
  if (relation !== undefined) document.querySelector<HTMLAnchorElement>(`a[rel=${relation}]`)?.click();
});

export {};
