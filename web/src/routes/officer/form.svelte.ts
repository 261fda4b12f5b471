import { newId } from '../../api/ids';
import type { Schema } from '../../api/types';
import { keep, type Unsent } from '../../duty/keep';
import { policy } from '../../duty/policy.svelte';
import { clock } from '../../ui/clock.svelte';
import { zoneOf, type PlaceChoice } from './places';

const MINUTE = 60_000;
/** How many places are offered without looking for them. */
const RECENT = 4;

export type Missing = 'place' | 'scene' | 'emergency' | 'callBack';

/** What the officer decides, and what is filled in. */
export class CalloutForm {
  place = $state<PlaceChoice | undefined>(undefined);
  youngPeople = $state(1);
  ageBand = $state<Schema<'AgeBand'>>('unknown');
  languages = $state<string[]>([]);
  preference = $state<Schema<'Preference'>>('any');
  sceneSafe = $state<'yes' | 'no' | undefined>(undefined);
  emergency = $state<'yes' | 'no' | undefined>(undefined);
  /** Minutes before the tap; 0 is now. */
  contactAgo = $state(0);
  wanted = $state(1);
  callBack = $state('');
  /** The number was there from the last time: then it needs no place of its own. */
  remembered = $state(false);
  recent = $state.raw<PlaceChoice[]>([]);
  /** Set by a tap on the button while something is missing: only then is anybody told. */
  asked = $state(false);

  missing = $derived.by((): Missing[] => {
    const missing: Missing[] = [];
    if (this.place === undefined) missing.push('place');
    if (this.sceneSafe === undefined) missing.push('scene');
    if (this.emergency === undefined) missing.push('emergency');
    if (!/^\+?[0-9]([ -]?[0-9]){2,14}$/.test(this.callBack.trim())) missing.push('callBack');
    return missing;
  });

  async remember(): Promise<void> {
    const kept = await keep.get('officer');
    this.callBack ||= kept?.callBack ?? '';
    this.remembered = this.callBack !== '';
    this.recent = kept?.recent ?? [];
  }

  /** The callout as it goes to the server, with an id of its own; and what is worth remembering for the next. */
  take(): Unsent {
    const { zone, site } = this.place!;
    const now = clock.exact();
    const callout: Unsent = {
      id: newId('call'),
      tapped_at: now,
      routing: {
        call_back: this.callBack.trim(),
        zone,
        ...(site !== undefined && { site }),
        first_contact_at: Math.round(now - this.contactAgo * MINUTE),
        young_people: this.youngPeople,
        age_band: this.ageBand,
        languages: $state.snapshot(this.languages),
        preference: this.preference,
        scene_safe: this.sceneSafe === 'yes',
        emergency_needed: this.emergency === 'yes',
        wanted: this.wanted,
      },
    };
    const here = { zone, ...(site !== undefined && { site }) };
    const before = this.recent.filter((one) => one.zone !== zone || one.site !== site);
    this.recent = [here, ...before].slice(0, RECENT);
    const memory = { callBack: callout.routing.call_back, recent: this.recent };
    void keep.set('officer', memory).catch(() => undefined);
    return callout;
  }

  /** The places to offer at once: the recent ones that still exist, then the first of the list. */
  offered = $derived.by((): PlaceChoice[] => {
    const sites: string[] = policy.now?.sites ?? [];
    const zones: string[] = policy.now?.zones ?? [];
    const exists = (one: PlaceChoice): boolean =>
      one.site === undefined ? zones.length === 0 || zones.includes(one.zone) : sites.includes(one.site);
    const offered = this.recent.filter(exists);
    for (const site of sites) {
      const zone = zoneOf(site);
      if (zone !== undefined && !offered.some((one) => one.site === site)) offered.push({ zone, site });
    }
    for (const zone of zones) if (!offered.some((one) => one.site === undefined && one.zone === zone)) offered.push({ zone });
    return offered.slice(0, RECENT);
  });
}
