import { code } from '../i18n/format';
import { t } from '../i18n/index.svelte';
import { api } from './client';
import type { Schema } from './types';

const STALE = 60_000;

/** The organisation as this person may see it: who is who, what places are called, and the policy. Read once, and again
 *  when a screen asks after a while. */
class House {
  me = $state.raw<Schema<'Me'> | undefined>(undefined);
  people = $state.raw<readonly Schema<'PersonView'>[]>([]);
  organisations = $state.raw<readonly Schema<'OrgView'>[]>([]);
  policy = $state.raw<Schema<'PolicyDocument'> | undefined>(undefined);
  #names = $derived(new Map(this.people.map((one) => [one.person, one.work_name])));
  #agencies = $derived(new Map(this.organisations.map((one) => [one.org, one.name])));
  #readAt = 0;
  #reading: Promise<void> | undefined;

  /** Whoever answers callouts, by name. */
  responders = $derived(
    this.people.filter((one) => one.role === 'advocate' || one.role === 'supervisor').sort((a, b) => a.work_name.localeCompare(b.work_name)),
  );
  /** Other agencies, by name. */
  partners = $derived(
    this.organisations.filter((one) => one.status === 'partner').sort((a, b) => a.name.localeCompare(b.name)),
  );

  /** Reads what is missing or old. What a role may not see stays empty. */
  open(fresh = false): Promise<void> {
    if (!fresh && Date.now() - this.#readAt < STALE) return this.#reading ?? Promise.resolve();
    this.#readAt = Date.now();
    this.#reading = this.#read();
    return this.#reading;
  }

  async #read(): Promise<void> {
    const quietly = async (work: () => Promise<void>): Promise<void> => work().catch(() => void (this.#readAt = 0));
    await Promise.all([
      quietly(async () => void (this.me = await api.get('/v1/me', {}))),
      quietly(async () => void (this.people = await api.get('/v1/people', {}))),
      quietly(async () => void (this.organisations = await api.get('/v1/organisations', {}))),
      quietly(async () => void (this.policy = await api.get('/v1/policy', {}))),
    ]);
  }

  get tends(): boolean {
    return this.me?.role === 'supervisor' || this.me?.role === 'admin';
  }

  name(person: string | null | undefined): string {
    return (person && this.#names.get(person)) || t('terms.left');
  }

  /** Learns names that came with something else. */
  agency(org: string): string {
    return this.#agencies.get(org) ?? t('terms.another_agency');
  }

  /** A zone or a site as people call it. */
  place(place: string): string {
    return this.policy?.policy.places?.[place]?.name ?? code(place);
  }
}

export const house = new House();
