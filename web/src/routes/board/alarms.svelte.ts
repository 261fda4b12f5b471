import { sound } from '../../duty/sound.svelte';
import { board, type Pressing } from './board.svelte';

const EVERY = 8_000;

/** What sounds and is said aloud: each alarm is announced once; the sound goes on until somebody silences it, and the
 *  alarm stays in sight until there is nothing left to do about it. */
class Alarms {
  #silenced = $state.raw<ReadonlySet<string>>(new Set());
  #announced = new Set<string>();
  /** The newest alarms that nobody has heard of yet, for a live region. */
  fresh = $state.raw<readonly Pressing[]>([]);
  loud = $derived(board.pressing.filter((one) => !this.#silenced.has(one.key)));

  /** Sounds for as long as a screen shows the alarms. */
  watch(): () => void {
    $effect(() => {
      const fresh = board.pressing.filter((one) => !this.#announced.has(one.key));
      if (fresh.length === 0) return;
      fresh.forEach((one) => this.#announced.add(one.key));
      this.fresh = fresh;
    });
    $effect(() => {
      if (this.loud.length === 0) return;
      void sound.chime();
      const again = setInterval(() => void sound.chime(), EVERY);
      return () => clearInterval(again);
    });
    return () => undefined;
  }

  /** Ends the sound of what is there now. A new alarm sounds again. */
  silence(): void {
    this.#silenced = new Set(board.pressing.map((one) => one.key));
  }
}

export const alarms = new Alarms();
