import { Trouble } from '../api/trouble';
import type { TokenSource } from '../api/client';
import type { Answer, Asked, Command, EngineEvent, EventOf, FromWorker, ToWorker } from './types';

type Listener = (event: EngineEvent) => void;

/**
 * The engine, as a page sees it. The worker starts with the first command, so a duty screen loads none of it. It ends when
 * the session locks, which is how its keys leave the memory, and the next command starts another.
 */
class EngineClient {
  #worker: Worker | undefined;
  /** Whether the worker has ever answered: one that can't even start is not started again and again. */
  #answers = false;
  #waiting = new Map<number, { resolve: (answer: unknown) => void; reject: (why: Trouble) => void }>();
  #next = 1;
  #listeners = new Set<Listener>();
  #activeAt = 0;

  /** Asks the engine. Throws `Trouble`, as a request to the server does. */
  call<C extends Command>(command: C, ...[argument]: Asked<C>): Promise<Answer<C>> {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (answer: unknown) => void, reject });
      // Without this, a browser that is short of room may wipe what it keeps.
      if (command === 'create') void navigator.storage?.persist?.();
      this.#post({ id, command, argument: argument ?? {} });
    });
  }

  /** Hears of every event until the returned function is called. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Hears of one kind of event. */
  on<Kind extends EngineEvent['event']>(kind: Kind, listener: (event: EventOf<Kind>) => void): () => void {
    return this.listen((event) => {
      if (event.event === kind) listener(event as EventOf<Kind>);
    });
  }

  /** Whether the worker runs: before the first command it doesn't. */
  get running(): boolean {
    return this.#worker !== undefined;
  }

  /** Somebody is at the screen: puts the session's lock off. Cheap; call it on every key and touch. */
  active(): void {
    const now = Date.now();
    if (this.#worker === undefined || now - this.#activeAt < 5_000) return;
    this.#activeAt = now;
    this.#worker.postMessage({ active: true } satisfies ToWorker);
  }

  #post(message: ToWorker): void {
    this.#worker ??= this.#start();
    this.#worker.postMessage(message);
  }

  #start(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module', name: 'engine' });
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#take(data);
    // A defect in it: whatever it had stored is stored, and a new one takes up from there.
    worker.onerror = (event) => {
      event.preventDefault();
      this.#ended();
    };
    return worker;
  }

  #take(message: FromWorker): void {
    if ('event' in message) {
      for (const listener of this.#listeners) listener(message.event);
    } else if ('ended' in message) {
      this.#ended();
    } else {
      this.#answers = true;
      const waiting = this.#waiting.get(message.id);
      this.#waiting.delete(message.id);
      if ('problem' in message) waiting?.reject(Trouble.of(message.problem));
      else waiting?.resolve(message.answer);
    }
  }

  #ended(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    const left = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const { reject } of left) reject(new Trouble('unavailable'));
    if (!this.#answers) return;
    this.#answers = false;
    // Whoever shows anything asks how it stands now, which starts a worker that knows no key.
    void this.call('status').then(
      (status) => this.#listeners.forEach((listener) => listener({ event: 'status', status })),
      () => undefined,
    );
  }
}

export const engine = new EngineClient();

/** Access tokens for the typed client, while the engine is unlocked: `useTokens(engineTokens)`. */
export const engineTokens: TokenSource = async (fresh) => (await engine.call('access_token', { fresh })).token;
