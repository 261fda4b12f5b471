/// <reference lib="webworker" />
import { keep } from '../duty/keep';
import { answer } from '../duty/sign';

/** Tells the server that a page has reached this screen. Done here, because the app may not be running. */
export async function seen(page: string): Promise<void> {
  if (page === '') return;
  try {
    const kept = await keep.get('device');
    if (kept === undefined) return;
    const device = kept.device;
    const { name } = await ask<{ name: string }>('GET', '/v1/server');
    const { challenge } = await ask<{ challenge: string }>('POST', '/v1/auth/challenges', { device });
    const signature = await answer(kept.key.privateKey, name, device, challenge);
    const { access } = await ask<{ access: string }>('POST', '/v1/auth/duty', { device, challenge, signature });
    await ask('POST', `/v1/pages/${encodeURIComponent(page)}/seen`, undefined, access);
  } catch {
    // A receipt is told to a supervisor and decides nothing: what was shown stays shown.
  }
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
