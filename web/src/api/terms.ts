import { moment } from '../i18n/format';
import { t } from '../i18n/index.svelte';
import { house } from './house.svelte';
import type { Schema } from './types';

export type Callout = Schema<'CalloutView'>;
export type Tier = Schema<'Tier'>;
type Alarm = Schema<'Alarm'>;
type Channel = Schema<'Channel'>;

const ENDED: readonly Callout['state'][] = ['closed', 'reviewed', 'cancelled', 'merged'];
export const isOpen = (callout: Callout): boolean => !ENDED.includes(callout.state);

/** The tiers that a rota fills. */
export const TIERS = ['primary', 'backup', 'supervisor'] as const satisfies readonly Tier[];

export const tier = (one: Tier): string => t(`terms.tier_${one}`);
export const channel = (one: Channel): string => t(`terms.channel_${one.kind}`);

/** An alarm in a sentence. */
export function alarm(one: Alarm): string {
  switch (one.kind) {
    case 'unfilled':
      return t('terms.alarm_unfilled', { count: one.missing });
    case 'empty_tier':
    case 'no_language_match':
      return t(`terms.alarm_${one.kind}`, { tier: tier(one.tier) });
    case 'contact_broken':
      return t('terms.alarm_contact_broken', { who: house.name(one.person), reason: t(`terms.fail_${one.reason}`) });
    case 'agency_silent':
      return t('terms.alarm_agency_silent', { agency: house.agency(one.agency) });
    case 'unreachable':
    case 'alone':
    case 'projected_breach':
    case 'no_movement':
    case 'overdue':
      return t(`terms.alarm_${one.kind}`, { who: house.name(one.person) });
    default:
      return t(`terms.alarm_${one.kind}`);
  }
}

/** Whether somebody still has to do something about it. An alarm stays in the callout's history for good. */
export function presses({ alarm }: Schema<'RaisedAlarm'>, callout: Callout): boolean {
  const going = (person: string, ...states: Schema<'ResponderState'>[]): boolean =>
    callout.responders?.some((one) => one.person === person && states.includes(one.state)) ?? false;
  switch (alarm.kind) {
    case 'review_overdue':
      return callout.state === 'closed';
    case 'no_movement':
      return going(alarm.person, 'accepted');
    case 'projected_breach':
    case 'overdue':
      return going(alarm.person, 'accepted', 'en_route');
    case 'alone':
      return isOpen(callout) && going(alarm.person, 'accepted', 'en_route', 'arrived', 'with_young_person');
    case 'agency_silent':
      return (callout.agency_notices ?? []).some(
        ({ notice }) => notice.agency === alarm.agency && !notice.acknowledged_at && !notice.called_off,
      );
    case 'stalled':
      return isOpen(callout);
    default:
      return isOpen(callout) && callout.accepted < callout.wanted;
  }
}

/** One line of a callout's history. */
export function event(entry: Schema<'TimelineEntry'>): string {
  if (entry.alarm) return `${t(`terms.event_${entry.event}`)}: ${alarm(entry.alarm)}`;
  const who = entry.person ? house.name(entry.person) : '';
  const text = t(`terms.event_${entry.event}`, { who, tier: entry.tier ? tier(entry.tier) : '' });
  return entry.constraint ? `${text}: ${t(`terms.constraint_${entry.constraint}`)}` : text;
}

/** What is missing between a person and a page. */
export function gap(one: Schema<'ReadinessGap'>): string {
  const way = one.channel ? channel(one.channel) : '';
  return t(`terms.gap_${one.kind}`, { way, reason: one.reason ? t(`terms.fail_${one.reason}`) : '' });
}

/** What a supervisor has to look at that belongs to no callout. */
export function attention(one: Schema<'Attention'>, now: number): string {
  const who = 'person' in one ? house.name(one.person) : '';
  if (one.kind === 'coverage_gap') return t('terms.attention_coverage_gap', { from: moment(one.from, now), tier: tier(one.tier) });
  return t(`terms.attention_${one.kind}`, { who });
}

/** What is asked for, in a line: how many, how old, which languages. */
export function asked(routing: Schema<'Routing'>, languageName: (tag: string) => string): string {
  const languages = routing.languages ?? [];
  return [
    t('board.young_people', { count: routing.young_people }),
    t(`terms.age_${routing.age_band}`),
    ...languages.map(languageName),
    ...(routing.preference === 'any' ? [] : [t(`board.prefers_${routing.preference}`)]),
  ].join(' · ');
}
