import type { FromWorker, ToWorker } from './types';

// A build without the engine: whoever asks is told so, and everything that needs no engine goes on.
addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  if ('active' in data) return;
  const problem = { type: 'about:blank', title: 'The engine is not part of this build.', status: 503, code: 'unavailable' as const };
  postMessage({ id: data.id, problem } satisfies FromWorker);
});
