/// <reference lib="webworker" />
import { seen } from './receipt';

declare const self: ServiceWorkerGlobalScope;

/** What a lock screen may say: never what for, where or for whom. */
const WORDS: Record<string, Record<string, string>> = {
  en: { page: 'Duty: respond', drill: 'Duty: drill', stand_down: 'Duty: stand down', other: 'Duty: please look at the app' },
  es: { page: 'Guardia: responda', drill: 'Guardia: simulacro', stand_down: 'Guardia: ya no hace falta', other: 'Guardia: mire la aplicación' },
};
const TAG = 'duty';
const RINGS = ['page', 'drill', 'test'];

interface Payload {
  kind: string;
  page: string;
  text: string;
}

function words(kind: string): string {
  const tag = self.navigator.languages.map((one) => one.split('-')[0] ?? '').find((one) => one in WORDS) ?? 'en';
  return WORDS[tag]?.[kind] ?? WORDS[tag]?.['other'] ?? 'Duty';
}

/** A push: shows it, tells the pages that are open, and tells the server that it has reached this screen. */
export async function push(event: PushEvent): Promise<void> {
  const { kind, page, text } = read(event);
  const rings = RINGS.includes(kind);
  const open = await self.clients.matchAll({ type: 'window' });
  // A code proves the way that it came by: the page that asked for it sends it back by itself.
  const code = /\b\d{6}\b/.exec(text)?.[0];
  for (const client of open) client.postMessage(kind === 'verify' && code ? { tell: 'code', code } : { tell: 'push', kind, code });
  const shown = self.registration.showNotification(kind === 'test' ? text : words(kind), {
    tag: TAG,
    // Called again: sound and vibration again, though one is still on the screen.
    ...({ renotify: rings, vibrate: rings ? [600, 200, 600, 200, 600, 200, 1000] : [] } as NotificationOptions),
    requireInteraction: rings,
    silent: !rings,
    icon: '/icons/icon-192.png',
    badge: '/icons/badge-96.png',
    data: { kind },
  });
  await Promise.all([shown, kind === 'page' || kind === 'drill' ? seen(page) : undefined]);
}

/** Whatever can't be read is a page: better once too often. */
function read(event: PushEvent): Payload {
  try {
    const { kind, page, text } = (event.data?.json() ?? {}) as Partial<Payload>;
    return { kind: kind ?? 'page', page: page ?? '', text: text ?? '' };
  } catch {
    return { kind: 'page', page: '', text: '' };
  }
}

/** Brings the duty screen to the front, in the tab that is open or in a new one. */
export async function click(event: NotificationEvent): Promise<void> {
  event.notification.close();
  const places: Record<string, string> = { test: '#/ready', room: '#/rooms' };
  const place = places[event.notification.data?.kind as string] ?? '#/duty';
  const first = (await self.clients.matchAll({ type: 'window' }))[0];
  if (first === undefined) {
    await self.clients.openWindow(`/${place}`);
    return;
  }
  await first.focus();
  first.postMessage({ tell: 'open', place });
}

/** The alarm on the screen has stopped: what lies in the notification tray stops with it. */
export function answer(event: ExtendableMessageEvent): void {
  if (event.data?.do !== 'quiet') return;
  event.waitUntil(
    self.registration.getNotifications({ tag: TAG }).then((shown) => shown.forEach((one) => one.close())),
  );
}
