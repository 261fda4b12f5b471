import type { Schema } from '../../api/types';

type Tone = 'plain' | 'accent' | 'ok' | 'warn' | 'danger';

/** How a callout's state looks: nobody yet is a warning, somebody coming is good, ended is quiet. */
export function stateTone(state: Schema<'CalloutState'>): Tone {
  switch (state) {
    case 'submitted':
    case 'paging':
    case 'acknowledged':
      return 'warn';
    case 'unanswered':
      return 'danger';
    case 'accepted':
    case 'en_route':
    case 'arrived':
    case 'with_young_person':
      return 'ok';
    default:
      return 'plain';
  }
}
