// What people do in pages to become somebody: found, invite, join, unlock. Nothing here goes past the pages.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { open } from './browser.mjs';
import { words } from './words.mjs';

const jsQR = createRequire(import.meta.url)('jsqr');
export const PASSPHRASE = 'quiet river lantern oak';

/** Chooses the passphrase on whatever page asks for a new one. */
export async function choosePassphrase(page, say = words()) {
  await page.getByLabel(say('join.passphrase'), { exact: true }).and(page.locator('input[type=password]')).fill(PASSPHRASE);
  await page.getByLabel(say('join.repeat')).fill(PASSPHRASE);
}

export async function unlock(page, passphrase = PASSPHRASE) {
  await page.getByRole('heading', { name: /^(Unlock|Desbloquear)$/ }).waitFor();
  await page.locator('input[type=password]').fill(passphrase);
  await page.keyboard.press('Enter');
}

/** Sets an empty server up; gives the admin's page at "Admin". */
export async function foundInBrowser(browser, world, options = {}) {
  const opened = await open(browser, world, undefined, options);
  const { page } = opened;
  await page.getByRole('button', { name: 'Set up' }).click();
  await page.getByLabel('Set-up token').fill(readFileSync(world.server.bootstrap, 'utf8').trim());
  await page.getByLabel('Name of the organisation').fill('Agency A');
  await page.getByLabel('Your work name').fill('Admin 1');
  await choosePassphrase(page);
  await opened.page.getByRole('button', { name: 'Found the organisation' }).click();
  await page.getByRole('heading', { name: 'Recovery sheet: Agency A' }).waitFor({ timeout: 60_000 });
  return opened;
}

export async function keepSheet(page) {
  await page.getByRole('switch', { name: 'I have the sheet on paper' }).check();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { name: 'Admin', exact: true }).waitFor();
}

/** What a camera reads from the code on the screen: nearer and farther, until it does. */
export async function readCode(page) {
  const drawn = page.getByRole('img', { name: /QR/ });
  await drawn.waitFor();
  for (const scale of [1, 1.5, 2, 0.75, 3, 1.25]) {
    const png = (await drawn.screenshot()).toString('base64');
    const { width, height, data } = await page.evaluate(
      async ([png, scale]) => {
        const image = new Image();
        image.src = `data:image/png;base64,${png}`;
        await image.decode();
        const [width, height] = [image.width, image.height].map((side) => Math.round(side * scale));
        const canvas = new OffscreenCanvas(width, height).getContext('2d');
        canvas.drawImage(image, 0, 0, width, height);
        return { width, height, data: [...canvas.getImageData(0, 0, width, height).data] };
      },
      [png, scale],
    );
    const read = jsQR(Uint8ClampedArray.from(data), width, height)?.data;
    if (read) return read;
  }
  throw new Error('no camera reads this code');
}

/** An admin makes an invite; gives the link that its code holds. */
export async function invite(page, name, role) {
  await page.goto('/#/admin/invite');
  await page.getByLabel('Work name').fill(name);
  await page.getByText(role, { exact: true }).click();
  return linkOf(page);
}

/** The same for a partner agency of the host's. */
export async function invitePartner(page, name) {
  await page.goto('/#/admin/invite-agency');
  await page.getByLabel('Name of the agency').fill(name);
  return linkOf(page);
}

async function linkOf(page) {
  await page.getByRole('button', { name: 'Make the invite' }).click();
  const link = await readCode(page);
  await page.getByRole('button', { name: 'Done' }).click();
  return link;
}

/** Founds a partner agency from its link; its admin's page at "Admin", which waits for the host's approval. */
export async function foundPartner(browser, world, link, admin, options = {}) {
  const opened = await open(browser, world, undefined, { ...options, at: link });
  const { page } = opened;
  await page.getByLabel('Your work name').fill(admin);
  await choosePassphrase(page);
  await page.getByRole('button', { name: 'Found the organisation' }).click();
  await page.getByRole('heading', { name: 'Print the recovery sheet' }).waitFor({ timeout: 60_000 });
  await keepSheet(page);
  return opened;
}

/** The host's admin has compared the fingerprint, and believes the agency from then on. */
export async function approvePartner(page, name) {
  await page.goto('/#/admin/requests');
  const request = page.getByRole('region', { name });
  await request.getByRole('button', { name: 'Approve' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('switch', { name: 'We compared the fingerprint' }).check();
  await dialog.getByRole('button', { name: 'Approve' }).click();
  await request.waitFor({ state: 'detached' });
}

export async function approve(page, name) {
  await page.goto('/#/admin/requests');
  const request = page.getByRole('region', { name });
  await request.getByRole('button', { name: 'Approve' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
  await request.waitFor({ state: 'detached' });
}

/** Opens a link and asks to join; the page waits for the admin then. */
export async function useInvite(browser, world, link, options = {}) {
  const opened = await open(browser, world, undefined, { ...options, at: link });
  const say = words(options.language);
  await choosePassphrase(opened.page, say);
  await opened.page.getByRole('button', { name: say('join.join'), exact: true }).click();
  await opened.page.getByRole('heading', { name: say('join.waiting_title') }).waitFor({ timeout: 60_000 });
  return opened;
}

/** The admin has signed: the page goes on by itself. */
export function isIn(page, language) {
  return page.getByRole('heading', { name: words(language)('join.waiting_title') }).waitFor({ state: 'detached', timeout: 60_000 });
}

/** From an invite to the first screen. */
export async function enrolInBrowser(browser, world, admin, name, role, options = {}) {
  const opened = await useInvite(browser, world, await invite(admin, name, role), options);
  await approve(admin, name);
  await isIn(opened.page, options.language);
  return opened;
}
