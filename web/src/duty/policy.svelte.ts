import { api } from '../api/client';
import type { Schema } from '../api/types';
import { dutyToken } from './access';
import { keep } from './keep';

/** The host's policy: places to choose from, and the number to call when nothing works. Kept, so that both are there offline. */
class PolicyRead {
  now = $state.raw<Schema<'Policy'> | undefined>(undefined);

  async start(): Promise<void> {
    this.now = await keep.get('policy');
  }

  async read(): Promise<void> {
    try {
      const { policy } = await api.get('/v1/policy', {}, { token: dutyToken });
      this.now = policy;
      await keep.set('policy', policy);
    } catch {
      // The one that was kept serves on; the screens say themselves that there is no connection.
    }
  }
}

export const policy = new PolicyRead();
