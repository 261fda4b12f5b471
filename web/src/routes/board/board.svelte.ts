import { api } from '../../api/client';
import type { Schema } from '../../api/types';
import { Watched } from '../../api/watched.svelte';
import { presses, type Callout } from '../../api/terms';
import { engine } from '../../engine/client';
import { clock } from '../../ui/clock.svelte';

/** Callouts change by the second, rotas by the hour. */
const CALLOUTS = 3_000;
const PEOPLE = 20_000;
const ROTA = 60_000;
export const DAY = 86_400_000;
/** How far ahead the board shows gaps. */
const GAPS_AHEAD = 14 * DAY;

export interface OnCall {
  now: Schema<'OnCallView'>;
  /** After the next change. */
  next: Schema<'OnCallView'> | undefined;
}

async function readOnCall(): Promise<OnCall> {
  const now = await api.get('/v1/on-call', {});
  const next = now.next_change ? await api.get('/v1/on-call', { query: { at: now.next_change } }) : undefined;
  return { now, next };
}

async function readGaps(): Promise<Schema<'GapsView'>> {
  const from = clock.exact();
  return api.get('/v1/rota/gaps', { query: { from, until: from + GAPS_AHEAD } });
}

export interface Pressing {
  key: string;
  callout: Callout;
  raised: Schema<'RaisedAlarm'>;
}

/** What is worst stands first, and is what a callout's alarm says in one line. */
const WORST: Schema<'Alarm'>['kind'][] = ['unanswered', 'unfilled', 'alone', 'overdue', 'no_movement', 'projected_breach', 'stalled', 'agency_silent'];
function weight({ raised }: Pressing): number {
  const place = WORST.indexOf(raised.alarm.kind);
  return place < 0 ? WORST.length : place;
}

/** All that the night's board shows, each part read as often as it changes. */
class Board {
  callouts = new Watched(async () => (await api.get('/v1/callouts', {})).callouts, CALLOUTS);
  onCall = new Watched(readOnCall, PEOPLE);
  readiness = new Watched(() => api.get('/v1/readiness', {}), PEOPLE);
  gaps = new Watched(readGaps, ROTA);
  drills = new Watched(async () => (await api.get('/v1/drills', {})).drills, ROTA);
  /** What belongs to no callout, as the engine heard it since the app was opened; newest first. */
  attention = $state.raw<readonly { about: Schema<'Attention'>; at: number }[]>([]);

  /** Alarms that somebody still has to do something about, oldest first. */
  pressing = $derived(
    (this.callouts.now ?? [])
      .flatMap((callout) =>
        (callout.alarms ?? [])
          .filter((raised) => presses(raised, callout))
          .map((raised): Pressing => ({ key: `${callout.id} ${JSON.stringify(raised)}`, callout, raised })),
      )
      .sort((a, b) => Number(b.callout.purpose === 'real') - Number(a.callout.purpose === 'real') || a.raised.at - b.raised.at),
  );

  /** The same by callout, each with its worst first. */
  alarming = $derived.by(() => {
    const groups = new Map<string, Pressing[]>();
    for (const one of this.pressing) groups.set(one.callout.id, [...(groups.get(one.callout.id) ?? []), one]);
    return [...groups.values()].map((group) => group.sort((a, b) => weight(a) - weight(b)));
  });

  constructor() {
    engine.on('notice', ({ item }) => {
      if (typeof item.notice === 'object' && 'attention' in item.notice) {
        this.attention = [{ about: item.notice.attention.about, at: item.at }, ...this.attention].slice(0, 10);
      }
    });
  }

  /** Watches everything of the night. */
  watch(): () => void {
    const parts = [this.callouts, this.onCall, this.readiness, this.gaps, this.drills].map((part) => part.watch());
    return () => parts.forEach((end) => end());
  }
}

export const board = new Board();
