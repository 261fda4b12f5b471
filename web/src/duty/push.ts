import { api } from '../api/client';
import { Trouble } from '../api/trouble';
import type { Schema } from '../api/types';
import { dutyToken } from './access';
import { fromBase64url } from './sign';

const OPTIONS = { token: dutyToken };
/** How long a push service is given to bring the code. */
const PATIENCE = 30_000;

export const pushPossible = 'serviceWorker' in navigator && 'PushManager' in window && 'Notification' in window;

/** This browser's subscription, if it has one. */
export async function subscription(): Promise<PushSubscription | null> {
  if (!pushPossible) return null;
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** Subscribes, tells the server, and proves the way by the code that comes back through the push service. Asks for the
 *  permission if need be, so it has to follow a touch. */
export async function subscribe(): Promise<Schema<'ContactState'>> {
  if ((await Notification.requestPermission()) !== 'granted') throw new Trouble('forbidden');
  const registration = await navigator.serviceWorker.ready;
  const { key } = await api.get('/v1/push/key', {}, { token: 'none' });
  const made = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: fromBase64url(key) });
  return register(made);
}

/** Tells the server of a subscription, again after the browser has renewed it. */
export async function register(made: PushSubscription): Promise<Schema<'ContactState'>> {
  const { endpoint, keys } = made.toJSON();
  const code = codeFrom();
  const body = { endpoint: endpoint ?? '', p256dh: keys?.['p256dh'] ?? '', auth: keys?.['auth'] ?? '' };
  const answer = await api.put('/v1/devices/me/push', { body }, { ...OPTIONS, retries: 2 });
  if (answer.contact.state === 'verified') return 'verified';
  const arrived = await code;
  if (arrived === undefined) return answer.contact.state;
  const verified = await api.post('/v1/devices/me/push/verify', { body: { code: arrived } }, { ...OPTIONS, retries: 2 });
  return verified.contact.state;
}

/** The next code that the service worker hands over, or undefined when none comes. */
function codeFrom(): Promise<string | undefined> {
  return new Promise((resolve) => {
    const heard = (event: MessageEvent): void => {
      if (event.data?.tell !== 'code' || typeof event.data.code !== 'string') return;
      done(event.data.code);
    };
    const done = (code: string | undefined): void => {
      navigator.serviceWorker.removeEventListener('message', heard);
      clearTimeout(timer);
      resolve(code);
    };
    const timer = setTimeout(() => done(undefined), PATIENCE);
    navigator.serviceWorker.addEventListener('message', heard);
  });
}
