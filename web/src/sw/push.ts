/// <reference lib="webworker" />
import { moved, nobodyCalls, seen } from './receipt';

declare const self: ServiceWorkerGlobalScope;

/** What a lock screen may say: never what for, where or for whom. */
const WORDS: Record<string, Record<string, string>> = {
  en: { page: 'Duty: respond', drill: 'Duty: drill', alarm: 'Duty: alarm', notice: 'Duty: notice', stand_down: 'Duty: stand down', other: 'Duty: please look at the app' },
  es: { page: 'Guardia: responda', drill: 'Guardia: simulacro', alarm: 'Guardia: alarma', notice: 'Guardia: notificación', stand_down: 'Guardia: ya no hace falta', other: 'Guardia: mire la aplicación' },
};
/** What wakes somebody. Each kind has a notification of its own, so that nothing takes a page's place. */
const RINGS = ['page', 'drill', 'test', 'alarm', 'notice'];
const tagOf = (kind: string): string => `duty-${kind}`;
/** A callout that was called off must not lie there beside its end. */
const PAGES = ['page', 'drill'].map(tagOf);

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
    tag: tagOf(kind),
    // Called again: sound and vibration again, though one is still on the screen.
    ...({ renotify: rings, vibrate: rings ? [600, 200, 600, 200, 600, 200, 1000] : [] } as NotificationOptions),
    requireInteraction: rings,
    silent: !rings,
    icon: '/icons/icon-192.png',
    badge: '/icons/badge-96.png',
    data: { kind },
  });
  await Promise.all([
    shown,
    kind === 'page' || kind === 'drill' ? seen(page) : undefined,
    kind === 'stand_down' ? nobodyCalls().then((quiet) => (quiet ? takeAway() : undefined)) : undefined,
  ]);
}

async function takeAway(tags = PAGES): Promise<void> {
  for (const tag of tags) (await self.registration.getNotifications({ tag })).forEach((one) => one.close());
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
  const places: Record<string, string> = { test: '#/ready', room: '#/rooms', alarm: '#/board', notice: '#/notices' };
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
  event.waitUntil(takeAway([...PAGES, tagOf('stand_down')]));
}

interface PushSubscriptionChangeEvent extends ExtendableEvent {
  readonly newSubscription?: PushSubscription | null;
  readonly oldSubscription?: PushSubscription | null;
}
export type { PushSubscriptionChangeEvent };

/** The browser gave the subscription up: another one is made, and the server told; the code that proves it comes by push,
 *  and the app sends it back when it is next opened. */
export function renew(event: PushSubscriptionChangeEvent): void {
  const again = async (): Promise<void> => {
    const options = event.oldSubscription?.options;
    const made = event.newSubscription ?? (options && (await self.registration.pushManager.subscribe(options)));
    if (made) await moved(made);
  };
  event.waitUntil(again());
}
