// The browser's part of tests/load: real pages in Chromium against a real server. Prints figures as lines of JSON.
//
//   node tests/measure/main.mjs [--quick] [duty|rooms|sizes]
import { shot, startBrowser } from '../harness/browser.mjs';
import { measureDuty } from './duty.mjs';
import { measureRooms } from './rooms.mjs';
import { measureSizes } from './sizes.mjs';

const quick = process.argv.includes('--quick');
const only = process.argv.slice(2).find((one) => !one.startsWith('--'));
const parts = { sizes: measureSizes, duty: measureDuty, rooms: measureRooms };

const browser = await startBrowser();
try {
  for (const [name, measure] of Object.entries(parts)) {
    if (only === undefined || only === name) await measure(browser, quick);
  }
} catch (failed) {
  // What was on the screens, for whoever has to find out why.
  for (const [n, page] of browser.contexts().flatMap((context) => context.pages()).entries()) await shot(page, `measure-failed-${n}`);
  throw failed;
} finally {
  await browser.close();
}
