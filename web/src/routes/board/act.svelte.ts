import { api } from '../../api/client';
import { newId } from '../../api/ids';
import { Task } from '../../api/task.svelte';
import type { Schema } from '../../api/types';
import { board } from './board.svelte';

/** Tries again for about half a minute, with the same id: a lift, a tunnel. */
const RETRIES = 6;

/** Something done to a callout from the board. */
export class Acting extends Task {
  /** Whether it was taken. What was refused stays in `wrong`. */
  async act(callout: string, action: Schema<'Action'>): Promise<boolean> {
    const id = newId('act');
    const ask = { path: { callout }, body: { id, action } };
    const taken = await this.run(() => api.post('/v1/callouts/{callout}/actions', ask, { retries: RETRIES }));
    await board.callouts.look();
    return taken !== undefined;
  }
}
