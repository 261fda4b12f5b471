import { callouts, isOpen, type Callout } from './callouts.svelte';
import { sound } from './sound.svelte';

/** The page that fills the screen. Picture and sound come from the one state, so neither can outlive the other: answered
 *  here, answered elsewhere, filled or called off, both end at once. */
class Alarm {
  /** The callout that calls this person now, if one does. Whoever is with a young person is not rung. */
  ringing = $derived.by((): Callout | undefined => {
    if (callouts.all.some((one) => isOpen(one) && one.your_state === 'with_young_person')) return undefined;
    return callouts.all.find((one) => isOpen(one) && one.your_state === 'paged' && callouts.acting(one.id) === undefined);
  });

  /** What fills the screen: what rings, and what is being answered, until the server has the answer. */
  shown = $derived.by((): Callout | undefined => {
    if (this.ringing !== undefined) return this.ringing;
    return callouts.all.find((one) => isOpen(one) && one.your_state === 'paged' && callouts.acting(one.id) !== undefined);
  });

  start(): void {
    $effect.root(() => {
      $effect(() => {
        if (this.ringing !== undefined) sound.ring();
        else {
          sound.stop();
          // What lies in the tray stays until the server has been asked: this page may have been opened by it.
          if (!callouts.loaded) return;
          navigator.serviceWorker?.controller?.postMessage({ do: 'quiet' });
        }
      });
    });
  }
}

export const alarm = new Alarm();
