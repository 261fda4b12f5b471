// A page whose engine is unlocked, for screens that need no more of it than access tokens. The worker's file is replaced by
// one that gives the device's own; the engine itself is proven by its own tests, and every answer here is the real server's.
import { DESKTOP, watched } from './browser.mjs';

export async function openUnlocked(browser, world, device, { at = '/', size = DESKTOP, ...look } = {}) {
  const { page, context, problems } = await watched(browser, world, { size, ...look, serviceWorkers: 'block' });
  const status = { state: 'unlocked', enrolment: 'enrolled', connected: true, me: device.me };
  const worker = `
    const answers = { status: ${JSON.stringify(status)}, access_token: { token: ${JSON.stringify(device.access)} } };
    onmessage = ({ data }) => {
      if (data.id === undefined) return;
      if (data.command in answers) postMessage({ id: data.id, answer: answers[data.command] });
      else postMessage({ id: data.id, problem: { code: 'not_found', status: 404, title: '' } });
    };`;
  await context.route(/\/assets\/worker-[^/]+\.js$/, (route) => route.fulfill({ contentType: 'text/javascript', body: worker }));
  // Larger screens, read in many requests.
  page.setDefaultTimeout(40_000);
  // Blocked workers would not register.
  await page.addInitScript(() => delete Navigator.prototype.serviceWorker);
  await page.goto(at);
  return { page, context, problems };
}
