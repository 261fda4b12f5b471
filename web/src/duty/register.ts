import { api, type TokenSource } from '../api/client';
import type { Schema } from '../api/types';
import { dropAccess } from './access';
import { keep, type DutyDevice } from './keep';
import { newKey, publicKey } from './sign';

/** Makes this device's duty key, unless it has one, and registers its public half. Needs a whole sign-in. Said again at each
 *  unlock, which changes nothing, so that a server that was restored from a copy learns it again. */
export async function registerDutyKey(me: Schema<'Me'>, token: TokenSource): Promise<DutyDevice> {
  const known = await keep.get('device');
  const key = known?.device === me.device ? known.key : await newKey();
  await api.put('/v1/devices/me/duty-key', { body: { key: await publicKey(key) } }, { token, retries: 3 });
  const device: DutyDevice = { device: me.device, person: me.person, org: me.org, role: me.role, key };
  await keep.set('device', device);
  dropAccess();
  return device;
}
