import { api } from '../../api/client';
import { Trouble, trouble, type TroubleCode } from '../../api/trouble';
import { arrived } from '../../app/invite';
import { browser } from '../../engine/browser.svelte';
import { engine } from '../../engine/client';
import type { Engine } from '../../engine/types';

export type InviteInfo = Engine<'InviteInfo'>;
type Unlocking = Engine<'Unlocking'>;

/** What the link turned out to be, or why it is none. */
class Joining {
  info = $state.raw<InviteInfo | undefined>(undefined);
  /** `malformed`: no link of ours, or a part of it is missing. */
  wrong = $state<TroubleCode | 'malformed' | undefined>(undefined);
  /** A founding that went well: what has to be printed before going on. */
  founded = $state.raw<Engine<'Founded'> | undefined>(undefined);

  /** Reads a link; sends nothing. */
  async read(text: string): Promise<void> {
    this.wrong = this.info = undefined;
    const link = text.trim();
    try {
      this.info = await engine.call('read_invite', { link });
      arrived.set(link);
    } catch (thrown) {
      const { code } = trouble(thrown);
      this.wrong = code === 'bad_request' || code === 'invalid_value' || code === 'invite_invalid' ? 'malformed' : code;
      arrived.forget();
    }
  }

  forget(): void {
    arrived.forget();
    this.info = this.wrong = undefined;
  }

  /** Makes the sealed store, unless an earlier try has. */
  async #store(by: Unlocking): Promise<void> {
    if (browser.status?.state === 'empty') await browser.change('create', by);
  }

  async join(by: Unlocking | undefined): Promise<void> {
    const link = arrived.link;
    if (link === undefined) throw new Trouble('invite_invalid');
    browser.refused = false;
    if (by !== undefined) await this.#store(by);
    await browser.change('join', { link });
    this.forget();
  }

  async found(by: Unlocking | undefined, what: Omit<Engine<'Found'>, 'token'> & { token: string }): Promise<void> {
    if (by !== undefined) await this.#store(by);
    this.founded = await engine.call('found', what);
  }

  async foundPartner(by: Unlocking | undefined, what: Omit<Engine<'FoundPartner'>, 'link'>): Promise<void> {
    const link = arrived.link;
    if (link === undefined) throw new Trouble('invite_invalid');
    if (by !== undefined) await this.#store(by);
    this.founded = await engine.call('found_partner', { ...what, link });
    this.forget();
  }

  /** The sheet is printed: on to the first screen. */
  async printed(): Promise<void> {
    this.founded = undefined;
    await browser.look();
  }
}

export const joining = new Joining();

/** Whether the server waits for its first organisation. */
export async function serverIsEmpty(): Promise<boolean> {
  const { host } = await api.get('/v1/server', {}, { token: 'none', retries: 2 });
  return host === undefined || host === null;
}
