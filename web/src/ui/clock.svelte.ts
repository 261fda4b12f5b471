/** One clock for every timer on the screen, in the server's time: a telephone's own clock may be minutes off. */
class Clock {
  #offset = $state(0);
  #local = $state(Date.now());

  constructor() {
    setInterval(() => (this.#local = Date.now()), 1000);
    // A hidden page's timers are slowed down: catch up at once.
    document.addEventListener('visibilitychange', () => (this.#local = Date.now()));
  }

  /** Now, by the server; changes every second for those who read it in a template. */
  get now(): number {
    return this.#local + this.#offset;
  }

  /** Now, exactly, for a request. */
  exact(): number {
    return Math.round(Date.now() + this.#offset);
  }

  /** Learns the server's time from an answer that took `tookMs`. Small differences are the network's. */
  learn(serverNow: number, tookMs: number): void {
    const offset = serverNow + tookMs / 2 - Date.now();
    this.#offset = Math.abs(offset) < 1500 ? 0 : offset;
  }
}

export const clock = new Clock();
