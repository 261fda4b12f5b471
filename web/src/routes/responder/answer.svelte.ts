import { trouble } from '../../api/trouble';
import { callouts, type Action } from '../../duty/callouts.svelte';
import { keep } from '../../duty/keep';
import { t } from '../../i18n/index.svelte';
import { toast } from '../../ui/Toasts.svelte';

export const ETAS = [10, 20, 30, 45, 60, 90] as const;
const USUAL = 30;

/** The ETA that this person gave last: what the chips start with. */
class Eta {
  minutes = $state<number>(USUAL);

  constructor() {
    void keep.get('eta').then((kept) => (this.minutes = kept ?? USUAL));
  }

  remember(): void {
    void keep.set('eta', this.minutes).catch(() => undefined);
  }
}

export const eta = new Eta();

/** Acts, and says it when that was refused. Whether it was done. */
export async function answer(callout: string, action: Action): Promise<boolean> {
  try {
    await callouts.act(callout, action);
    return true;
  } catch (thrown) {
    toast(t(`trouble.${trouble(thrown).code}`), 'danger');
    return false;
  }
}
