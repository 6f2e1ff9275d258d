/** Installs the worker that brings visited pages back without a network, once the page itself is there. */

import worker from '../workers/offline.ts?worker&url';

/**
 * The worker does not see what the page that installs it has loaded: asked for again, one after the other while nothing
 * else is to be done, it comes from the browser's own cache.
 */
async function showToWorker(): Promise<void> {
  const loaded = performance.getEntriesByType('resource').map(({ name }) => name);
  for (const url of [location.href, ...loaded].filter((url) => url.startsWith(location.origin))) {
    await idle();
    await fetch(url, { cache: 'force-cache' }).catch(() => undefined);
  }
}

/** Safari has no word for it. */
const idle = (): Promise<unknown> =>
  new Promise((resolve) => {
    if ('requestIdleCallback' in window) requestIdleCallback(resolve, { timeout: 1000 });
    else setTimeout(resolve, 50);
  });

if (import.meta.env.PROD && 'serviceWorker' in navigator) {
  const isNew = navigator.serviceWorker.controller === null;
  addEventListener('load', async () => {
    await idle();
    // Where a browser forbids it, the gallery works as before.
    await navigator.serviceWorker.register(worker).catch(() => undefined);
  });
  if (isNew) {
    navigator.serviceWorker.addEventListener('controllerchange', () => void showToWorker(), { once: true });
  }
}
