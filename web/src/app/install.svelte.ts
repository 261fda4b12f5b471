interface InstallPrompt extends Event {
  prompt: () => Promise<unknown>;
}

/** Offers to install the app where the browser lets us ask. */
class Install {
  #prompt = $state.raw<InstallPrompt | undefined>(undefined);

  constructor() {
    addEventListener('beforeinstallprompt', (event) => {
      event.preventDefault();
      this.#prompt = event as InstallPrompt;
    });
    addEventListener('appinstalled', () => (this.#prompt = undefined));
  }

  get possible(): boolean {
    return this.#prompt !== undefined;
  }

  async ask(): Promise<void> {
    await this.#prompt?.prompt();
    this.#prompt = undefined;
  }
}

export const install = new Install();
