import { api } from '../api/client';
import { newId } from '../api/ids';
import { Trouble, trouble } from '../api/trouble';
import type { Schema } from '../api/types';
import { dutyToken } from './access';
import { pushPossible, register, subscription } from './push';
import { sound } from './sound.svelte';

const OPTIONS = { token: dutyToken };

/** `unknown` where the browser does not say. */
export type Level = 'green' | 'amber' | 'red' | 'unknown';

interface Battery extends EventTarget {
  charging: boolean;
  level: number;
}

/** Whether a page would wake this person: what the server knows, and what only this browser does. */
class Readiness {
  server = $state.raw<Schema<'PersonReadiness'> | undefined>(undefined);
  failed = $state<Trouble | undefined>(undefined);
  notifications = $state<Level>('unknown');
  push = $state<Level>('unknown');
  installed = $state<Level>('unknown');
  battery = $state<{ level: number; charging: boolean } | undefined>(undefined);

  sound = $derived<Level>(sound.allowed ? 'green' : 'amber');
  power = $derived.by((): Level => {
    if (this.battery === undefined) return 'unknown';
    if (this.battery.charging || this.battery.level > 0.4) return 'green';
    return this.battery.level > 0.15 ? 'amber' : 'red';
  });
  /** The worst of it all. */
  overall = $derived.by((): Level => {
    const all = [this.server?.level, this.notifications, this.push, this.power];
    for (const level of ['red', 'amber'] as const) if (all.includes(level)) return level;
    return this.server === undefined ? 'unknown' : 'green';
  });

  async look(): Promise<void> {
    await Promise.all([this.#askServer(), this.#askBrowser()]);
  }

  async #askServer(): Promise<void> {
    try {
      this.server = await api.get('/v1/readiness/me', {}, OPTIONS);
      this.failed = undefined;
    } catch (thrown) {
      this.failed = trouble(thrown);
    }
  }

  async #askBrowser(): Promise<void> {
    this.notifications = !pushPossible || Notification.permission === 'denied' ? 'red' : Notification.permission === 'granted' ? 'green' : 'red';
    this.push = (await subscription()) === null ? 'red' : 'green';
    this.installed = matchMedia('(display-mode: standalone)').matches ? 'green' : 'amber';
    void sound.look();
    const ask = (navigator as { getBattery?: () => Promise<Battery> }).getBattery;
    const battery = await ask?.call(navigator);
    if (battery !== undefined) this.battery = { level: battery.level, charging: battery.charging };
  }

  /** A browser renews subscriptions as it likes: the server is told whenever the app starts. */
  async renew(): Promise<void> {
    const made = await subscription().catch(() => null);
    if (made !== null) await register(made).catch(() => undefined);
  }

  /** Sends a test by every way. */
  async test(): Promise<void> {
    this.server = await api.post('/v1/readiness/test', { body: { check: newId('chk') } }, { ...OPTIONS, retries: 2 });
  }

  /** The test has reached this person: here, or with a code that came another way. */
  async confirm(code?: string): Promise<void> {
    const check = this.server?.check;
    if (check === undefined || check === null) return;
    const ask = { path: { check }, body: code === undefined ? {} : { code } };
    this.server = await api.post('/v1/readiness/{check}/confirm', ask, { ...OPTIONS, retries: 2 });
  }
}

export const readiness = new Readiness();
