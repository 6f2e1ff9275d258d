/** Installs the worker that brings visited pages back without a network, once the page itself is there. */

import worker from '../workers/offline.ts?worker&url';

/** The worker does not see what the page that installs it has loaded: asked for again, it comes from the browser's own cache. */
function showToWorker(): void {
  const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
  for (const url of [location.href, ...loaded].filter((url) => url.startsWith(location.origin)))
    void fetch(url).catch(() => undefined);
}

if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  const isNew = navigator.serviceWorker.controller === null;
  addEventListener('load', async () => {
    // Where a browser forbids it, the gallery works as before.
    await navigator.serviceWorker.register(worker).catch(() => undefined);
  });
  if (isNew) navigator.serviceWorker.addEventListener('controllerchange', showToWorker, { once: true });
}
