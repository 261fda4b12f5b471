// Everything that goes between browsers and the server, of pages, their workers and the service worker, and the console.

const text = (bytes) => (typeof bytes === 'string' ? bytes : bytes.toString('latin1'));
// The app's own files, which hold every message of the app and nothing of anybody.
const ours = (url) => /\/(assets|icons)\//.test(url);

export class Overheard {
  /** `[where, text]`, in the order in which it was heard. */
  heard = [];
  #reading = new Set();

  /** From now on, everything of a context. */
  listen(context, who = '') {
    const hear = (where, what) => what && this.heard.push([`${who} ${where}`, text(what)]);
    context.on('request', (request) => {
      if (ours(request.url())) return;
      const from = request.serviceWorker() ? 'service worker' : 'request';
      hear(`${from} ${request.method()}`, request.url());
      hear(`${from} headers`, JSON.stringify(request.headers()));
      hear(`${from} body`, request.postDataBuffer());
    });
    context.on('requestfinished', (request) => {
      if (ours(request.url())) return;
      const read = (async () => {
        const response = await request.response();
        hear(`answer ${new URL(request.url()).pathname}`, await response.body());
      })();
      // A body is gone with a page that was left meanwhile; nobody else has read it then, either.
      this.#reading.add(read.catch(() => undefined).finally(() => this.#reading.delete(read)));
    });
    context.on('console', (line) => hear('console', line.text()));
    context.on('weberror', ({ error }) => hear('error', () => String(error())));
    context.on('page', (page) => {
      page.on('websocket', (socket) => {
        hear('websocket', socket.url());
        socket.on('framesent', ({ payload }) => hear('frame sent', payload));
        socket.on('framereceived', ({ payload }) => hear('frame received', payload));
      });
    });
  }

  /** When all bodies that were heard of are read. */
  async settled() {
    await Promise.all(this.#reading);
  }

  /** The answers of a path, as JSON, oldest first. */
  answers(path, who = '') {
    return this.heard.filter(([where]) => where === `${who} answer ${path}`).map(([, body]) => JSON.parse(body));
  }
}
