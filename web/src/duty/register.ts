import { api, type TokenSource } from '../api/client';
import type { Schema } from '../api/types';
import { dropAccess, expectKey } from './access';
import { keep, type DutyDevice } from './keep';
import { newKey, publicKey } from './sign';

let registering: Promise<DutyDevice> | undefined;

/** Makes this device's duty key, unless it has one, and registers its public half. Needs a whole sign-in. Said again at each
 *  unlock, which changes nothing, so that a server that was restored from a copy learns it again. One at a time: two that
 *  each made a key would leave the one here and the other one there. */
export function registerDutyKey(me: Schema<'Me'>, token: TokenSource): Promise<DutyDevice> {
  if (registering === undefined) {
    registering = register(me, token).finally(() => (registering = undefined));
    expectKey(registering);
  }
  return registering;
}

async function register(me: Schema<'Me'>, token: TokenSource): Promise<DutyDevice> {
  const known = await keep.get('device');
  const key = known?.device === me.device ? known.key : await newKey();
  await api.put('/v1/devices/me/duty-key', { body: { key: await publicKey(key) } }, { token, retries: 3 });
  const device: DutyDevice = { device: me.device, person: me.person, org: me.org, role: me.role, key };
  await keep.set('device', device);
  dropAccess();
  return device;
}
