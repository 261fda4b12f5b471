import type { Schema } from '../../api/types';
import { house } from '../../api/house.svelte';
import { length, month, percent } from '../../i18n/format';
import { t } from '../../i18n/index.svelte';

export type Figures = Schema<'Figures'>;
export type Row = Schema<'FigureRow'>;

export const TIMES = ['to_acknowledge', 'to_accept', 'to_arrive', 'first_contact_to_callout'] as const;
export const SHARES = ['within_target', 'language_match'] as const;
export const COUNTS = ['callouts', 'unanswered', 'duplicates', 'cancelled', 'called_late'] as const;

/** What a row is called: a zone, an agency, a month, or the small ones taken together. */
export function rowName(row: Row, by: Schema<'GroupBy'>): string {
  if (row.key === 'others') return t('reports.others');
  if (by === 'agency') return row.name ?? house.agency(row.key);
  return by === 'zone' ? house.place(row.key) : month(Date.parse(`${row.key}-15T12:00:00Z`));
}

/** A count, or that it is too small to be told. */
export const count = (value: number | null | undefined): string => (value == null ? t('reports.suppressed') : String(value));

export function timeText(figure: Schema<'TimeFigure'> | null | undefined, outside: boolean): string {
  if (figure?.median_ms == null) return outside ? t('reports.suppressed') : '–';
  const p90 = figure.p90_ms == null ? '' : ` / ${length(figure.p90_ms)}`;
  return length(figure.median_ms) + p90;
}

export function shareText(figure: Schema<'ShareFigure'> | null | undefined, outside: boolean): string {
  if (figure?.per_cent == null) return outside ? t('reports.suppressed') : '–';
  const of = figure.of == null ? '' : ` (${figure.met}/${figure.of})`;
  return percent(figure.per_cent) + of;
}

/** Hands the browser a file. Nothing of it stays. */
export function save(name: string, type: string, text: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}
