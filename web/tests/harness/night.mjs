// The people of `deploy/demo`, at browsers of their own: founded, invited, joined, put on the rota. All of it in pages.
import { DESKTOP, PHONE, startBrowser } from './browser.mjs';
import { Overheard } from './overheard.mjs';
import {
  approve, approvePartner, foundInBrowser, foundPartner, invite, invitePartner, isIn, keepSheet, useInvite,
} from './people.mjs';
import { startServer } from './server.mjs';

/** Who joins, as what, and how they look at it. The officer's admin is of the police agency. */
export const CAST = [
  ['Officer 1', 'Police officer', { size: PHONE }],
  ['Advocate 1', 'Advocate', { size: PHONE }],
  ['Advocate 2', 'Advocate', { size: PHONE, language: 'es' }],
  ['Supervisor 1', 'On-call supervisor', { size: DESKTOP }],
  ['Caseworker 1', 'Caseworker', { size: DESKTOP, theme: 'day' }],
];

/** A server with nobody on it, and a browser in which everything is heard. */
export async function startNight() {
  const [server, browser] = await Promise.all([startServer({ log: 'debug' }), startBrowser()]);
  const world = { server, overheard: new Overheard() };
  /** Whoever has a browser, by name: `{ page, context, problems }`. */
  const people = new Map();
  return {
    server,
    browser,
    world,
    overheard: world.overheard,
    people,
    page: (who) => people.get(who).page,
    async stop() {
      await browser.close();
      await server.stop();
    },
  };
}

/** Two organisations, from an empty server. */
export async function foundBoth({ browser, world, people }) {
  const admin = await foundInBrowser(browser, world, { size: DESKTOP, who: 'Admin 1' });
  await keepSheet(admin.page);
  people.set('Admin 1', admin);
  const link = await invitePartner(admin.page, 'Agency B');
  people.set('Admin 2', await foundPartner(browser, world, link, 'Admin 2', { size: DESKTOP, theme: 'day', who: 'Admin 2' }));
  await approvePartner(admin.page, 'Agency B');
}

/** Everybody opens their link and chooses a passphrase; then the admins sign. */
export async function joinAll(night) {
  const { browser, world, people, page } = night;
  const adminOf = (role) => page(role === 'Police officer' ? 'Admin 2' : 'Admin 1');
  const links = [];
  for (const [name, role] of CAST) links.push(await invite(adminOf(role), name, role));
  const joining = CAST.map(([name, , look], index) => useInvite(browser, world, links[index], { ...look, who: name }));
  const opened = await Promise.all(joining);
  for (const [index, [name, role, look]] of CAST.entries()) {
    await approve(adminOf(role), name);
    await isIn(opened[index].page, look.language);
    people.set(name, opened[index]);
  }
}

/** A person with the command line, let in by the admin's page. */
export async function joinByCommand(night, device, role) {
  const admin = night.page('Admin 1');
  const link = await invite(admin, device.who, role);
  await device.run(['join', '-', '--no-wait'], `${link}\n`);
  await approve(admin, device.who);
  await device.run(['join']);
}

/** A zone, a site and the timers of a short night. */
export async function setPolicy(page, { dutyNumber, backupAfter, again }) {
  const saved = async () => {
    await page.getByRole('button', { name: 'Save', exact: true }).first().click();
    await page.getByRole('button', { name: 'Save', exact: true, disabled: true }).first().waitFor();
  };
  await page.goto('/#/policy/timers');
  await page.getByLabel('Duty number').fill(dutyNumber);
  for (const [timer, seconds] of [['Call a person again every', again], ['Backup after', backupAfter]]) {
    await page.getByLabel(`${timer}: counted in`).selectOption('seconds');
    await page.getByLabel(timer, { exact: true }).fill(String(seconds));
    await page.getByLabel(timer, { exact: true }).blur();
  }
  await saved();
  await page.goto('/#/policy/places');
  for (const [field, name] of [['New zone', 'North'], ['New site', 'Central Station'], ['New site', 'County Hospital']]) {
    await page.getByLabel(field).fill(name);
    await page.getByLabel(field).press('Enter');
  }
  for (const zone of await page.getByLabel('Zone', { exact: true }).all()) await zone.selectOption({ label: 'North' });
  await saved();
}

/** Around the clock, every day. */
export async function setRota(page, shifts) {
  await page.goto('/#/rota');
  for (const [tier, name] of shifts) {
    await page.getByRole('button', { name: 'Put somebody on duty' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('As a shift of the plan').click();
    await dialog.getByLabel('Who').selectOption({ label: name });
    await dialog.getByText(tier, { exact: true }).click();
    await dialog.getByLabel(/^From/).fill('2026-01-01T00:00');
    await dialog.getByLabel(/^Until/).fill('2026-01-02T00:00');
    await dialog.getByLabel('Repeats').selectOption({ label: 'Every day' });
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'hidden' });
  }
}
