import { api } from '../../api/client';
import type { Schema } from '../../api/types';
import { Versioned } from '../../api/versioned.svelte';
import { Watched } from '../../api/watched.svelte';
import { TIERS, type Tier } from '../../api/terms';
import { addDays, instant, wallTime } from '../../i18n/zoned';
import { clock } from '../../ui/clock.svelte';

export type Rota = Schema<'Rota'>;
export type Span = Schema<'Span'>;
export type Gap = Schema<'Gap'>;
export type Layer = Schema<'Layer'>;
export type Shift = Schema<'Shift'>;
/** Where somebody can be on duty. */
export interface Lane {
  tier: Tier;
  zone?: string | undefined;
}
/** A stretch in which to put somebody on duty. */
export interface Stretch extends Lane {
  from: number;
  until: number;
  replaces?: string | undefined;
}

/** Weeks that the calendar shows at once. */
export const WEEKS = 2;
const EVERY = 60_000;

/** The rota, and who is on duty in the weeks that are shown. */
class RotaStore extends Versioned<Rota> {
  /** The first day shown, as a local date of the rota's zone; empty: this week's Monday. */
  #first = $state('');

  schedule = new Watched(() => this.#readSchedule(), EVERY);
  gaps = new Watched(() => this.#readGaps(), EVERY);
  tz = $derived(this.value?.tz ?? this.schedule.now?.tz ?? 'UTC');
  first = $derived(this.#first || monday(wallTime(clock.exact(), this.tz).slice(0, 10)));
  #names = $derived(new Map((this.schedule.now?.people ?? []).map((one) => [one.person, one.work_name])));

  /** The tiers, and every zone that the rota speaks of in one. */
  lanes = $derived.by((): Lane[] => {
    const rota = this.value;
    const named = [...(rota?.layers ?? []), ...(rota?.shifts ?? []), ...(rota?.needs ?? []), ...(this.schedule.now?.spans ?? [])];
    return TIERS.flatMap((tier) => {
      const zones = [...new Set(named.filter((one) => one.tier === tier).map((one) => one.zone ?? undefined))];
      if (!zones.includes(undefined) && (zones.length === 0 || tier === 'primary')) zones.unshift(undefined);
      // Undefined, which is all zones, would always be sorted last.
      return zones.map((zone) => zone ?? '').sort().map((zone) => ({ tier, zone: zone || undefined }));
    });
  });

  name(person: string): string | undefined {
    return this.#names.get(person);
  }

  constructor() {
    const of = ({ version, rota }: Schema<'RotaDocument'>) => ({ version, value: rota });
    super(
      async () => of(await api.get('/v1/rota', {})),
      async (version, rota) => of(await api.put('/v1/rota', { body: { version, rota } })),
      { tz: Intl.DateTimeFormat().resolvedOptions().timeZone },
    );
  }

  show(first: string): void {
    this.#first = first;
    void this.look();
  }

  override async look(): Promise<void> {
    await Promise.all([super.look(), this.schedule.look(), this.gaps.look()]);
  }

  /** The shown weeks' beginning and end. */
  range(): { from: number; until: number } {
    return { from: instant(`${this.first}T00:00:00`, this.tz), until: instant(`${addDays(this.first, 7 * WEEKS)}T00:00:00`, this.tz) };
  }

  async #readSchedule(): Promise<Schema<'ScheduleView'>> {
    if (this.value === undefined) await this.open().catch(() => undefined);
    return api.get('/v1/rota/schedule', { query: this.range() });
  }

  async #readGaps(): Promise<Schema<'GapsView'>> {
    if (this.value === undefined) await this.open().catch(() => undefined);
    const { from, until } = this.range();
    const now = clock.exact();
    // What is past can't be filled any more.
    return api.get('/v1/rota/gaps', { query: { from: Math.min(Math.max(from, now), until - 1), until } });
  }

  /** A change that has a request of its own, such as an override. */
  async change(work: () => Promise<unknown>): Promise<boolean> {
    const done = await this.run(work);
    await this.look();
    return done !== undefined;
  }
}

export const rota = new RotaStore();

/** The Monday on or before a date. */
export function monday(date: string): string {
  const weekday = new Date(`${date}T00:00:00Z`).getUTCDay();
  return addDays(date, -((weekday + 6) % 7));
}

/** A code that nothing else has: what, and when it was made. */
export function newCode(what: string): string {
  return `${what}-${Math.floor(clock.exact() / 100).toString(36)}`;
}
