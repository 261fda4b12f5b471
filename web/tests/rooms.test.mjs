// An organisation from nothing, through real pages: founded, joined, talking, locked, taken over, revoked.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { axe, DESKTOP, open, shot, startBrowser } from './harness/browser.mjs';
import { approve, choosePassphrase, enrolInBrowser, foundInBrowser, invite, keepSheet, unlock } from './harness/people.mjs';
import { startServer } from './harness/server.mjs';

// `web/build` makes it; a build without it has no rooms to prove.
const skip = !existsSync(new URL('../src/engine/pkg', import.meta.url)) && 'the engine is not built';

describe('an organisation in browsers', { skip }, () => {
  let world, browser, admin, first, second;
  const problems = [];
  before(async () => {
    [world, browser] = [{ server: await startServer() }, await startBrowser()];
  });
  after(async () => {
    await browser?.close();
    await world?.server.stop();
  });
  const keep = (opened) => {
    problems.push(opened.problems);
    return opened;
  };
  const fine = async (page, name) => {
    await shot(page, name);
    assert.deepEqual(await axe(page), [], name);
  };
  const write = async (page, text) => {
    await page.getByRole('textbox', { name: 'Message' }).fill(text);
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('region', { name: 'Messages' }).locator('.text', { hasText: text }).waitFor();
  };
  const reads = (page, text) => page.getByRole('region', { name: 'Messages' }).locator('.text', { hasText: text }).waitFor();

  it('is founded from an empty server, with its root key made in the page', async () => {
    const welcome = await open(browser, world, undefined);
    await welcome.page.getByRole('heading', { name: 'Set up this server' }).waitFor();
    await fine(welcome.page, 'join-empty-server-phone-night');
    await welcome.context.close();

    admin = keep(await foundInBrowser(browser, world, { size: DESKTOP }));
    const sheet = admin.page.getByRole('region', { name: /Recovery sheet/ });
    assert.match(await sheet.innerText(), /([0-9a-f]{4}[ -]){15}[0-9a-f]{4}/);
    await fine(admin.page, 'join-sheet-desktop-night');
    assert.ok(await admin.page.getByRole('button', { name: 'Continue' }).isDisabled());
    await keepSheet(admin.page);
    await fine(admin.page, 'admin-desktop-night');
    for (const [place, heading] of [['requests', 'Requests'], ['people', 'People'], ['invites', 'Invites'], ['agencies', 'Partner agencies']]) {
      await admin.page.goto(`/#/admin/${place}`);
      await admin.page.getByRole('heading', { name: heading, level: 1 }).waitFor();
      await fine(admin.page, `admin-${place}-empty-desktop-night`);
    }
  });

  it('takes somebody in by a code, through a reload, and leaves no secret in the address', async () => {
    const link = await invite(admin.page, 'Advocate 1', 'Advocate');
    assert.match(link, /\/join#v1\.device\./);
    await shot(admin.page, 'admin-invite-desktop-night');
    first = keep(await open(browser, world, undefined, { at: link }));
    const { page } = first;
    await page.getByRole('heading', { name: 'You are invited' }).waitFor();
    assert.equal(new URL(page.url()).hash, '#/join');
    assert.ok(!(await page.evaluate(() => location.href + document.referrer)).includes('v1.device'));
    await fine(page, 'join-invite-phone-night');
    await page.getByRole('button', { name: 'Join', exact: true }).click();
    await page.getByText('At least 8 characters.').waitFor();
    await choosePassphrase(page);
    await page.getByText('Strength: Strong.').waitFor();
    await page.getByRole('button', { name: 'Join', exact: true }).click();
    await page.getByRole('heading', { name: 'Almost there' }).waitFor();
    await fine(page, 'join-waiting-phone-night');

    await page.reload();
    await unlock(page, 'not this one at all');
    await page.getByText('That is not the passphrase.').waitFor();
    await page.getByText('1 failed try since the last unlock').waitFor();
    await fine(page, 'lock-wrong-phone-night');
    await unlock(page);
    await page.getByRole('heading', { name: 'Almost there' }).waitFor();

    await admin.page.goto('/#/admin/requests');
    await admin.page.getByRole('heading', { name: 'Advocate 1' }).waitFor();
    await fine(admin.page, 'admin-requests-desktop-night');
    await approve(admin.page, 'Advocate 1');
    await page.getByRole('link', { name: 'Rooms' }).click();
    await page.getByRole('heading', { name: 'No rooms yet' }).waitFor();
    await fine(page, 'rooms-empty-phone-night');

    const late = await open(browser, world, undefined, { at: link });
    await late.page.getByText("This invite can't be used any more").waitFor();
    await fine(late.page, 'join-used-phone-night');
    await late.context.close();
  });

  it('talks in a room, both ways, and keeps what was said through a reload', async () => {
    second = keep(await enrolInBrowser(browser, world, admin.page, 'Advocate 2', 'Advocate', { size: DESKTOP, theme: 'day' }));
    const [a, b] = [first.page, second.page];
    await a.goto('/#/rooms/new');
    await a.getByRole('radio', { name: /Advocate room/ }).check();
    await a.getByLabel('Name').fill('Night team');
    await a.getByRole('checkbox', { name: /Advocate 2/ }).check();
    await a.getByText("Can't be in this room").click();
    await a.getByText('Admins keep accounts').waitFor();
    await fine(a, 'rooms-new-phone-night');
    await a.getByRole('button', { name: 'Create the room' }).click();
    await a.getByRole('heading', { name: 'Night team' }).waitFor({ timeout: 30_000 });
    await a.getByText('No police, ever.').waitFor();
    await write(a, 'Who takes the early shift?');

    await b.getByRole('link', { name: /Rooms/ }).click();
    await b.getByRole('link', { name: /Night team/ }).click();
    await reads(b, 'Who takes the early shift?');
    await b.getByRole('button', { name: /Reply to Advocate 1/ }).click();
    await write(b, 'I do.');
    await reads(a, 'I do.');
    await fine(a, 'room-phone-night');
    await fine(b, 'room-desktop-day');

    await a.goto('/#/settings');
    await write(b, 'And bring tea.');
    await a.getByRole('navigation').getByText('1 new').waitFor({ state: 'attached' });
    await a.reload();
    await a.goto('/#/rooms');
    await unlock(a);
    await a.getByRole('link', { name: /Night team/ }).click();
    await reads(a, 'Who takes the early shift?');
    await reads(a, 'And bring tea.');

    await a.getByRole('link', { name: /People and security/ }).click();
    await a.getByRole('heading', { name: 'Advocate 2' }).waitFor();
    await fine(a, 'room-people-phone-night');
    const numbers = [];
    for (const page of [a, b]) {
      if (page === b) await page.getByRole('link', { name: /People and security/ }).click();
      await page.getByRole('button', { name: 'Compare the safety number' }).click();
      const number = page.getByRole('dialog').locator('.number');
      await number.getByText(/\d{5}/).first().waitFor();
      numbers.push((await number.innerText()).replaceAll(/\s+/g, ' '));
      if (page === a) await shot(page, 'room-safety-phone-night', { fullPage: false });
      await page.getByRole('button', { name: 'Close' }).click();
    }
    assert.equal(numbers[0], numbers[1]);
  });

  it('is written by one tab at a time, which the other can take over', async () => {
    const other = await first.context.newPage();
    await other.goto('/#/rooms');
    await other.getByRole('heading', { name: 'Firstlight is open in another tab' }).waitFor();
    await fine(other, 'lock-other-tab-phone-night');
    await other.getByRole('button', { name: 'Use it here' }).click();
    await unlock(other);
    await other.getByRole('link', { name: /Night team/ }).waitFor();
    await first.page.getByRole('heading', { name: 'Firstlight is open in another tab' }).waitFor();
    await other.close();
    await first.page.goto('/#/rooms');
    await unlock(first.page);
    await first.page.getByRole('link', { name: /Night team/ }).waitFor();
  });

  it('locks at once, and shows nothing of the rooms then', async () => {
    const { page } = first;
    await page.goto('/#/settings/lock');
    await page.getByRole('heading', { name: 'Lock and keys' }).waitFor();
    await fine(page, 'settings-lock-phone-night');
    await page.getByRole('button', { name: 'Lock now' }).click();
    await page.getByRole('heading', { name: 'Unlock' }).waitFor();
    await page.goto('/#/rooms');
    await page.getByRole('heading', { name: 'Unlock' }).waitFor();
    assert.ok(!(await page.content()).includes('Night team'));
    await fine(page, 'lock-phone-night');
  });

  it('speaks Spanish', async () => {
    const page = await first.context.newPage();
    await first.page.close();
    await page.addInitScript(() => localStorage.setItem('firstlight.language', 'es'));
    first.page = page;
    await page.goto('/#/rooms');
    await page.getByRole('heading', { name: 'Desbloquear' }).waitFor();
    await fine(page, 'lock-phone-night-es');
    await unlock(page);
    await page.getByRole('link', { name: /Night team/ }).click();
    await page.getByText('Sin policía, nunca.').waitFor();
    await fine(page, 'room-phone-night-es');
  });

  it('revokes a device that is open', async () => {
    const { page } = admin;
    await page.goto('/#/admin/people');
    await page.getByRole('link', { name: /Advocate 2/ }).click();
    await page.getByRole('heading', { name: 'For dispatch' }).waitFor();
    await fine(page, 'admin-person-desktop-night');
    await page.getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();
    await page.getByText(/^Revoked [A-Z]/).waitFor();
    await second.page.getByRole('heading', { name: 'This device is revoked' }).waitFor({ timeout: 15_000 });
    await fine(second.page, 'lock-revoked-desktop-day');
    await first.page.getByText(/quitó a Advocate 2|Salió: Advocate 2/).waitFor({ timeout: 15_000 });

    await second.page.getByRole('button', { name: 'Erase this device' }).click();
    await second.page.getByLabel(/type erase/).fill('erase');
    await second.page.getByRole('button', { name: 'Erase for good' }).click();
    await second.page.getByRole('heading', { name: 'Welcome to Firstlight' }).waitFor();
  });

  it('said nothing in the console', () => {
    // Chromium's own words about answers that are no 2xx, such as a profile that an agency does not have.
    const own = problems.flat().filter((line) => !line.includes('Failed to load resource'));
    assert.deepEqual(own, []);
  });
});
