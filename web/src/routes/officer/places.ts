import { policy } from '../../duty/policy.svelte';
import { code } from '../../i18n/format';

/** Where the callout is: a registered site in its zone, or a zone alone. */
export interface PlaceChoice {
  zone: string;
  site?: string;
}

/** The zone of an organisation that has registered none. */
const ONLY_ZONE = 'all';

/** What a zone or site is called. */
export function placeName(of: string): string {
  return policy.now?.places?.[of]?.name ?? code(of);
}

export function choiceName({ zone, site }: PlaceChoice): string {
  return placeName(site ?? zone);
}

/** The zones to choose from; one that stands for all where none is registered. */
export function zones(): string[] {
  const registered: string[] = policy.now?.zones ?? [];
  return registered.length > 0 ? registered : [ONLY_ZONE];
}

/** The zone that a site lies in, where that is known without asking. */
export function zoneOf(site: string): string | undefined {
  const known = zones();
  return policy.now?.places?.[site]?.zone ?? (known.length === 1 ? known[0] : undefined);
}
