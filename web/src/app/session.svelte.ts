import { useTokens } from '../api/client';
import type { Schema } from '../api/types';
import { dropAccess, dutyToken } from '../duty/access';
import { callouts } from '../duty/callouts.svelte';
import { keep, type DutyDevice } from '../duty/keep';
import { registerDutyKey } from '../duty/register';
import { browser, type Status } from '../engine/browser.svelte';
import { engineTokens } from '../engine/client';
import { rooms } from '../engine/rooms.svelte';
import { startNotices } from './notify';

/** `empty`: no device in this browser. `locked`: duty only. `unlocked`: everything. */
export type Phase = 'empty' | 'locked' | 'unlocked';

/** Whose device this is and what it may do now. */
class Session {
  phase = $state<Phase>('empty');
  /** As kept for duty; ids and a role, no name. */
  device = $state.raw<DutyDevice | undefined>(undefined);
  role = $derived<Schema<'Role'> | undefined>(this.device?.role ?? browser.me?.role);
  person = $derived(this.device?.person ?? browser.me?.person);

  async start(): Promise<void> {
    useTokens(dutyToken);
    // A store that can't be opened must not keep the number to call off the screen.
    this.device = await Promise.race([
      keep.get('device').catch(() => undefined),
      new Promise<undefined>((resolve) => setTimeout(resolve, 3000)),
    ]);
    if (this.device !== undefined) this.phase = 'locked';
    $effect.root(() => {
      $effect(() => void this.#follow(browser.status));
    });
  }

  /** What the engine says decides, as soon as it has been asked; until then the duty key serves alone. */
  async #follow(status: Status | undefined): Promise<void> {
    if (status === undefined) return;
    const me = status.enrolment === 'enrolled' ? status.me : undefined;
    if (status.state === 'unlocked' && me) {
      this.phase = 'unlocked';
      useTokens(engineTokens);
      rooms.start();
      startNotices();
      // Offline, or an older server: the device has no duty then until the next unlock.
      this.device = await registerDutyKey(me, engineTokens).catch(() => this.device);
      return;
    }
    useTokens(dutyToken);
    rooms.stop();
    if (status.state === 'empty' || status.enrolment === 'revoked') {
      this.device = undefined;
      dropAccess();
      callouts.forget();
      // What can't be cleared now has no key that opens anything any more.
      await keep.clear().catch(() => undefined);
    }
    this.phase = this.device === undefined ? 'empty' : 'locked';
  }
}

export const session = new Session();
