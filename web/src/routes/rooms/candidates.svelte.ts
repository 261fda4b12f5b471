import { api } from '../../api/client';
import type { Schema } from '../../api/types';
import { browser } from '../../engine/browser.svelte';
import { engine, engineTokens } from '../../engine/client';
import type { Engine } from '../../engine/types';
import type { Key } from '../../i18n/index.svelte';
import { orgs } from '../../engine/orgs.svelte';
import { rooms } from '../../engine/rooms.svelte';

/** Somebody who might be added. Who they really are is checked from their certificates when it is done. */
export interface Candidate {
  person: string;
  work_name: string;
  role: Schema<'Role'>;
  org: string;
  org_kind: Schema<'OrgKind'>;
  from: 'own' | 'known' | 'code';
  /** Whether a device is there to add. */
  device: boolean;
}

/** People to choose from: the own organisation, those of other rooms, and whom a person code finds. */
export class Candidates {
  all = $state.raw<readonly Candidate[]>([]);
  loaded = $state(false);

  async load(): Promise<void> {
    const me = browser.me;
    if (me === undefined || me === null) return;
    const { people } = await engine.call('people');
    const own = people.map((one) => ({
      ...one,
      org: me.org,
      org_kind: me.org_kind,
      from: 'own' as const,
      device: one.devices.some((device) => device.revoked_at == null),
    }));
    this.#take(own.filter((one) => one.person !== me.person));
    this.loaded = true;
    for (const { room, state } of rooms.rows) {
      if (state !== 'joined') continue;
      const { members } = await engine.call('room', { room });
      this.#take(
        members
          .filter(({ identity }) => identity.org !== me.org)
          .map(({ identity, revoked }) => ({ ...identity, from: 'known' as const, device: !revoked })),
      );
    }
  }

  /** Finds somebody by their code; undefined: there is nobody, or not for us. */
  async find(person: string): Promise<Candidate | undefined> {
    const [found] = await api.post('/v1/directory', { body: { people: [person] } }, { token: engineTokens });
    const org = orgs.all.find((one) => one.org === found?.org);
    if (found === undefined || org === undefined) return undefined;
    const one: Candidate = { ...found, org_kind: org.kind, from: 'code', device: found.devices.length > 0 };
    this.#take([one]);
    return one;
  }

  #take(more: readonly Candidate[]): void {
    const known = new Map(this.all.map((one) => [one.person, one]));
    for (const one of more) if (!known.has(one.person)) known.set(one.person, one);
    this.all = [...known.values()];
  }
}

/** Why somebody can't be in a room of a kind; undefined: they can. */
export function whyNot(one: Candidate, kind: Engine<'RoomKindInfo'>, org: string, members: ReadonlySet<string>): Key | undefined {
  if (members.has(one.person)) return 'rooms.why_already';
  if (kind.single_org && one.org !== org) return 'rooms.why_org';
  const admitted = kind.admits.some(({ org_kind, role }) => org_kind === one.org_kind && role === one.role);
  if (!admitted) {
    if (one.org_kind === 'law_enforcement' && !kind.admits_police) return 'rooms.why_police';
    return one.role === 'admin' ? 'rooms.why_admin' : 'rooms.why_role';
  }
  return one.device ? undefined : 'rooms.why_device';
}

/** Those whose kind of organisation is not in the room yet: for them, adding is a disclosure. */
export function disclosedTo(chosen: readonly Candidate[], present: ReadonlySet<Schema<'OrgKind'>>): Candidate[] {
  return chosen.filter((one) => !present.has(one.org_kind));
}
