// The engine without the app: a page of the server's origin that starts the worker's file and asks it.
import { readdirSync } from 'node:fs';

const assets = new URL('../../dist/assets/', import.meta.url).pathname;
const worker = readdirSync(assets).find((name) => /^worker-[^/]+\.js$/.test(name));

/** A tab; tabs of one context share its storage, as those of one browser do. */
export async function openTab(context, server) {
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(`page: ${error.message}`));
  page.on('console', (line) => {
    // Chromium's own, about a page that has no icon.
    if (!line.location().url.endsWith('/favicon.ico')) problems.push(`console: ${line.text()}`);
  });
  // A file of the app, shown as text: the origin and its policy, and none of the app running.
  await page.goto(`${server.url}/assets/${worker}`);
  const tab = { page, problems, start: () => page.evaluate(startWorker, `/assets/${worker}`) };
  await tab.start();
  /** The answer of a command; throws the problem's code. */
  tab.call = async (command, argument = {}) => {
    const { answer, problem } = await page.evaluate(([command, argument]) => window.ask(command, argument), [command, argument]);
    if (problem) throw Object.assign(new Error(`${command}: ${problem.code}: ${problem.title} ${problem.detail ?? ''}`), problem);
    return answer;
  };
  /** The first event from now or before that fits. Asked for from here: the page's policy lets nothing be evaluated there. */
  tab.event = async (kind, fits = () => true, timeout = 60_000) => {
    for (const until = Date.now() + timeout; Date.now() < until; await page.waitForTimeout(100)) {
      const events = await page.evaluate((kind) => window.events.filter(({ event }) => event === kind), kind);
      const found = events.find(fits);
      if (found !== undefined) return found;
    }
    throw new Error(`no event ${kind} came`);
  };
  return tab;
}

/** Runs in the page: what src/engine/client.ts does, bare. */
function startWorker(file) {
  window.events = [];
  window.ended = 0;
  let next = 1;
  const waiting = new Map();
  const start = () => {
    const one = new Worker(file, { type: 'module' });
    one.onmessage = ({ data }) => {
      if ('event' in data) window.events.push(data.event);
      else if ('ended' in data) {
        window.ended += 1;
        window.worker = start();
        // Asked of the one that was about to end: it said nothing to that.
        for (const { message } of waiting.values()) window.worker.postMessage(message);
      } else {
        waiting.get(data.id)?.resolve(data);
        waiting.delete(data.id);
      }
    };
    one.onerror = (event) => window.events.push({ event: 'broken', why: event.message });
    return one;
  };
  window.worker = start();
  window.ask = (command, argument) =>
    new Promise((resolve) => {
      const id = next++;
      const message = { id, command, argument };
      waiting.set(id, { resolve, message });
      window.worker.postMessage(message);
    });
}

/** Takes one record away, behind the engine's back. */
export function forget(page, store, key) {
  return page.evaluate(
    ([store, key]) =>
      new Promise((resolve, reject) => {
        const request = indexedDB.open('firstlight');
        request.onerror = () => reject(request.error);
        request.onsuccess = () => {
          const transaction = request.result.transaction(store, 'readwrite');
          transaction.objectStore(store).delete(key);
          transaction.oncomplete = () => resolve(request.result.close());
        };
      }),
    [store, key],
  );
}
