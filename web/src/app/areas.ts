import type { Component } from 'svelte';
import type { Schema } from '../api/types';
import type { Key } from '../i18n/index.svelte';
import type { IconName } from '../ui/Icon.svelte';

export type Role = Schema<'Role'>;

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
  /** Its screens; which of them is asked of `router.rest`. */
  load: () => Promise<{ default: Component<Record<string, never>> }>;
}

export const areas: readonly Area[] = [
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
