import { api } from '../api/client';
import { Trouble, trouble } from '../api/trouble';
import { clock } from '../ui/clock.svelte';
import { dutyToken } from './access';
import { callouts } from './callouts.svelte';
import { keep, type Unsent } from './keep';

const AGAIN = 3000;
/** So long after the tap the screen is loud, whatever the network pretends. */
const SOON = 5000;
/** The store may be slow or broken: the page goes out all the same. */
const STORING = 500;
/** After so long a callout is another night's: it goes only if the officer says that it is still needed. */
const OLD = 2 * 3_600_000;
/** Says nothing of the callout itself: trouble of the sign-in, or of whatever stands between. */
const NOT_OURS = ['unauthenticated', 'token_expired', 'bad_signature', 'device_revoked', 'needs_unlock', 'internal'];

/** Callouts between the tap and the server. Each is stored before it is sent, and goes with the same id until the server
 *  has it or the officer gives it up: a retry, a reload or a second tab never makes a second callout, and none is dropped
 *  behind the officer's back. */
class Outbox {
  waiting = $state<Unsent[]>([]);
  /** Refused by the server, and why: not tried again by itself. */
  refused = $state.raw<ReadonlyMap<string, Trouble>>(new Map());
  #failedOnce = $state.raw<ReadonlySet<string>>(new Set());
  #needed = $state.raw<ReadonlySet<string>>(new Set());
  /** Too old to go by itself. */
  old = $derived<ReadonlySet<string>>(
    new Set(this.waiting.filter((one) => clock.now - one.tapped_at > OLD && !this.#needed.has(one.id)).map((one) => one.id)),
  );
  /** What has waited longer than a tap should take. */
  late = $derived<ReadonlySet<string>>(
    new Set(this.waiting.filter((one) => this.#failedOnce.has(one.id) || clock.now - one.tapped_at > SOON).map((one) => one.id)),
  );
  /** In the store, as far as this tab knows: what is gone from there another tab has sent or given up. */
  #stored = new Set<string>();
  #sending = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  async start(): Promise<void> {
    addEventListener('online', () => void this.send());
    document.addEventListener('visibilitychange', () => void this.send());
    const kept = await keep.unsent().catch(() => []);
    this.#stored = new Set(kept.map((one) => one.id));
    this.#failedOnce = new Set(this.#stored);
    this.waiting = [...kept, ...this.waiting.filter((one) => !this.#stored.has(one.id))];
    void this.send();
  }

  /** Queues a callout and sends it. */
  async open(callout: Unsent): Promise<void> {
    this.waiting.push(callout);
    const storing = keep.queue($state.snapshot(callout)).then(
      () => void this.#stored.add(callout.id),
      () => undefined,
    );
    await Promise.race([storing, new Promise((resolve) => setTimeout(resolve, STORING))]);
    void this.send();
  }

  /** The officer called by telephone instead: it must not be sent later. */
  async discard(id: string): Promise<void> {
    this.waiting = this.waiting.filter((one) => one.id !== id);
    await keep.sent(id).catch(() => undefined);
  }

  /** The officer says that it is still needed. */
  async sendNow(id: string): Promise<void> {
    this.#needed = new Set(this.#needed).add(id);
    const refused = new Map(this.refused);
    refused.delete(id);
    this.refused = refused;
    await this.send();
  }

  async send(): Promise<void> {
    if (this.#sending || this.waiting.length === 0) return;
    this.#sending = true;
    clearTimeout(this.#timer);
    try {
      // One tab at a time, so that what one has sent or given up another doesn't send again.
      await navigator.locks.request('firstlight-outbox', () => this.#sendAll());
    } finally {
      this.#sending = false;
      if (this.waiting.length > 0) this.#timer = setTimeout(() => void this.send(), AGAIN);
    }
  }

  async #sendAll(): Promise<void> {
    const kept = await keep.unsent().catch(() => undefined);
    if (kept !== undefined) {
      const gone = (id: string): boolean => this.#stored.has(id) && !kept.some((one) => one.id === id);
      this.waiting = this.waiting.filter((one) => !gone(one.id));
    }
    for (const callout of $state.snapshot(this.waiting) as Unsent[]) {
      const held = this.old.has(callout.id) || this.refused.has(callout.id);
      // Given up while another one was under way.
      if (!held && this.waiting.some((one) => one.id === callout.id)) await this.#sendOne(callout);
    }
  }

  async #sendOne(callout: Unsent): Promise<void> {
    const { tapped_at: _, ...body } = callout;
    try {
      const view = await api.post('/v1/callouts', { body }, { token: dutyToken, retries: 0 });
      // Something between here and the server may answer in its place.
      if (view?.id !== callout.id) throw new Trouble('unavailable');
      callouts.take(view);
      await this.discard(callout.id);
    } catch (thrown) {
      const why = trouble(thrown);
      this.#failedOnce = new Set(this.#failedOnce).add(callout.id);
      if (!why.passing && !NOT_OURS.includes(why.code)) this.refused = new Map(this.refused).set(callout.id, why);
    }
  }
}

export const outbox = new Outbox();

/** When the officer tapped, by the server's clock. */
export const tappedNow = (): number => clock.exact();
