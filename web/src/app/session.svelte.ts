import type { Schema } from '../api/types';

export type Me = Schema<'Me'>;

/** `empty`: no device in this browser. `locked`: duty only. `unlocked`: everything. */
export type Phase = 'empty' | 'locked' | 'unlocked';

/** Whose device this is and what it may do now. */
class Session {
  phase = $state<Phase>('empty');
  me = $state<Me | undefined>(undefined);

  async start(): Promise<void> {}
}

export const session = new Session();
