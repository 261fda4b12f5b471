/** What a locked device keeps in the clear, because a page can't wait for a passphrase: its duty key, whose private half no
 *  script can read, ids and codes. Nothing here says who anybody is, or anything about a young person. */

import type { Schema } from '../api/types';

/** The device's own ids and the key that it signs in with while it is locked. */
export interface DutyDevice {
  device: string;
  person: string;
  org: string;
  role: Schema<'Role'>;
  key: CryptoKeyPair;
}

/** A callout that the server has not confirmed yet. */
export type Unsent = Schema<'OpenCallout'> & { tapped_at: number };

interface Kept {
  device: DutyDevice;
  /** The newest policy that was read: places, and the number to call when nothing works. */
  policy: Schema<'Policy'>;
  /** What the officer's form starts with. */
  officer: { callBack: string; recent: { zone: string; site?: string }[] };
  /** The ETA that the responder gave last, in minutes. */
  eta: number;
}

const NAME = 'firstlight-duty';
let opened: Promise<IDBDatabase> | undefined;

function open(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('kept');
      request.result.createObjectStore('unsent', { keyPath: 'id' });
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => (request.result.close(), (opened = undefined));
      // A browser closes it by itself, in the background or when its storage breaks: the next request opens it anew.
      request.result.onclose = () => (opened = undefined);
      resolve(request.result);
    };
    request.onerror = () => {
      opened = undefined;
      reject(request.error);
    };
  });
  return opened;
}

async function run<T>(store: string, mode: IDBTransactionMode, what: (in_: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  try {
    return await once(store, mode, what);
  } catch (thrown) {
    if (!(thrown instanceof DOMException) || thrown.name !== 'InvalidStateError') throw thrown;
    opened = undefined;
    return once(store, mode, what);
  }
}

async function once<T>(store: string, mode: IDBTransactionMode, what: (in_: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open();
  return new Promise((resolve, reject) => {
    // Durable before it is believed: a queued callout must outlive a telephone that dies at once.
    const transaction = database.transaction(store, mode, { durability: 'strict' });
    const request = what(transaction.objectStore(store));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error ?? request.error);
  });
}

export const keep = {
  get: <K extends keyof Kept>(name: K): Promise<Kept[K] | undefined> => run('kept', 'readonly', (s) => s.get(name)),
  set: <K extends keyof Kept>(name: K, value: Kept[K]): Promise<unknown> =>
    run('kept', 'readwrite', (s) => s.put(value, name)),
  unsent: (): Promise<Unsent[]> => run('unsent', 'readonly', (s) => s.getAll()),
  queue: (callout: Unsent): Promise<unknown> => run('unsent', 'readwrite', (s) => s.put(callout)),
  sent: (id: string): Promise<unknown> => run('unsent', 'readwrite', (s) => s.delete(id)),
  /** Everything: the device is nobody's any more. */
  clear: async (): Promise<void> => {
    await run('unsent', 'readwrite', (s) => s.clear());
    await run('kept', 'readwrite', (s) => s.clear());
  },
};
