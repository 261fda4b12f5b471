import { speech } from './index.svelte';

/** Formatters are costly to make and asked for every second. */
const made = new Map<string, unknown>();
function cached<T>(name: string, make: (locale: string) => T): T {
  const key = `${speech.locale} ${name}`;
  let formatter = made.get(key) as T | undefined;
  if (formatter === undefined) {
    formatter = make(speech.locale);
    made.set(key, formatter);
  }
  return formatter;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** 01:40, in the device's zone or another. */
export function time(at: number, timeZone?: string): string {
  const options: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', ...(timeZone && { timeZone }) };
  return cached(`time ${timeZone}`, (locale) => new Intl.DateTimeFormat(locale, options)).format(at);
}

/** 01:40:05, where the order of things matters. */
export function seconds(at: number): string {
  const options: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit', second: '2-digit' };
  return cached('seconds', (locale) => new Intl.DateTimeFormat(locale, options)).format(at);
}

/** Sat, 14 Nov. */
export function date(at: number, timeZone?: string): string {
  const options: Intl.DateTimeFormatOptions = {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    ...(timeZone && { timeZone }),
  };
  return cached(`date ${timeZone}`, (locale) => new Intl.DateTimeFormat(locale, options)).format(at);
}

/** Sat, 14 Nov, 19:00 – 23:00: from one moment until another, with nothing said twice. */
export function range(from: number, until: number, timeZone?: string): string {
  const options: Intl.DateTimeFormatOptions = {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
    ...(timeZone && { timeZone }),
  };
  return cached(`range ${timeZone}`, (locale) => new Intl.DateTimeFormat(locale, options)).formatRange(from, until);
}

/** Nov 14, 2026: for what lies far off. */
export function dateInYear(at: number): string {
  return cached('date in year', (locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium' })).format(at);
}

/** The time alone today, with the date otherwise. */
export function moment(at: number, now = Date.now(), timeZone?: string): string {
  const sameDay = date(at, timeZone) === date(now, timeZone) && Math.abs(at - now) < DAY;
  return sameDay ? time(at, timeZone) : `${date(at, timeZone)}, ${time(at, timeZone)}`;
}

/** 4:07 or 1:04:07: for a clock that runs. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (n: number): string => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** 35 min, 2 h 5 min: for a length of time that is read. */
export function duration(ms: number): string {
  const minutes = Math.round(Math.max(0, ms) / MINUTE);
  const unit = (value: number, unit: 'hour' | 'minute' | 'day'): string =>
    cached(`unit ${unit}`, (l) => new Intl.NumberFormat(l, { style: 'unit', unit, unitDisplay: 'short' })).format(value);
  if (minutes < 60) return unit(minutes, 'minute');
  if (ms >= 2 * DAY) return unit(Math.round(ms / DAY), 'day');
  const rest = minutes % 60;
  return unit(Math.floor(minutes / 60), 'hour') + (rest === 0 ? '' : ` ${unit(rest, 'minute')}`);
}

/** 4:07, 35 min, 2 h 5 min: a length that was measured, to the second where seconds count. */
export function length(ms: number): string {
  return ms < 10 * MINUTE ? clock(ms) : duration(ms);
}

/** Nov 2026. */
export function month(at: number): string {
  return cached('month', (l) => new Intl.DateTimeFormat(l, { month: 'short', year: 'numeric' })).format(at);
}

/** 83 %, from whole per cent. */
export function percent(value: number): string {
  return cached('percent', (l) => new Intl.NumberFormat(l, { style: 'percent' })).format(value / 100);
}

/** 3.2 MB, 14 kB: how large a file is. */
export function bytes(value: number): string {
  const unit = value < 1_000_000 ? 'kilobyte' : 'megabyte';
  const shown = Math.max(value / (unit === 'megabyte' ? 1_000_000 : 1_000), 0.1);
  const options: Intl.NumberFormatOptions = { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 };
  return cached(`unit ${unit}`, (l) => new Intl.NumberFormat(l, options)).format(shown);
}

/** "in 5 minutes", "2 hours ago". */
export function relative(at: number, now: number): string {
  const minutes = Math.round((at - now) / MINUTE);
  const [value, unit]: [number, Intl.RelativeTimeFormatUnit] =
    Math.abs(minutes) < 60
      ? [minutes, 'minute']
      : Math.abs(minutes) < 48 * 60
        ? [Math.round(minutes / 60), 'hour']
        : [Math.round(minutes / (24 * 60)), 'day'];
  return cached('relative', (l) => new Intl.RelativeTimeFormat(l, { numeric: 'auto' })).format(value, unit);
}

/** A language's name in the person's language: "es" is "Spanish". */
export function languageName(tag: string): string {
  const name = cached('languages', (l) => new Intl.DisplayNames(l, { type: 'language' })).of(tag) ?? tag;
  return name.charAt(0).toLocaleUpperCase(speech.locale) + name.slice(1);
}

/** "A, B, and C". */
export function list(items: string[]): string {
  return cached('list', (l) => new Intl.ListFormat(l, { type: 'conjunction' })).format(items);
}

/** A code of the organisation's own, where nobody gave it a name: "station-3" is read as "Station 3". */
export function code(value: string): string {
  const words = value.replaceAll('-', ' ');
  return words.charAt(0).toLocaleUpperCase(speech.locale) + words.slice(1);
}
