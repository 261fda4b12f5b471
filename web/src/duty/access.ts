import { api } from '../api/client';
import { level } from '../api/level.svelte';
import { Trouble, trouble } from '../api/trouble';
import type { Schema } from '../api/types';
import { clock } from '../ui/clock.svelte';
import { keep } from './keep';
import { answer } from './sign';

/** Taken anew this long before its end, so that no request meets an old one. */
const EARLY = 30_000;

/** How long a refusal is believed: wrong signatures lock a device out, so a dead key must not knock every few seconds. */
const REFUSED = 60_000;

let refused: { why: Trouble; until: number } | undefined;
let access: Schema<'DutyAccess'> | undefined;
let signingIn: Promise<Schema<'DutyAccess'>> | undefined;
let server: string | undefined;

/** The server's name for itself, which goes into what is signed; its clock comes along. */
export async function serverInfo(): Promise<Schema<'ServerInfo'>> {
  const began = performance.now();
  const info = await api.get('/v1/server', {}, { token: 'none', retries: 2 });
  clock.learn(info.now, performance.now() - began);
  server = info.name;
  level.learn(info.min_client_level);
  return info;
}

let making: Promise<unknown> | undefined;

/** A first key is being made and registered: what needs it waits for that instead of failing. */
export function expectKey(made: Promise<unknown>): void {
  making = made.catch(() => undefined).finally(() => (making = undefined));
}

async function signIn(): Promise<Schema<'DutyAccess'>> {
  let kept = await keep.get('device');
  if (kept === undefined && making !== undefined) {
    await making;
    kept = await keep.get('device');
  }
  if (kept === undefined) throw new Trouble('unauthenticated');
  const name = server ?? (await serverInfo()).name;
  const device = kept.device;
  const { challenge } = await api.post('/v1/auth/challenges', { body: { device } }, { token: 'none', retries: 2 });
  const signature = await answer(kept.key.privateKey, name, device, challenge);
  return api.post('/v1/auth/duty', { body: { device, challenge, signature } }, { token: 'none' });
}

/** A short-lived token of scope `duty`, for this person's own callouts. */
export async function dutyToken(fresh: boolean): Promise<string> {
  const good = access !== undefined && access.access_expires_at - EARLY > clock.exact();
  if (fresh || !good) {
    if (refused !== undefined && refused.until > Date.now()) throw refused.why;
    // Many requests, one sign-in.
    signingIn ??= signIn().finally(() => (signingIn = undefined));
    try {
      access = await signingIn;
    } catch (thrown) {
      const why = trouble(thrown);
      if (!why.passing) refused = { why, until: Date.now() + REFUSED };
      throw why;
    }
  }
  return access!.access;
}

/** Forgets the token in memory: the device was revoked, or is another one now. */
export function dropAccess(): void {
  access = undefined;
  refused = undefined;
}
