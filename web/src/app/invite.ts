/** An invite link opened this page: `/join#v1.…`. Its secret leaves the address bar and the history before anything else
 *  runs, and stays in this page's memory alone; main.ts imports this first. */
function take(): string | undefined {
  if (location.pathname !== '/join') return undefined;
  const link = location.hash.startsWith('#v1.') ? location.href : undefined;
  history.replaceState(null, '', '/#/join');
  return link;
}

let link = take();

export const arrived = {
  /** The link, until it is used or given up. */
  get link(): string | undefined {
    return link;
  },
  set(text: string): void {
    link = text;
  },
  forget(): void {
    link = undefined;
  },
};
