/** A new version waits until the person takes it, or until the app is closed: nothing on the screen is ever lost to it. */
class Updates {
  /** A newer version is ready. */
  waiting = $state(false);
  #registration: ServiceWorkerRegistration | undefined;

  async start(): Promise<void> {
    if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
    const registration = await navigator.serviceWorker.register('/sw.js');
    this.#registration = registration;
    const look = (): void => {
      this.waiting = registration.waiting !== null && navigator.serviceWorker.controller !== null;
    };
    look();
    registration.addEventListener('updatefound', () => registration.installing?.addEventListener('statechange', look));
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') void registration.update().catch(() => undefined);
    });
  }

  /** Looks for a newer version now and takes it; where there is none, the page is fetched anew. */
  async fetch(): Promise<void> {
    await this.#registration?.update().catch(() => undefined);
    if (this.#registration?.waiting) this.take();
    else location.reload();
  }

  /** Takes the new version: the worker steps in, and the page starts anew at the same place. */
  take(): void {
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
    this.#registration?.waiting?.postMessage({ do: 'take-over' });
  }
}

export const updates = new Updates();
