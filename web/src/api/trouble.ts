import type { Schema } from './types';

/** Codes of the server, and `offline`: no answer at all. */
export type TroubleCode = Schema<'ErrorCode'> | 'offline';

/** Whatever went wrong, from the server or the engine, as one type: decided by its code, said by `common.trouble.CODE`. */
export class Trouble extends Error {
  constructor(
    readonly code: TroubleCode,
    readonly status = 0,
    readonly detail?: string,
    readonly retryAfterMs?: number,
  ) {
    super(code);
    this.name = 'Trouble';
  }

  static of(problem: Schema<'Problem'>): Trouble {
    return new Trouble(problem.code, problem.status, problem.detail ?? undefined, problem.retry_after_ms ?? undefined);
  }

  /** Whether the same request may succeed a little later. */
  get passing(): boolean {
    return ['offline', 'timeout', 'unavailable', 'rate_limited'].includes(this.code);
  }
}

/** Anything that was thrown, as a Trouble. */
export function trouble(thrown: unknown): Trouble {
  return thrown instanceof Trouble ? thrown : new Trouble('internal');
}
