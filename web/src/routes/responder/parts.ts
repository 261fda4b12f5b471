import type { Schema } from '../../api/types';

type Part = Schema<'ResponderState'>;

const ACTIVE: readonly Part[] = ['accepted', 'en_route', 'arrived', 'with_young_person', 'handed_over'];

/** Whether somebody takes part: accepted, and not out of it again. */
export function isActive(part: Part | null | undefined): boolean {
  return part !== null && part !== undefined && ACTIVE.includes(part);
}

/** The one thing to do next, and what is done by it. Closing comes last, and asks more. */
export function nextOf(part: Part | null | undefined): 'en_route' | 'arrived' | 'with_young_person' | 'hand_over' | undefined {
  switch (part) {
    case 'accepted':
      return 'en_route';
    case 'en_route':
      return 'arrived';
    case 'arrived':
      return 'with_young_person';
    case 'with_young_person':
      return 'hand_over';
    default:
      return undefined;
  }
}
