import type { Schema } from '../api/types';

export type Role = Schema<'Role'>;

/** Who opens callouts. */
export const OFFICERS: readonly Role[] = ['police_officer', 'watch_commander'];
/** Who answers them. */
export const RESPONDERS: readonly Role[] = ['advocate', 'supervisor'];
/** Everybody, in the order of the documents. */
export const ROLES = [
  'police_officer',
  'watch_commander',
  'agent',
  'advocate',
  'supervisor',
  'caseworker',
  'child_welfare_worker',
  'probation_officer',
  'prosecutor',
  'interpreter',
  'care_staff',
  'admin',
] as const satisfies readonly Role[];

/** Every kind of organisation. */
export const ORG_KINDS = [
  'victim_services',
  'law_enforcement',
  'child_welfare',
  'probation',
  'prosecution',
  'care',
] as const satisfies readonly Schema<'OrgKind'>[];

/** Which roles an organisation of a kind may give: `OrgKind::may_grant` of the protocol, which the server enforces. */
export const GRANTS: Readonly<Record<Schema<'OrgKind'>, readonly Schema<'Role'>[]>> = {
  victim_services: ['advocate', 'supervisor', 'caseworker', 'interpreter', 'care_staff', 'agent', 'admin'],
  law_enforcement: ['police_officer', 'watch_commander', 'agent', 'admin'],
  child_welfare: ['child_welfare_worker', 'caseworker', 'admin'],
  probation: ['probation_officer', 'admin'],
  prosecution: ['prosecutor', 'admin'],
  care: ['care_staff', 'caseworker', 'admin'],
};
/** Who watches the night. */
export const SUPERVISORS: readonly Role[] = ['supervisor'];
/** Who tends the rota, the policy and the figures. */
export const TENDERS: readonly Role[] = ['supervisor', 'admin'];
/** Who is reached by more than the app: responders, and other agencies' people, for their notices. */
export const REACHED: readonly Role[] = ['advocate', 'supervisor', 'child_welfare_worker', 'probation_officer', 'admin'];
/** Who takes their agency's notices of callouts. */
export const NOTIFIED: readonly Role[] = ['child_welfare_worker', 'probation_officer'];
