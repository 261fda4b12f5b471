/// <reference lib="webworker" />
declare const self: ServiceWorkerGlobalScope;

/** The one thing that a lock screen may say, in the languages of the app. */
const WORDS: Record<string, string> = { en: 'Duty: respond', es: 'Guardia: responda' };
const TAG = 'duty';

function words(): string {
  const tag = self.navigator.languages.map((one) => one.split('-')[0] ?? '').find((one) => one in WORDS);
  return WORDS[tag ?? 'en'] ?? 'Duty: respond';
}

/** A push: whatever it holds, the screen says the same. Pages that are open hear of it and look for themselves. */
export async function push(event: PushEvent): Promise<void> {
  const data = read(event);
  const open = await self.clients.matchAll({ type: 'window' });
  for (const client of open) client.postMessage({ tell: 'push', data });
  await self.registration.showNotification(words(), {
    tag: TAG,
    // Paged again: sound and vibration again, though one is still on the screen.
    ...({ renotify: true, vibrate: [600, 200, 600, 200, 600, 200, 1000] } as NotificationOptions),
    requireInteraction: true,
    icon: '/icons/icon-192.png',
    badge: '/icons/badge-96.png',
  });
}

function read(event: PushEvent): unknown {
  try {
    return event.data?.json();
  } catch {
    return undefined;
  }
}

/** Brings the duty screen to the front, in the tab that is open or in a new one. */
export async function click(event: NotificationEvent): Promise<void> {
  event.notification.close();
  const open = await self.clients.matchAll({ type: 'window' });
  const first = open[0];
  if (first === undefined) {
    await self.clients.openWindow('/#/duty');
    return;
  }
  await first.focus();
  first.postMessage({ tell: 'open', place: '#/duty' });
}

/** The alarm on the screen has stopped: what lies in the notification tray stops with it. */
export function answer(event: ExtendableMessageEvent): void {
  if (event.data?.do !== 'quiet') return;
  event.waitUntil(
    self.registration.getNotifications({ tag: TAG }).then((shown) => shown.forEach((one) => one.close())),
  );
}
