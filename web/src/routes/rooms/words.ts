import type { Engine } from '../../engine/types';
import { bytes, list } from '../../i18n/format';
import { t } from '../../i18n/index.svelte';
import type { Line } from './conversation.svelte';
import { orgs } from '../../engine/orgs.svelte';
import type { Row } from '../../engine/rooms.svelte';

type Identity = Engine<'DeviceIdentity'>;

export function roomName(row: Row): string {
  return row.name ?? t(`words.room_${row.kind}`);
}

/** "Advocate 1 (Advocate, Agency A)" for each person once, however many devices came. */
export function names(devices: readonly Identity[]): string {
  const people = new Map(devices.map((one) => [one.person, `${one.work_name} (${t(`words.role_${one.role}`)}, ${orgs.name(one)})`]));
  return list([...people.values()]);
}

/** One line of a line, for the list. */
export function preview(line: Line): string {
  const { body, sender, own } = line;
  const who = own ? t('rooms.you') : sender?.work_name;
  switch (body.kind) {
    case 'text':
      return who === undefined ? body.text : t('rooms.by', { name: who, text: body.text });
    case 'details':
      return who === undefined ? t('rooms.preview_details') : t('rooms.by', { name: who, text: t('rooms.preview_details') });
    case 'attachment': {
      const text = t('rooms.attachment', { name: body.name, size: bytes(body.size) });
      return who === undefined ? text : t('rooms.by', { name: who, text });
    }
    case 'named':
      return t('rooms.preview_named', { name: body.name });
    case 'unreadable':
    case 'ask_to_admit':
    case 'answer':
    case 'members':
    case 'joined':
    case 'gap':
      return t(`rooms.preview_${body.kind}`);
  }
}
