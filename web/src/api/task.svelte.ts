import { untrack } from 'svelte';
import { trouble, type Trouble } from './trouble';

/** Something a person asked for: it is under way, or it went wrong, or neither. */
export class Task {
  busy = $state(false);
  wrong = $state.raw<Trouble | undefined>(undefined);

  /** Does the work once at a time. What went wrong is kept for the screen to say; the answer is undefined then. */
  async run<T>(work: () => Promise<T>): Promise<{ done: T } | undefined> {
    // Begun by an effect, it must not begin again because it is over.
    if (untrack(() => this.busy)) return undefined;
    this.busy = true;
    this.wrong = undefined;
    try {
      return { done: await untrack(work) };
    } catch (thrown) {
      this.wrong = trouble(thrown);
      return undefined;
    } finally {
      this.busy = false;
    }
  }
}
