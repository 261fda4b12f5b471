/// <reference lib="webworker" />
declare const self: ServiceWorkerGlobalScope;
/** Put in by the build: every file of this version, and a name for all of them together. */
declare const __FILES__: string[];
declare const __BUILD__: string;

const PREFIX = 'firstlight-';
const NAME = PREFIX + __BUILD__;
/** Large, and not needed by any duty screen: fetched once the rest stands. */
const later = (file: string): boolean => file.endsWith('.wasm');
const PAGE = '/index.html';

/** Fetches this version whole. What is hashed and cached already is taken over, not fetched again. */
export async function cache(): Promise<void> {
  const store = await caches.open(NAME);
  await Promise.all(
    __FILES__.filter((file) => !later(file)).map(async (file) => {
      const kept = file.startsWith('/assets/') ? await caches.match(file) : undefined;
      if (kept !== undefined) return store.put(file, kept);
      const response = await fetch(file, { cache: file.startsWith('/assets/') ? 'default' : 'no-cache' });
      if (!response.ok) throw new Error('incomplete');
      return store.put(file, response);
    }),
  );
}

/** Drops older versions. */
export async function sweep(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PREFIX) && name !== NAME).map((name) => caches.delete(name)));
}

/** Serves this version's files from the cache, and the page for every place in the app. The API is never touched. */
export function serve(event: FetchEvent): void {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== self.location.origin || url.pathname.startsWith('/v1/')) return;
  if (event.request.mode === 'navigate') event.respondWith(kept(PAGE, event.request));
  else if (__FILES__.includes(url.pathname)) event.respondWith(kept(url.pathname, event.request));
}

async function kept(file: string, request: Request): Promise<Response> {
  const store = await caches.open(NAME);
  const found = await store.match(file);
  if (found !== undefined) return found;
  const response = await fetch(request);
  if (response.ok && file !== PAGE) await store.put(file, response.clone());
  return response;
}
