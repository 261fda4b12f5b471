import { trouble, type Trouble } from '../../api/trouble';
import { engine } from '../../engine/client';
import type { Engine } from '../../engine/types';

export type Line = Engine<'Line'>;
export type Room = Engine<'Room'>;
export type Unsent = Engine<'Unsent'>;

const PAGE = 80;
/** So many lines are drawn at most: a room of ten thousand is as quick as one of three hundred. */
const KEEP = 320;

/** A window onto one room's lines that slides over the log, and everything else that its screen shows. */
export class Conversation {
  room = $state.raw<Room | undefined>(undefined);
  lines = $state.raw<readonly Line[]>([]);
  /** Whether there are lines before and after the window. */
  before = $state(false);
  after = $state(false);
  loaded = $state(false);
  failed = $state<Trouble | undefined>(undefined);
  /** The first line that nobody had seen when the room was opened. */
  firstUnread = $state<number | undefined>(undefined);
  /** Own messages on their way; those that have become lines are lines. */
  unsent = $derived.by(() => {
    const known = new Set(this.lines.filter((line) => line.own).map((line) => line.id));
    return (this.room?.unsent ?? []).filter((one) => !known.has(one.id));
  });
  #moving: Promise<void> | undefined;
  #again = false;
  #stop: () => void;

  constructor(readonly id: string) {
    this.#stop = engine.listen((event) => {
      if (event.event === 'connected') void this.follow();
      else if ('room' in event && event.room === id) void this.follow();
      else if (event.event === 'line' && event.line.room === id) void this.follow();
    });
  }

  stop(): void {
    this.#stop();
  }

  async open(): Promise<void> {
    try {
      this.room = await engine.call('room', { room: this.id });
      await this.newest();
      this.firstUnread = this.#unreadFrom(this.room.summary.unread);
    } catch (thrown) {
      this.failed = trouble(thrown);
    } finally {
      this.loaded = true;
    }
  }

  /** The end of the log. */
  async newest(): Promise<void> {
    const { lines, more } = await engine.call('lines', { room: this.id, limit: PAGE });
    this.lines = lines;
    this.before = more;
    this.after = false;
  }

  /** A page further up; the window lets go of as much at its end. */
  older(): Promise<void> {
    return this.#move(async () => {
      const first = this.lines[0];
      if (first === undefined || !this.before) return;
      const { lines, more } = await engine.call('lines', { room: this.id, before: first.seq, limit: PAGE });
      const all = [...lines, ...this.lines];
      if (all.length > KEEP) this.after = true;
      this.lines = all.slice(0, KEEP);
      this.before = more;
    });
  }

  /** A page further down. */
  newer(): Promise<void> {
    return this.#move(async () => {
      if (this.after) await this.#down();
    });
  }

  async #down(): Promise<void> {
    const last = this.lines.at(-1);
    if (last === undefined) return this.newest();
    const { lines, more } = await engine.call('lines', { room: this.id, after: last.seq, limit: PAGE });
    const all = [...this.lines, ...lines];
    if (all.length > KEEP) this.before = true;
    this.lines = all.slice(-KEEP);
    this.after = more;
  }

  /** Something has happened in the room: takes it in, if the window is at the end. Bursts are taken together. */
  async follow(): Promise<void> {
    if (this.#again) return;
    this.#again = true;
    await this.#move(async () => {
      this.#again = false;
      try {
        this.room = await engine.call('room', { room: this.id });
        if (!this.after) await this.#down();
        this.failed = undefined;
      } catch (thrown) {
        this.failed = trouble(thrown);
      }
    });
  }

  /** One move at a time, in order. */
  #move(what: () => Promise<void>): Promise<void> {
    const moving = (this.#moving ?? Promise.resolve()).then(what).catch(() => undefined);
    this.#moving = moving;
    return moving;
  }

  #unreadFrom(count: number): number | undefined {
    if (count === 0) return undefined;
    const others = this.lines.filter((line) => !line.own && ['text', 'details', 'unreadable', 'ask_to_admit', 'answer'].includes(line.body.kind));
    return others.at(-count)?.seq ?? this.lines[0]?.seq;
  }

  of(message: string): Line | undefined {
    return this.lines.find((line) => line.id === message);
  }
}
