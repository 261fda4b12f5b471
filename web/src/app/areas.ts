import type { Component } from 'svelte';
import type { Key } from '../i18n/index.svelte';
import { rooms } from '../engine/rooms.svelte';
import type { IconName } from '../ui/Icon.svelte';
import { NOTIFIED, OFFICERS, REACHED, RESPONDERS, ROLES, SUPERVISORS, TENDERS, type Role } from './roles';

/** One area of the app: a place in the navigation and the screens behind it. To add one, add a row. */
export interface Area {
  /** The first part of its address: `#/path`. */
  path: string;
  label: Key;
  icon: IconName;
  roles: readonly Role[] | 'all';
  /** `duty`: usable on a locked device. `unlocked`: behind the lock screen. */
  needs: 'duty' | 'unlocked';
  /** Not in the navigation bar: reached from elsewhere. */
  hidden?: boolean;
  /** Has a place of its own on a telephone's bar, however many there are. */
  first?: true;
  /** How many things wait there; none is not shown. */
  waiting?: () => number;
  /** Its screens; which of them is asked of `router.rest`. */
  load: () => Promise<{ default: Component<Record<string, never>> }>;
}

export const areas: readonly Area[] = [
  {
    path: 'callout',
    first: true,
    label: 'common.nav_callout',
    icon: 'call',
    roles: OFFICERS,
    needs: 'duty',
    load: () => import('../routes/officer/Officer.svelte'),
  },
  {
    path: 'board',
    first: true,
    label: 'common.nav_board',
    icon: 'board',
    roles: SUPERVISORS,
    needs: 'unlocked',
    load: () => import('../routes/board/Board.svelte'),
  },
  {
    path: 'duty',
    first: true,
    label: 'common.nav_duty',
    icon: 'duty',
    roles: RESPONDERS,
    needs: 'duty',
    load: () => import('../routes/responder/Responder.svelte'),
  },
  {
    path: 'notices',
    first: true,
    label: 'common.nav_notices',
    icon: 'call',
    roles: NOTIFIED,
    needs: 'unlocked',
    load: () => import('../routes/notices/Notices.svelte'),
  },
  {
    path: 'shifts',
    label: 'common.nav_shifts',
    icon: 'shifts',
    roles: RESPONDERS,
    needs: 'unlocked',
    load: () => import('../routes/responder/Shifts.svelte'),
  },
  {
    path: 'ready',
    label: 'common.nav_ready',
    icon: 'ready',
    roles: RESPONDERS,
    needs: 'duty',
    load: () => import('../routes/responder/Ready.svelte'),
  },
  {
    path: 'admin',
    first: true,
    label: 'common.nav_admin',
    icon: 'admin',
    roles: ['admin'],
    needs: 'unlocked',
    load: () => import('../routes/admin/Admin.svelte'),
  },
  {
    path: 'rooms',
    first: true,
    label: 'common.nav_rooms',
    icon: 'rooms',
    roles: ROLES,
    needs: 'unlocked',
    waiting: () => rooms.unread,
    load: () => import('../routes/rooms/Rooms.svelte'),
  },
  {
    path: 'join',
    label: 'common.nav_join',
    icon: 'plus',
    roles: 'all',
    needs: 'unlocked',
    hidden: true,
    load: () => import('../routes/join/Joined.svelte'),
  },
  {
    path: 'rota',
    label: 'common.nav_rota',
    icon: 'shifts',
    roles: TENDERS,
    needs: 'unlocked',
    load: () => import('../routes/rota/Rota.svelte'),
  },
  {
    path: 'reports',
    label: 'common.nav_reports',
    icon: 'reports',
    roles: TENDERS,
    needs: 'unlocked',
    load: () => import('../routes/reports/Reports.svelte'),
  },
  {
    path: 'contacts',
    label: 'common.nav_contacts',
    icon: 'bell',
    roles: REACHED,
    needs: 'unlocked',
    load: () => import('../routes/contacts/Contacts.svelte'),
  },
  {
    path: 'policy',
    label: 'common.nav_policy',
    icon: 'admin',
    roles: TENDERS,
    needs: 'unlocked',
    load: () => import('../routes/policy/Policy.svelte'),
  },
  {
    path: 'settings',
    label: 'common.nav_settings',
    icon: 'settings',
    roles: 'all',
    needs: 'duty',
    load: () => import('../routes/settings/Settings.svelte'),
  },
];

export function areasOf(role: Role | undefined): Area[] {
  return areas.filter((area) => area.roles === 'all' || (role !== undefined && area.roles.includes(role)));
}
