/** Where in the app we are: `#/callout/call_…`. Behind `#`, so that no id reaches a server's log and every place opens
 *  offline from one cached page. */
class Router {
  #hash = $state(location.hash);

  constructor() {
    addEventListener('hashchange', () => (this.#hash = location.hash));
  }

  /** The place's parts: `['callout', 'call_…']`; empty at the start. */
  get parts(): string[] {
    if (!this.#hash.startsWith('#/')) return [];
    return this.#hash.slice(2).split('/').filter(Boolean).map(decodeURIComponent);
  }

  /** The place within its area: what stands after the area's own part. */
  get rest(): string[] {
    return this.parts.slice(1);
  }

  go(to: string): void {
    location.hash = to;
  }

  /** Goes there without leaving a step back. */
  replace(to: string): void {
    history.replaceState(null, '', to);
    this.#hash = location.hash;
  }
}

export const router = new Router();
