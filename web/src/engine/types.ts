import type { components } from './contract';

/** A type of the engine's contract by its name; the wire types of the server are among them. */
export type Engine<Name extends keyof components['schemas']> = components['schemas'][Name];

type Commands = Engine<'Commands'>;
/** What can be asked of the engine. */
export type Command = keyof Commands;
export type Argument<C extends Command> = Commands[C]['argument'];
export type Answer<C extends Command> = Commands[C]['answer'];
/** Commands without an argument are called without one. */
export type Asked<C extends Command> = Record<string, never> extends Argument<C> ? [argument?: Argument<C>] : [argument: Argument<C>];

export type EngineEvent = Engine<'EngineEvent'>;
/** One kind of event: `EventOf<'line'>`. */
export type EventOf<Kind extends EngineEvent['event']> = Extract<EngineEvent, { event: Kind }>;

/** From the page to the worker. `active`: somebody is at the screen. */
export type ToWorker = { id: number; command: Command; argument: unknown } | { active: true };

/** From the worker to the page. `ended`: it holds nothing any more; the next command starts another. */
export type FromWorker =
  | { id: number; answer: unknown }
  | { id: number; problem: Engine<'Problem'> }
  | { event: EngineEvent }
  | { ended: true };
