import { useTokens } from '../api/client';
import type { Schema } from '../api/types';
import { dutyToken } from '../duty/access';
import { keep, type DutyDevice } from '../duty/keep';

/** `empty`: no device in this browser. `locked`: duty only. `unlocked`: everything. */
export type Phase = 'empty' | 'locked' | 'unlocked';

/** Whose device this is and what it may do now. */
class Session {
  phase = $state<Phase>('empty');
  /** As kept for duty; ids and a role, no name. */
  device = $state.raw<DutyDevice | undefined>(undefined);
  role = $derived<Schema<'Role'> | undefined>(this.device?.role);
  person = $derived(this.device?.person);

  async start(): Promise<void> {
    useTokens(dutyToken);
    this.device = await keep.get('device');
    if (this.device !== undefined) this.phase = 'locked';
  }
}

export const session = new Session();
