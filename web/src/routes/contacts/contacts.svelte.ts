import { api } from '../../api/client';
import { Task } from '../../api/task.svelte';
import type { Schema } from '../../api/types';

export type Contacts = Schema<'Contacts'>;
export type Method = Extract<Schema<'ContactMethod'>, { id: string }>;
export type Kind = Method['kind'];
/** What a person adds by hand. A push subscription is made by the browser that gets the pushes. */
export const ADDABLE = ['sms', 'voice', 'email', 'ntfy', 'webhook'] as const satisfies Kind[];

/** One person's ways to be reached. */
export class ContactList extends Task {
  now = $state.raw<Contacts | undefined>(undefined);
  readiness = $state.raw<Schema<'PersonReadiness'> | undefined>(undefined);
  methods = $derived((this.now?.methods ?? []).filter((one): one is Method => one.kind !== 'in_app'));

  constructor(
    readonly person: string,
    private readonly own: boolean,
  ) {
    super();
  }

  state(id: string): Schema<'ContactState'> {
    return this.now?.states?.find((one) => one.id === id)?.state ?? 'unverified';
  }

  async look(): Promise<void> {
    await this.run(async () => {
      this.now = await api.get('/v1/people/{person}/contacts', { path: { person: this.person } });
      await this.#lookReadiness();
    });
  }

  async #lookReadiness(): Promise<void> {
    try {
      if (this.own) this.readiness = await api.get('/v1/readiness/me', {});
      else {
        const [board, lacking] = await Promise.all([api.get('/v1/readiness', {}), api.get('/v1/readiness/unreachable', {})]);
        this.readiness = [...board.people, ...lacking.people].find((one) => one.person === this.person);
      }
    } catch {
      // Whoever answers no callouts has no readiness.
      this.readiness = undefined;
    }
  }

  /** Changes the list that the server has now: what was changed elsewhere meanwhile stays. */
  async edit(change: (contacts: Contacts) => Contacts): Promise<boolean> {
    const path = { person: this.person };
    const done = await this.run(async () => {
      const { methods, rules } = await api.get('/v1/people/{person}/contacts', { path });
      const body = change({ methods, rules: rules ?? [] });
      // A rule for a way that is gone would be refused.
      const ids = new Set(body.methods.flatMap((one) => ('id' in one ? [one.id] : [])));
      const kept = (body.rules ?? []).filter((one) => !one.contact || ids.has(one.contact));
      const first = kept[0];
      body.rules = first ? [{ ...first, after_ms: 0 }, ...kept.slice(1)] : [];
      await api.put('/v1/people/{person}/contacts', { path, body }, { retries: 2 });
      this.now = await api.get('/v1/people/{person}/contacts', { path });
      await this.#lookReadiness();
    });
    return done !== undefined;
  }

  async sendCode(contact: string): Promise<boolean> {
    const path = { person: this.person, contact };
    return (await this.run(() => api.post('/v1/people/{person}/contacts/{contact}/verify/start', { path }))) !== undefined;
  }

  async confirm(contact: string, code: string): Promise<boolean> {
    const path = { person: this.person, contact };
    const done = await this.run(() => api.post('/v1/people/{person}/contacts/{contact}/verify', { path, body: { code } }));
    if (done) await this.look();
    return done !== undefined;
  }

  async setPin(pin: string | undefined): Promise<boolean> {
    const ask = { path: { person: this.person }, body: pin === undefined ? {} : { pin } };
    return (await this.run(() => api.put('/v1/people/{person}/pin', ask, { retries: 2 }))) !== undefined;
  }
}

/** Where a method leads, as people read it. */
export function address(method: Method): string {
  switch (method.kind) {
    case 'sms':
    case 'voice':
      return method.number;
    case 'email':
      return method.address;
    case 'push':
      return new URL(method.endpoint).host;
    default:
      return method.url;
  }
}
