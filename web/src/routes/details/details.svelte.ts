import { trouble, type Trouble } from '../../api/trouble';
import { session } from '../../app/session.svelte';
import { engine } from '../../engine/client';
import type { Engine } from '../../engine/types';

export type Fields = Required<Engine<'CalloutDetails'>>;
export const FIELDS = ['address', 'arrival', 'needs', 'kit', 'notes'] as const satisfies readonly (keyof Fields)[];

export const empty = (): Fields => ({ address: '', arrival: '', needs: '', kit: '', notes: '' });

/** What this device can read of a callout's details: only while it is unlocked, and only on this device. */
export class CalloutDetails {
  /** What is newer adds to what is older, field by field. */
  fields = $state.raw<Fields>(empty());
  sent = $state.raw<Engine<'Details'>['sent']>([]);
  loaded = $state(false);
  wrong = $state.raw<Trouble | undefined>(undefined);

  constructor(private readonly callout: string) {}

  async look(): Promise<void> {
    try {
      const { sent } = await engine.call('details', { callout: this.callout });
      const fields = empty();
      for (const { details } of sent) for (const field of FIELDS) fields[field] = details[field] || fields[field];
      this.fields = fields;
      this.sent = sent;
      this.wrong = undefined;
    } catch (thrown) {
      this.wrong = trouble(thrown);
    }
    this.loaded = true;
  }

  /** Follows until the returned function is called; does nothing while the device is locked. */
  watch(): () => void {
    if (session.phase !== 'unlocked') return () => undefined;
    void this.look();
    return engine.listen(({ event }) => {
      if (event === 'line' || event === 'room' || event === 'room_built') void this.look();
    });
  }

  /** Sends details; those that are empty or already known are left out. */
  async send(fields: Fields): Promise<void> {
    const details = Object.fromEntries(
      FIELDS.map((field) => [field, fields[field].trim()]).filter(([field, text]) => text && text !== this.fields[field as keyof Fields]),
    );
    await engine.call('send_details', { callout: this.callout, details });
    await this.look();
  }
}
