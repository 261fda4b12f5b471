import type { Schema } from '../api/types';

export type Role = Schema<'Role'>;

/** Who opens callouts. */
export const OFFICERS: readonly Role[] = ['police_officer', 'watch_commander'];
/** Who answers them. */
export const RESPONDERS: readonly Role[] = ['advocate', 'supervisor'];
