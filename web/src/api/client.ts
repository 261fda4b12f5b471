import { online } from './online.svelte';
import { Trouble } from './trouble';
import type { Answer, Ask, Method, PathOf } from './types';

/** Gives access tokens: the unlocked engine's, or the duty key's. `fresh` asks for a new one after a refusal. */
export type TokenSource = (fresh: boolean) => Promise<string | undefined>;

export interface Options {
  /** Whose token; `none` for what is public. */
  token?: TokenSource | 'none';
  /** How often to try again when no answer came. Every request is idempotent by its method or its client-made id. */
  retries?: number;
  signal?: AbortSignal;
}

const TIMEOUT = 10_000;
let source: TokenSource = async () => undefined;

/** Sets where tokens come from unless a request says otherwise. */
export function useTokens(tokens: TokenSource): void {
  source = tokens;
}

interface Parts {
  path?: object;
  query?: unknown;
  body?: unknown;
}

function address(path: string, { path: values, query }: Parts): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String((values as Record<string, unknown> | undefined)?.[name])),
  );
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries((query ?? {}) as Record<string, unknown>)) {
    if (value !== undefined && value !== null) search.set(name, String(value));
  }
  return search.size === 0 ? filled : `${filled}?${search}`;
}

async function once(method: Method, path: string, parts: Parts, token: string | undefined, signal?: AbortSignal) {
  const timeout = AbortSignal.timeout(TIMEOUT);
  const headers: Record<string, string> = { accept: 'application/json' };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  if (parts.body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(address(path, parts), {
      method: method.toUpperCase(),
      headers,
      ...(parts.body !== undefined && { body: JSON.stringify(parts.body) }),
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
    });
  } catch (thrown) {
    if (signal?.aborted) throw thrown;
    online.saw(false);
    throw new Trouble('offline');
  }
  online.saw(true);
  return answerOf(response);
}

async function answerOf(response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? '';
  if (response.ok) {
    if (response.status === 204) return undefined;
    return type.includes('json') ? await response.json() : await response.text();
  }
  if (type.includes('problem+json')) throw Trouble.of(await response.json());
  // A proxy's own error page: the server behind it gave no answer.
  throw new Trouble(response.status >= 500 ? 'unavailable' : 'bad_request', response.status);
}

async function request(method: Method, path: string, parts: Parts, options: Options): Promise<unknown> {
  const { retries = method === 'get' ? 1 : 0, signal } = options;
  const tokens = options.token === 'none' ? undefined : (options.token ?? source);
  let fresh = false;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await once(method, path, parts, await tokens?.(fresh), signal);
    } catch (thrown) {
      if (!(thrown instanceof Trouble)) throw thrown;
      const expired = thrown.code === 'token_expired' || thrown.code === 'unauthenticated';
      if (expired && tokens !== undefined && !fresh) {
        fresh = true;
      } else if (!thrown.passing || attempt >= retries) {
        throw thrown;
      } else {
        await pause(thrown.retryAfterMs ?? 300 * 2 ** attempt * (0.75 + Math.random() / 2));
      }
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

type Call<M extends Method> = <P extends PathOf<M>>(path: P, ask: Ask<P, M>, options?: Options) => Promise<Answer<P, M>>;

function call<M extends Method>(method: M): Call<M> {
  return ((path: string, ask: Parts, options: Options = {}) => request(method, path, ask, options)) as Call<M>;
}

/** The server, typed by openapi.json: `api.get('/v1/callouts/{callout}', { path: { callout } })`. Throws `Trouble`. */
export const api = {
  get: call('get'),
  post: call('post'),
  put: call('put'),
  patch: call('patch'),
  delete: call('delete'),
};
