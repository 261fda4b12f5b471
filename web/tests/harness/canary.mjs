// Strings that occur nowhere else, typed into everything that is end-to-end encrypted; and the search for them.
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export class Canaries {
  /** What was planted, by name. */
  planted = new Map();
  #run = randomBytes(6).toString('hex');

  /** A text to type, with a mark of its own in it. */
  plant(name) {
    const mark = `zq7${name}${this.#run}`;
    this.planted.set(name, mark);
    return mark;
  }
}

/** A mark in every clothing that bytes are commonly given. */
export function guises(mark) {
  const bytes = Buffer.from(mark);
  // In base64 a text looks different at each of three places; what its neighbours change at the ends is left out.
  const base64 = [0, 1, 2].map((shift) => Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64').slice(shift === 0 ? 0 : 4).slice(0, -4));
  // So little is left of a short one that it would be found in anything.
  const told = base64.filter((text) => text.length >= 12);
  return [mark, bytes.toString('hex'), Buffer.from(mark, 'utf16le').toString('latin1'), ...told];
}

/** Where a mark is found, in `[where, text]`. */
export function search(mark, written) {
  const all = guises(mark);
  return written.filter(([, text]) => all.some((guise) => text.includes(guise))).map(([where]) => where);
}

/** Every file below a directory. */
export function files(dir) {
  return readdirSync(dir, { recursive: true })
    .map((name) => join(dir, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => [path.slice(dir.length), readFileSync(path, 'latin1')]);
}

/** Everything that a browser keeps for the page's origin. */
export async function kept(page, who) {
  const found = await page.evaluate(readAll);
  const cookies = JSON.stringify(await page.context().cookies());
  return [...found.map(([where, text]) => [`${who} ${where}`, text]), [`${who} cookies`, cookies]];
}

/** Runs in the page: IndexedDB, caches, and what the old storages hold. */
async function readAll() {
  const kept = [];
  const text = (value) => {
    if (value instanceof ArrayBuffer) return text(new Uint8Array(value));
    if (ArrayBuffer.isView(value)) return Array.from(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), (byte) => String.fromCharCode(byte)).join('');
    if (value === null || typeof value !== 'object') return String(value);
    return Object.entries(value).map(([key, one]) => `${key} ${text(one)}`).join(' ');
  };
  const wait = (request) =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  for (const { name } of await indexedDB.databases()) {
    const database = await wait(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      const held = database.transaction(store).objectStore(store);
      const [keys, values] = await Promise.all([wait(held.getAllKeys()), wait(held.getAll())]);
      keys.forEach((key, index) => kept.push([`IndexedDB ${name} ${store}`, `${text(key)} ${text(values[index])}`]));
    }
    database.close();
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const { pathname } = new URL(request.url);
      if (/^\/(assets|icons)\//.test(pathname)) kept.push(['cache', pathname]);
      else kept.push([`cache ${pathname}`, await (await cache.match(request)).text()]);
    }
  }
  for (const storage of ['localStorage', 'sessionStorage']) kept.push([storage, JSON.stringify(globalThis[storage])]);
  return kept;
}
