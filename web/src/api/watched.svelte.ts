import { untrack } from 'svelte';
import { engine } from '../engine/client';
import { trouble, type Trouble } from './trouble';

/** Several notices at once, such as the pages of one callout, are one reason to look. */
const GATHER = 200;

/**
 * Something the server knows, as new as it can be had: read again when the engine hears of a change, and by itself every
 * `everyMs` while it is seen. Read only while a screen shows it.
 */
export class Watched<T> {
  now = $state.raw<T | undefined>(undefined);
  /** Why the last look failed; what was known before still shows. */
  wrong = $state.raw<Trouble | undefined>(undefined);
  /** When the last answer came, by this device's clock. */
  readAt = $state(0);
  #reading: Promise<void> | undefined;
  #again = false;

  constructor(
    private readonly read: () => Promise<T>,
    private readonly everyMs: number,
  ) {}

  /** Looks now. Asked again meanwhile, it looks once more afterwards, so that nothing told is missed. */
  look(): Promise<void> {
    if (this.#reading !== undefined) {
      this.#again = true;
      return this.#reading;
    }
    this.#reading = this.#look();
    return this.#reading;
  }

  async #look(): Promise<void> {
    try {
      do {
        this.#again = false;
        this.now = await untrack(this.read);
        this.wrong = undefined;
        this.readAt = Date.now();
      } while (this.#again);
    } catch (thrown) {
      this.wrong = trouble(thrown);
    } finally {
      this.#reading = undefined;
    }
  }

  /** Watches until the returned function is called: `$effect(() => board.watch())`. */
  watch(): () => void {
    let gathering: ReturnType<typeof setTimeout> | undefined;
    const look = (): void => void (document.visibilityState === 'visible' && this.look());
    const soon = (): void => {
      gathering ??= setTimeout(() => ((gathering = undefined), void this.look()), GATHER);
    };
    const deaf = engine.listen((event) => {
      if (event.event === 'notice' || event.event === 'connected') soon();
    });
    const timer = setInterval(look, this.everyMs);
    document.addEventListener('visibilitychange', look);
    addEventListener('online', look);
    void this.look();
    return () => {
      deaf();
      clearInterval(timer);
      clearTimeout(gathering);
      document.removeEventListener('visibilitychange', look);
      removeEventListener('online', look);
    };
  }
}
