import { api } from '../api/client';
import { Trouble, trouble } from '../api/trouble';
import { clock } from '../ui/clock.svelte';
import { dutyToken } from './access';
import { callouts } from './callouts.svelte';
import { keep, type Unsent } from './keep';

const AGAIN = 3000;
/** After so long a callout is another night's: it goes only if the officer says that it is still needed. */
const OLD = 2 * 3_600_000;

/** Callouts between the tap and the server. Each is stored before it is sent, and goes with the same id until the server
 *  has it or refuses it: a retry, a reload or a second tab never makes a second callout. */
class Outbox {
  waiting = $state<Unsent[]>([]);
  /** Refused for good: shown until the officer has seen why. */
  refused = $state<{ callout: Unsent; why: Trouble } | undefined>(undefined);
  /** Whether something has waited longer than a tap should take: then it is loud. */
  late = $derived(this.waiting.some((one) => this.failedOnce.has(one.id)));
  failedOnce = $state.raw<ReadonlySet<string>>(new Set());
  #needed = $state.raw<ReadonlySet<string>>(new Set());
  /** Too old to go by itself. */
  old = $derived<ReadonlySet<string>>(
    new Set(this.waiting.filter((one) => clock.now - one.tapped_at > OLD && !this.#needed.has(one.id)).map((one) => one.id)),
  );
  #sending = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  async start(): Promise<void> {
    this.waiting = await keep.unsent();
    this.failedOnce = new Set(this.waiting.map((one) => one.id));
    addEventListener('online', () => void this.send());
    document.addEventListener('visibilitychange', () => void this.send());
    void this.send();
  }

  /** Queues a callout and sends it. */
  async open(callout: Unsent): Promise<void> {
    this.refused = undefined;
    this.waiting.push(callout);
    // The page goes out even if this browser can't keep anything.
    await keep.queue($state.snapshot(callout)).catch(() => undefined);
    void this.send();
  }

  /** The officer called by telephone instead: it must not be sent later. */
  async discard(id: string): Promise<void> {
    await keep.sent(id);
    this.waiting = this.waiting.filter((one) => one.id !== id);
  }

  /** The officer says that it is still needed. */
  async sendNow(id: string): Promise<void> {
    this.#needed = new Set(this.#needed).add(id);
    await this.send();
  }

  async send(): Promise<void> {
    if (this.#sending || this.waiting.length === 0) return;
    this.#sending = true;
    clearTimeout(this.#timer);
    try {
      // One tab at a time, so that two of them don't both hold it back as theirs.
      await navigator.locks.request('firstlight-outbox', async () => {
        for (const callout of $state.snapshot(this.waiting)) if (!this.old.has(callout.id)) await this.#sendOne(callout as Unsent);
      });
    } finally {
      this.#sending = false;
      if (this.waiting.length > 0) this.#timer = setTimeout(() => void this.send(), AGAIN);
    }
  }

  async #sendOne(callout: Unsent): Promise<void> {
    const { tapped_at: _, ...body } = callout;
    try {
      const view = await api.post('/v1/callouts', { body }, { token: dutyToken, retries: 0 });
      callouts.take(view);
      await this.discard(callout.id).catch(() => undefined);
    } catch (thrown) {
      const why = trouble(thrown);
      this.failedOnce = new Set(this.failedOnce).add(callout.id);
      // A sign-in that can't be had now may be had later; everything else that is not passing is an answer.
      if (why.passing || why.code === 'unauthenticated' || why.code === 'internal') return;
      await this.discard(callout.id).catch(() => undefined);
      this.refused = { callout, why };
    }
  }
}

export const outbox = new Outbox();

/** When the officer tapped, by the server's clock. */
export const tappedNow = (): number => clock.exact();
