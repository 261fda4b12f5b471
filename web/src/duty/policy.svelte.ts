import { api } from '../api/client';
import { trouble } from '../api/trouble';
import type { Schema } from '../api/types';
import { dutyToken } from './access';
import { keep } from './keep';

const AGAIN = 3000;
/** Nobody has written one yet. */
const LATER = 10_000;

/** The host's policy: places to choose from, and the number to call when nothing works. Kept, so that both are there offline. */
class PolicyRead {
  now = $state.raw<Schema<'Policy'> | undefined>(undefined);

  #again: ReturnType<typeof setTimeout> | undefined;
  #reading = false;

  async start(): Promise<void> {
    addEventListener('online', () => void this.read());
    document.addEventListener('visibilitychange', () => void (document.visibilityState === 'visible' && this.read()));
    this.now ??= await keep.get('policy').catch(() => undefined);
    await this.read();
  }

  /** Reads it, and tries until it is read: without any an officer has no place to choose. */
  async read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    clearTimeout(this.#again);
    try {
      const { policy } = await api.get('/v1/policy', {}, { token: dutyToken });
      this.now = policy;
      await keep.set('policy', policy).catch(() => undefined);
    } catch (thrown) {
      // The one that was kept serves on; the screens say themselves that there is no connection.
      const { passing, retryAfterMs } = trouble(thrown);
      this.#again = setTimeout(() => void this.read(), passing ? Math.max(AGAIN, retryAfterMs ?? 0) : LATER);
    } finally {
      this.#reading = false;
    }
  }
}

export const policy = new PolicyRead();
