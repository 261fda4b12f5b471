/** Whether the server answers: what the last request showed, and what the browser knows. */
class Online {
  #answered = $state(true);
  #connected = $state(navigator.onLine);

  constructor() {
    addEventListener('online', () => {
      this.#connected = true;
      // Until a request shows otherwise.
      this.#answered = true;
    });
    addEventListener('offline', () => (this.#connected = false));
  }

  get now(): boolean {
    return this.#answered && this.#connected;
  }

  saw(answered: boolean): void {
    this.#answered = answered;
    if (answered) this.#connected = true;
  }
}

export const online = new Online();
