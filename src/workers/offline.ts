/**
 * The gallery where there is no network: what was once visited comes back. The network goes first, so that nobody is
 * shown an old picture while a new one can be had; only files whose name is a hash of what they hold are not asked for
 * again. A service worker; its scope is the whole site.
 */

/** What a service worker sees around it; TypeScript's own words for it clash with those for a page. */
interface WorkerScope {
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(kind: 'install' | 'activate', listener: (event: LastingEvent) => void): void;
  addEventListener(kind: 'fetch', listener: (event: FetchEvent) => void): void;
}
interface LastingEvent {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends LastingEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

const worker = globalThis as unknown as WorkerScope;
const cacheName = 'visited';
/** Kept at most: what was asked for first goes first. */
const largestCache = 4096;

worker.addEventListener('install', (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener('activate', (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener('fetch', (event) => {
  const { method, url, headers } = event.request;
  if (method !== 'GET' || headers.has('range') || new URL(url).origin !== location.origin) return;
  event.respondWith(answer(event));
});

async function answer(event: FetchEvent): Promise<Response> {
  const { request } = event;
  const cache = await caches.open(cacheName);
  const isHashed = new URL(request.url).pathname.includes('/_astro/');
  const known = isHashed ? await cache.match(request) : undefined;
  if (known !== undefined) return known;
  try {
    const response = await fetch(request);
    if (response.ok && response.status === 200) event.waitUntil(keep(cache, request, response.clone()));
    return response;
  } catch (error) {
    // The query says what a page shows, its scripts read it: the page is the same without.
    const visited = await cache.match(request, { ignoreSearch: request.mode === 'navigate' });
    if (visited !== undefined) return visited;
    throw error;
  }
}

async function keep(cache: Cache, request: Request, response: Response): Promise<void> {
  await cache.put(request, response);
  if (request.mode !== 'navigate') return;
  const all = await cache.keys();
  await Promise.all(all.slice(0, Math.max(0, all.length - largestCache)).map((old) => cache.delete(old)));
}
