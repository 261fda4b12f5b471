import { api } from '../../api/client';
import { Trouble, trouble, type TroubleCode } from '../../api/trouble';
import { arrived } from '../../app/invite';
import { browser } from '../../engine/browser.svelte';
import { engine } from '../../engine/client';
import type { Schema } from '../../api/types';
import type { Engine } from '../../engine/types';
import { claimOf } from './claim';

export type InviteInfo = Engine<'InviteInfo'>;
type Unlocking = Engine<'Unlocking'>;

/** What the link turned out to be, or why it is none. */
class Joining {
  info = $state.raw<InviteInfo | undefined>(undefined);
  /** What the server says that it is for; undefined where it can't be asked now. */
  seen = $state.raw<Schema<'InviteSeen'> | undefined>(undefined);
  /** `malformed`: no link of ours, or a part of it is missing. */
  wrong = $state<TroubleCode | 'malformed' | undefined>(undefined);
  /** A founding that went well: what has to be printed before going on. */
  founded = $state.raw<Engine<'Founded'> | undefined>(undefined);

  /** Reads a link; sends nothing. */
  async read(text: string): Promise<void> {
    this.wrong = this.info = this.seen = undefined;
    const link = text.trim();
    arrived.forget();
    try {
      const info = await engine.call('read_invite', { link });
      arrived.set(link);
      if (info.here) await this.#look(link);
      this.info = info;
    } catch (thrown) {
      const { code } = trouble(thrown);
      this.wrong = arrived.link === link || code === 'unavailable' ? code : 'malformed';
      arrived.forget();
    }
  }

  async #look(link: string): Promise<void> {
    try {
      this.seen = await api.post('/v1/invites/look', { body: await claimOf(link) }, { token: 'none', retries: 1 });
    } catch (thrown) {
      // Joining says the same; what can't be asked now is no reason to stop.
      if (trouble(thrown).code === 'invite_invalid') throw thrown;
    }
  }

  forget(): void {
    arrived.forget();
    this.info = this.wrong = this.seen = undefined;
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
