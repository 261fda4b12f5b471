/// <reference lib="webworker" />
import { keep } from '../duty/keep';
import { answer } from '../duty/sign';

/** Tells the server that a page has reached this screen. Done here, because the app may not be running. */
export async function seen(page: string): Promise<void> {
  if (page === '') return;
  try {
    await ask('POST', `/v1/pages/${encodeURIComponent(page)}/seen`, undefined, await access());
  } catch {
    // A receipt is told to a supervisor and decides nothing: what was shown stays shown.
  }
}

/** Whether the server says that no callout calls this person now. If it can't be asked, one may. */
export async function nobodyCalls(): Promise<boolean> {
  try {
    const { callouts } = await ask<{ callouts: { your_state?: string | null }[] }>('GET', '/v1/callouts', undefined, await access());
    return callouts.every((one) => one.your_state !== 'paged');
  } catch {
    return false;
  }
}

/** Tells the server where pushes go from now on: the browser has renewed the subscription. */
export async function moved(subscription: PushSubscription): Promise<void> {
  const { endpoint, keys } = subscription.toJSON();
  const body = { endpoint, p256dh: keys?.['p256dh'], auth: keys?.['auth'] };
  await ask('PUT', '/v1/devices/me/push', body, await access());
}

async function access(): Promise<string> {
  const kept = await keep.get('device');
  if (kept === undefined) throw new Error('no device');
  const device = kept.device;
  const { name } = await ask<{ name: string }>('GET', '/v1/server');
  const { challenge } = await ask<{ challenge: string }>('POST', '/v1/auth/challenges', { device });
  const signature = await answer(kept.key.privateKey, name, device, challenge);
  return (await ask<{ access: string }>('POST', '/v1/auth/duty', { device, challenge, signature })).access;
}

async function ask<T>(method: string, path: string, body?: object, access?: string): Promise<T> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (access !== undefined) headers['authorization'] = `Bearer ${access}`;
  const init = { method, headers, credentials: 'omit', cache: 'no-store', signal: AbortSignal.timeout(10_000) } as const;
  const response = await fetch(path, body === undefined ? init : { ...init, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(String(response.status));
  return (response.status === 204 ? undefined : await response.json()) as T;
}
