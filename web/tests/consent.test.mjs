// The two-person rule through pages: one person asks to let police in, another agrees, and only then police are added.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { axe, DESKTOP, shot, startBrowser } from './harness/browser.mjs';
import { foundWorld } from './harness/cast.mjs';
import { unlock, useInvite } from './harness/people.mjs';
import { cli } from './harness/server.mjs';

// `web/build` makes it; a build without it has no rooms to prove.
const skip = !existsSync(new URL('../src/engine/pkg', import.meta.url)) && 'the engine is not built';

describe('letting police into a room', { skip }, () => {
  let world, browser, first, second, officer, code;
  const fine = async (page, name) => {
    await shot(page, name);
    assert.deepEqual(await axe(page), [], name);
  };
  const enrol = async (name, options) => {
    const { link } = await world.admin.run(['invite', 'create', '--role', 'advocate', '--name', name]);
    const opened = await useInvite(browser, world, link, options);
    await world.admin.run(['devices', 'approve', '--all']);
    await opened.page.getByRole('heading', { name: 'Almost there' }).waitFor({ state: 'detached', timeout: 30_000 });
    return opened;
  };
  /** A device of the command line. */
  const join = async (admin, name, role) => {
    const { link } = await admin.run(['invite', 'create', '--role', role, '--name', name]);
    const device = cli(world.server, name);
    await device.run(['join', '--no-wait', link]);
    await admin.run(['devices', 'approve', '--all']);
    await device.run(['join']);
    return device;
  };
  before(async () => {
    [world, browser] = await Promise.all([foundWorld(), startBrowser()]);
    [first, second] = [await enrol('Advocate 3'), await enrol('Advocate 4', { size: DESKTOP, theme: 'day' })];
    officer = await join(world.police, 'Officer 3', 'police_officer');
    code = (await officer.run(['me'])).person;
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it('begins with the own organisation alone', async () => {
    const { page } = first;
    await page.goto('/#/rooms/new');
    await page.getByRole('radio', { name: /Operation room/ }).check();
    await page.getByLabel('Name').fill('Harbor plan');
    await page.getByRole('checkbox', { name: /Advocate 4/ }).check();
    await page.getByLabel('Person code').fill(code);
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByText(/Officer 3: Once the room is made/).waitFor();
    await page.getByRole('button', { name: 'Create the room' }).click();
    await page.getByRole('heading', { name: 'Harbor plan' }).waitFor({ timeout: 30_000 });
    await page.getByText('No police in this room now.').waitFor();
  });

  it('asks, and does not add before somebody else agrees', async () => {
    const { page } = first;
    await page.getByRole('link', { name: /People and security/ }).click();
    await page.getByRole('link', { name: 'Add people' }).click();
    await page.getByLabel('Person code').fill(code);
    await page.getByRole('button', { name: 'Find' }).click();
    await page.getByRole('checkbox', { name: /Officer 3/ }).waitFor();
    await page.getByRole('button', { name: 'Ask the room' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('This takes two people.').waitFor();
    await fine(page, 'consent-ask-phone-night');
    await dialog.getByRole('button', { name: 'Ask the room' }).click();
    await page.getByText('You asked to let in: Law enforcement').waitFor();
    assert.ok(await page.getByRole('button', { name: 'A second person has to agree' }).isDisabled());
    await fine(page, 'consent-waiting-phone-night');
  });

  it('shows the question to the second person', async () => {
    const { page } = second;
    await page.getByRole('link', { name: /Rooms/ }).click();
    await page.getByRole('link', { name: /Harbor plan/ }).click();
    const banner = page.getByRole('status').filter({ hasText: 'Advocate 3 asks to let in: Law enforcement' });
    await banner.getByText('Police would be able to read this room from then on.').waitFor();
    await fine(page, 'consent-question-desktop-day');
    await banner.getByRole('button', { name: 'Agree', exact: true }).click();
    await page.getByRole('dialog').getByText(/written release/).waitFor();
    await fine(page, 'consent-agree-desktop-day');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  });

  it('speaks Spanish to the second person, who agrees', async () => {
    const { page } = second;
    await page.addInitScript(() => localStorage.setItem('firstlight.language', 'es'));
    await page.reload();
    await unlock(page);
    const banner = page.getByRole('status').filter({ hasText: 'Advocate 3 pide dejar entrar a: Fuerzas de seguridad' });
    await banner.getByRole('button', { name: 'Estoy de acuerdo', exact: true }).click();
    await fine(page, 'consent-agree-desktop-day-es');
    await page.getByRole('dialog').getByRole('button', { name: 'Estoy de acuerdo' }).click();
    await page.getByText('De acuerdo: Usted.').waitFor();
    await page.getByText(/está de acuerdo con que entren/).waitFor();
    await fine(page, 'consent-agreed-desktop-day-es');
  });

  it('adds them then, and says to everybody that police can read', async () => {
    const { page } = first;
    await page.getByText('Agreed: Advocate 4.').waitFor();
    await fine(page, 'consent-agreed-phone-night');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Add them' }).click();
    await page.getByRole('heading', { name: 'Harbor plan' }).waitFor({ timeout: 30_000 });
    await page.getByText('Police can read this room.', { exact: true }).waitFor();
    await page.getByText('From here on, police can read this room.').waitFor();
    assert.equal(await page.getByText('asks to let in: Law enforcement').count(), 1, 'the line stays, the question is done');
    await second.page.getByText('La policía puede leer esta sala.', { exact: true }).waitFor();
    await fine(page, 'consent-police-phone-night');
    await page.getByRole('textbox', { name: 'Message' }).fill('Briefing at six.');
    await page.getByRole('button', { name: 'Send' }).click();
    await page.getByRole('region', { name: 'Messages' }).locator('.text', { hasText: 'Briefing at six.' }).waitFor();
    await officer.run(['sync']);
    const { rooms } = await officer.run(['room', 'list']);
    const { lines } = await officer.run(['room', 'read', rooms[0].room]);
    assert.ok(lines.some((line) => line.content?.text?.text === 'Briefing at six.'));
    assert.ok(!lines.some((line) => line.content?.ask_to_admit), 'nothing from before they came');
  });

  it('goes the same way on the command line', async () => {
    const [one, two] = [await join(world.admin, 'Advocate 5', 'advocate'), await join(world.admin, 'Advocate 6', 'advocate')];
    const { room } = await one.run(['room', 'create', '--kind', 'operation', '--name', 'Quay plan', '--with', 'Advocate 6']);
    await assert.rejects(one.run(['room', 'add', room, code]), /ask in the room/);
    assert.equal((await one.run(['room', 'ask', room, 'law_enforcement'])).asks[0].agreed, false);
    await assert.rejects(one.run(['room', 'agree', room, 'law_enforcement']), /same person/);
    assert.equal((await two.run(['room', 'agree', room, 'law_enforcement'])).asks[0].agreed, true);
    const { members, asks } = await one.run(['room', 'add', room, code]);
    assert.deepEqual([members.length, asks], [3, []]);
    const { lines } = await two.run(['room', 'read', room]);
    assert.deepEqual(lines.slice(-1)[0].added.map((who) => who.work_name), ['Officer 3']);
  });

  it('said nothing in the console', () => {
    const own = [...first.problems, ...second.problems].filter((line) => !line.includes('Failed to load resource'));
    assert.deepEqual(own, []);
  });
});
