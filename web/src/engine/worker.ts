/// <reference types="vite/types/importMeta.d.ts" />
import type { Command, Engine, EngineEvent, FromWorker, ToWorker } from './types';

// Hosts the engine. It holds the writer's lock for as long as it lives: one tab writes, and the next one takes over when
// this worker ends. It ends when the session locks, and with it every key in its memory.

/** What `wasm-bindgen` makes of web/engine. */
interface Core {
  call(command: Command, argument: string): Promise<string>;
  active(): void;
  readonly idle: boolean;
}
interface Built {
  default(): Promise<unknown>;
  Engine: new (origin: string, tell: (event: string) => void) => Core;
}

const LOCK = 'firstlight-writer';
const LOOK = 5_000;
// Empty in a build without the engine: whoever asks is told so, and everything that needs no engine goes on.
const built = Object.values(import.meta.glob<Built>('./pkg/firstlight_web.js'));

const post = (message: FromWorker): void => postMessage(message);
const tell = (event: EngineEvent): void => post({ event });
const problem = (code: Engine<'ErrorCode'>, status: number, title: string): Engine<'Problem'> => ({ code, status, title });

let core: Core | undefined;
let ending = false;
let letGo: (() => void) | undefined;
let released: Promise<unknown> = Promise.resolve();

/** Holds the lock until `letGo`. */
const hold = (): Promise<void> => new Promise((resolve) => (letGo = resolve));

async function start(): Promise<void> {
  if (built[0] === undefined) return;
  const [module] = await Promise.all([built[0](), lock()]);
  if (letGo !== undefined) await begin(module);
  else released = navigator.locks.request(LOCK, () => takeOver(module));
}

/** Takes the lock, if no other tab has it. */
function lock(): Promise<void> {
  return new Promise((asked) => {
    released = navigator.locks.request(LOCK, { ifAvailable: true }, (mine) => {
      const held = mine === null ? undefined : hold();
      asked();
      return held;
    });
  });
}

async function begin(module: Built): Promise<void> {
  await module.default();
  core = new module.Engine(location.origin, (event) => tell(JSON.parse(event)));
  setInterval(() => core?.idle && void end(), LOOK);
}

/** The other tab has closed, or was locked. */
async function takeOver(module: Built): Promise<void> {
  const held = hold();
  await begin(module);
  if (core !== undefined) tell({ event: 'status', status: JSON.parse(await core.call('status', '{}')) });
  return held;
}

/** Ends the worker, when the lock is free for the next one. */
async function end(): Promise<void> {
  if (ending) return;
  ending = true;
  letGo?.();
  if (letGo !== undefined) await released;
  post({ ended: true });
  close();
}

async function answer({ id, command, argument }: Extract<ToWorker, { id: number }>): Promise<void> {
  await started;
  if (ending) return;
  if (built.length === 0) {
    post({ id, problem: problem('unavailable', 503, 'The engine is not part of this build.') });
  } else if (core === undefined) {
    if (command === 'status') post({ id, answer: { state: 'other_tab', connected: false } satisfies Engine<'Status'> });
    else post({ id, problem: problem('conflict', 409, 'Another tab has this device open.') });
  } else if (core.idle) {
    // Asleep since: nothing is served before it locks.
    await end();
  } else {
    try {
      post({ id, answer: JSON.parse(await core.call(command, JSON.stringify(argument))) });
    } catch (thrown) {
      if (typeof thrown !== 'string') throw thrown;
      post({ id, problem: JSON.parse(thrown) });
    }
    if (command === 'lock' || command === 'erase') await end();
  }
}

// A defect: what was stored is stored, and another worker takes up from there.
addEventListener('error', (event) => (event.preventDefault(), void end()));
addEventListener('unhandledrejection', (event) => (event.preventDefault(), void end()));
addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if (!('active' in data)) void answer(data);
  else if (core?.idle) void end();
  else core?.active();
});

const started = start();
