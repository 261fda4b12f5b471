import { engine } from '../engine/client';
import { t } from '../i18n/index.svelte';
import { router } from './router.svelte';

/** What comes from a person; the rest is no reason to wake anybody. */
const SAID = ['text', 'details'];
let started = false;

/** A new message while nobody looks: says that there is one, and nothing of it. Pages ring by themselves. */
export function startNotices(): void {
  if (started) return;
  started = true;
  navigator.serviceWorker?.addEventListener('message', (event) => {
    if (event.data?.tell === 'open') router.go(String(event.data.place));
  });
  engine.on('line', ({ line }) => {
    if (line.own || !SAID.includes(line.body.kind) || document.visibilityState === 'visible') return;
    if (!('Notification' in globalThis) || Notification.permission !== 'granted') return;
    void navigator.serviceWorker?.ready.then((registration) =>
      registration.showNotification(t('common.app'), {
        body: t('rooms.notify'),
        tag: 'rooms',
        icon: '/icons/icon-192.png',
        badge: '/icons/badge-96.png',
        data: { kind: 'room' },
      }),
    );
  });
}
