import { api } from '../../api/client';
import { house } from '../../api/house.svelte';
import type { Schema } from '../../api/types';
import { Versioned } from '../../api/versioned.svelte';

export type Policy = Schema<'Policy'>;
export type Timers = Required<Schema<'Timers'>>;
type Document = Schema<'PolicyDocument'>;

const MINUTE = 60_000;
/** What holds where the policy says nothing (DOMAIN.md, "Timers"). */
export const STANDARD = {
  acknowledge_grace_ms: 2 * MINUTE,
  backup_after_ms: 3 * MINUTE,
  channel_stall_ms: 15_000,
  duplicate_window_ms: 30 * MINUTE,
  everyone_after_ms: 10 * MINUTE,
  repeat_every_ms: MINUTE,
  review_within_ms: 24 * 60 * MINUTE,
  slow_repeat_ms: 3 * MINUTE,
  supervisor_after_ms: 6 * MINUTE,
  target_on_scene_ms: 60 * MINUTE,
} as const satisfies Timers;

const of = ({ version, policy }: Document) => ({ version, value: policy });

class PolicyStore extends Versioned<Policy> {
  constructor() {
    super(
      async () => of(await api.get('/v1/policy', {})),
      async (version, policy) => {
        const saved = await api.put('/v1/policy', { body: { version, policy } });
        house.policy = saved;
        return of(saved);
      },
      { duty_number: '' },
    );
  }

  /** Who is called after whom where the policy gives no order of its own. */
  get standardSteps(): Schema<'Step'>[] {
    const timers = { ...STANDARD, ...this.value?.timers };
    return [
      { after_ms: 0, targets: [{ kind: 'tier', tier: 'primary' }] },
      { after_ms: timers.backup_after_ms, targets: [{ kind: 'tier', tier: 'backup' }] },
      { after_ms: timers.supervisor_after_ms, targets: [{ kind: 'tier', tier: 'supervisor' }] },
      { after_ms: timers.everyone_after_ms, targets: [{ kind: 'everyone' }], tell_officer: true },
    ];
  }
}

export const policy = new PolicyStore();
