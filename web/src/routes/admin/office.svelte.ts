import { trouble } from '../../api/trouble';
import { engine } from '../../engine/client';
import type { Engine } from '../../engine/types';
import { t, type Key } from '../../i18n/index.svelte';
import { toast } from '../../ui/Toasts.svelte';

/** What waits for this admin, kept new by the notices that tell of it. */
class Office {
  pending = $state.raw<Engine<'PendingRequests'> | undefined>(undefined);
  failed = $state<string | undefined>(undefined);
  waiting = $derived((this.pending?.devices.length ?? 0) + (this.pending?.partners.length ?? 0));
  #started = false;

  start(): void {
    void this.look();
    if (this.#started) return;
    this.#started = true;
    engine.on('notice', ({ item }) => {
      if ('request_pending' in (item.notice as object)) void this.look();
    });
    engine.on('connected', () => void this.look());
  }

  async look(): Promise<void> {
    try {
      this.pending = await engine.call('pending_requests');
      this.failed = undefined;
    } catch (thrown) {
      this.failed = trouble(thrown).code;
    }
  }
}

export const office = new Office();

/** Does something and says how it went. Answers whether it did. */
export async function done(what: () => Promise<unknown>, said: string): Promise<boolean> {
  try {
    await what();
    toast(said);
    return true;
  } catch (thrown) {
    toast(t(`trouble.${trouble(thrown).code}` as Key), 'danger');
    return false;
  }
}
