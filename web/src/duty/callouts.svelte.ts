import { api } from '../api/client';
import { newId } from '../api/ids';
import { Trouble, trouble } from '../api/trouble';
import type { Schema } from '../api/types';
import { dutyToken } from './access';

export type Callout = Schema<'CalloutView'>;
export type Action = Schema<'Action'>;

const POLL = 3000;
/** While somebody waits for an answer: it is on their screen within a second, at a cost of a few milliseconds. */
const POLL_WAITING = 1000;
const OPTIONS = { token: dutyToken };
/** An action goes on trying for about half a minute: a lift, a tunnel. */
const ACTION_RETRIES = 6;

const ENDED: readonly Callout['state'][] = ['closed', 'reviewed', 'cancelled', 'merged'];
export const isOpen = (callout: Callout): boolean => !ENDED.includes(callout.state);

/** This person's callouts, as new as the network allows: polled while the page is seen, and at once when anything tells. */
class Callouts {
  #known = $state.raw<ReadonlyMap<string, Callout>>(new Map());
  /** Actions on their way, by callout. */
  #acting = $state.raw<ReadonlyMap<string, Action['do']>>(new Map());
  /** Whether the first answer has come. */
  loaded = $state(false);
  /** Why the last look failed; undefined when it did not. */
  failed = $state<Trouble | undefined>(undefined);
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looking: Promise<void> | undefined;
  #watching = false;

  /** Newest first. */
  all = $derived([...this.#known.values()].sort((a, b) => b.opened_at - a.opened_at));

  of(id: string): Callout | undefined {
    return this.#known.get(id);
  }

  acting(id: string): Action['do'] | undefined {
    return this.#acting.get(id);
  }

  /** Begins to watch, for as long as the app lives. */
  watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    document.addEventListener('visibilitychange', () => this.look());
    addEventListener('online', () => this.look());
    this.look();
  }

  /** Looks now. Asked again meanwhile, it looks once more afterwards, so that nothing told is missed. */
  look(): void {
    clearTimeout(this.#timer);
    if (this.#looking !== undefined) {
      void this.#looking.then(() => this.#timer === undefined && this.look());
      return;
    }
    this.#timer = undefined;
    this.#looking = this.#read().finally(() => {
      this.#looking = undefined;
      if (document.visibilityState === 'visible') this.#timer = setTimeout(() => this.look(), this.#waiting() ? POLL_WAITING : POLL);
    });
  }

  #waiting(): boolean {
    return this.all.some((one) => isOpen(one) && one.accepted < one.wanted);
  }

  async #read(): Promise<void> {
    try {
      const { callouts } = await api.get('/v1/callouts', {}, { ...OPTIONS, retries: 0 });
      const listed = new Map(callouts.map((callout) => [callout.id, this.#newer(callout)]));
      // One that was just opened may not be in a list that was read before it.
      for (const [id, known] of this.#known) if (!listed.has(id) && isOpen(known)) listed.set(id, known);
      this.#known = listed;
      this.loaded = true;
      this.failed = undefined;
    } catch (thrown) {
      this.failed = trouble(thrown);
      // Not this device's any more: it neither shows nor rings.
      if (this.failed.code === 'device_revoked') this.forget();
    }
  }

  /** The device is nobody's any more. */
  forget(): void {
    this.#known = new Map();
  }

  #newer(callout: Callout): Callout {
    const known = this.#known.get(callout.id);
    return known !== undefined && known.revision >= callout.revision ? known : callout;
  }

  /** Takes a view in from an answer or an event. */
  take(callout: Callout): void {
    this.#known = new Map(this.#known).set(callout.id, this.#newer(callout));
  }

  /** Acts, with one id however often it has to be sent. Throws `Trouble` when it is refused. */
  async act(id: string, action: Action): Promise<Callout> {
    this.#acting = new Map(this.#acting).set(id, action.do);
    try {
      const ask = { path: { callout: id }, body: { id: newId('act'), action } };
      const view = await api.post('/v1/callouts/{callout}/actions', ask, { ...OPTIONS, retries: ACTION_RETRIES });
      this.take(view);
      return view;
    } catch (thrown) {
      this.look();
      throw trouble(thrown);
    } finally {
      const acting = new Map(this.#acting);
      acting.delete(id);
      this.#acting = acting;
    }
  }
}

export const callouts = new Callouts();
