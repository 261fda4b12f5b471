import { Trouble, trouble } from '../api/trouble';
import { engine } from './client';
import type { Answer, Asked, Command, Engine } from './types';

export type Status = Engine<'Status'>;

/** How this browser stands, as its engine says. Asking starts the engine, so nothing of it runs before `look`. */
class Browser {
  status = $state.raw<Status | undefined>(undefined);
  /** The engine could not be started: an old browser, or its file did not arrive. */
  failed = $state<Trouble | undefined>(undefined);
  me = $derived(this.status?.enrolment === 'enrolled' ? this.status.me : undefined);
  unlocked = $derived(this.status?.state === 'unlocked');
  /** An admin said no to this device's request. */
  refused = $state(false);
  #tabs = new BroadcastChannel('firstlight-tabs');
  #watching = false;

  /** Asks, and hears of every change from now on. */
  async look(): Promise<void> {
    this.#watch();
    try {
      this.status = await engine.call('status');
      this.failed = undefined;
    } catch (thrown) {
      this.failed = trouble(thrown);
    }
  }

  /** Asks what answers with the new status. Throws `Trouble`. */
  async change<C extends Command>(command: C, ...asked: Asked<C>): Promise<Answer<C>> {
    const answer = await engine.call(command, ...asked);
    if (typeof answer === 'object' && answer !== null && 'state' in answer) this.status = answer as Status;
    else await this.look();
    return answer;
  }

  async lock(): Promise<void> {
    // The worker ends with it, and the client asks the next one how it stands.
    await engine.call('lock').catch(() => undefined);
  }

  /** The other tab locks, and this one gets the store as soon as it has let go. */
  takeOver(): void {
    this.#tabs.postMessage('give');
  }

  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    engine.on('status', ({ status }) => (this.status = status));
    engine.on('enrolled', () => void this.look());
    engine.on('revoked', () => void this.look());
    engine.on('refused', () => {
      this.refused = true;
      void this.look();
    });
    this.#tabs.onmessage = () => {
      const holds = this.status !== undefined && this.status.state !== 'other_tab';
      if (holds) void this.lock();
    };
    for (const sign of ['pointerdown', 'keydown', 'wheel', 'touchmove']) {
      addEventListener(sign, () => engine.active(), { capture: true, passive: true });
    }
  }
}

export const browser = new Browser();
