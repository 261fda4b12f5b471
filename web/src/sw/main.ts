/// <reference lib="webworker" />
import { cache, serve, sweep } from './cache';
import { answer, click, push, renew, type PushSubscriptionChangeEvent } from './push';

declare const self: ServiceWorkerGlobalScope;

self.addEventListener('install', (event) => event.waitUntil(cache()));
self.addEventListener('activate', (event) => event.waitUntil(sweep().then(() => self.clients.claim())));
self.addEventListener('fetch', (event) => serve(event));
self.addEventListener('push', (event) => event.waitUntil(push(event)));
self.addEventListener('pushsubscriptionchange', (event) => renew(event as PushSubscriptionChangeEvent));
self.addEventListener('notificationclick', (event) => event.waitUntil(click(event)));
self.addEventListener('message', (event) => {
  // A person chose the new version; without that it waits until every tab is closed, so no screen changes under a thumb.
  if (event.data?.do === 'take-over') event.waitUntil(self.skipWaiting());
  else answer(event);
});
