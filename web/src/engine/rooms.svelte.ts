import { trouble, type Trouble } from '../api/trouble';
import { engine } from './client';
import type { Engine } from './types';

export type Row = Engine<'RoomRow'>;

/** Events come in bursts, as when ten thousand messages are caught up: one look serves all of them. */
const SETTLE = 120;

/** All rooms of this device, while it is unlocked. Nothing of them outlives the lock. */
class Rooms {
  rows = $state.raw<readonly Row[]>([]);
  loaded = $state(false);
  failed = $state<Trouble | undefined>(undefined);
  unread = $derived(this.rows.reduce((sum, row) => sum + (row.state === 'left' ? 0 : row.unread), 0));
  /** What is being written, by room. In memory only. */
  readonly drafts = new Map<string, string>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stop: (() => void) | undefined;

  start(): void {
    if (this.#stop !== undefined) return;
    this.#stop = engine.listen(({ event }) => {
      if (event === 'line' || event === 'room' || event === 'sent') this.#soon();
    });
    void this.look();
  }

  /** The device is locked: what was read is forgotten. */
  stop(): void {
    this.#stop?.();
    this.#stop = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.rows = [];
    this.loaded = false;
    this.drafts.clear();
  }

  of(room: string): Row | undefined {
    return this.rows.find((row) => row.room === room);
  }

  async look(): Promise<void> {
    try {
      const { rooms } = await engine.call('rooms');
      if (this.#stop === undefined) return;
      this.rows = rooms;
      this.failed = undefined;
      this.loaded = true;
    } catch (thrown) {
      this.failed = trouble(thrown);
    }
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      void this.look();
    }, SETTLE);
  }
}

export const rooms = new Rooms();
