import { untrack } from 'svelte';
import { Task } from './task.svelte';
import { trouble, type Trouble } from './trouble';

interface Read<T> {
  version: number;
  value: T;
}

/** A document that is replaced as a whole, and only in the version that was read: the rota, the policy. Nobody overwrites
 *  what somebody else did meanwhile. */
export class Versioned<T extends object> extends Task {
  #read = $state.raw<Read<T> | undefined>(undefined);
  /** A change that met another's: what was wanted, to be done again on what stands now. */
  clash = $state.raw<((value: T) => T) | undefined>(undefined);
  /** Why it could not be read. */
  unread = $state.raw<Trouble | undefined>(undefined);

  constructor(
    private readonly get: () => Promise<Read<T>>,
    private readonly put: (version: number, value: T) => Promise<Read<T>>,
    private readonly empty: T,
  ) {
    super();
  }

  get value(): T | undefined {
    return this.#read?.value;
  }

  async open(): Promise<void> {
    const read = await untrack(this.get).catch((thrown: unknown) => {
      // Nobody has written one yet: the first change makes it.
      if (trouble(thrown).code === 'not_found') return { version: 0, value: this.empty };
      throw thrown;
    });
    this.unread = undefined;
    // The same again is no news: whoever is typing a change of it goes on.
    if (read.version !== this.#read?.version) this.#read = read;
  }

  /** What else to read again after a change. */
  async look(): Promise<void> {
    await this.open().catch((why: Trouble) => (this.unread = why));
  }

  /** Changes what was read. After a clash nothing has happened, and `clash` keeps what was wanted. */
  async edit(change: (value: T) => T): Promise<boolean> {
    if (this.#read === undefined) await this.look();
    if (this.#read === undefined) return false;
    const { version, value } = this.#read;
    const saved = await this.run(() => this.put(version, change(structuredClone(value))));
    if (saved) {
      this.#read = saved.done;
      void this.look();
      return true;
    }
    if (this.wrong?.code === 'conflict') this.clash = change;
    return false;
  }

  /** After a clash: loads what stands now, and does the change again on it or leaves it. */
  async settle(again: boolean): Promise<void> {
    const change = this.clash;
    this.clash = undefined;
    this.wrong = undefined;
    await this.look();
    if (again && change !== undefined) await this.edit(change);
  }
}
