// Somebody of the cast at a browser of their own: joined by a link as anybody does, and unlocked.
import { DESKTOP } from './browser.mjs';
import { isIn, unlock, useInvite } from './people.mjs';

/** A further device of a person, in a browser. */
export async function joinInBrowser(browser, world, name) {
  const { link } = await world.admin.run(['invite', 'create', '--person', name]);
  const opened = await useInvite(browser, world, link, { size: DESKTOP });
  await world.admin.run(['devices', 'approve', '--all']);
  await isIn(opened.page);
  return opened;
}

/** Goes to a place in a look; another look begins anew, as after a night: loaded again, and unlocked. */
export async function beginAt(device, at, { size = DESKTOP, theme = 'night', language = 'en' } = {}) {
  const { page, context } = device;
  await page.setViewportSize(size);
  // Larger screens, read in many requests.
  page.setDefaultTimeout(40_000);
  const look = `${theme} ${language}`;
  if ((device.look ?? 'night en') === look) {
    await page.goto(at);
    return;
  }
  device.look = look;
  // After the one that the context began with, so that this one counts.
  await context.addInitScript(([theme, language]) => {
    if (location.protocol === 'about:') return;
    localStorage.setItem('firstlight.theme', theme);
    localStorage.setItem('firstlight.language', language);
  }, [theme, language]);
  await page.goto('about:blank');
  await page.goto(at);
  await unlock(page);
}
