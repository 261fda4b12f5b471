// The supervisor's side: the night on one screen, what can be done about it, and the rota, figures, contacts and policy.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { axe, DESKTOP, PHONE, shot, startBrowser } from './harness/browser.mjs';
import { foundWorld } from './harness/cast.mjs';
import { newId } from './harness/device.mjs';
import { beginAt, joinInBrowser } from './harness/unlocked.mjs';

describe('a supervisor', () => {
  let world, browser, officer, supervisor, device;
  before(async () => {
    [world, browser] = await Promise.all([foundWorld(), startBrowser()]);
    officer = world.people['Officer 1'];
    supervisor = world.people['Supervisor 1'];
    device = await joinInBrowser(browser, world, 'Supervisor 1');
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  // A callout that is left open would ring for the supervisor before long, over everything else.
  afterEach(async () => {
    const { callouts } = await supervisor.request('GET', '/v1/callouts');
    const open = callouts.filter((one) => !['closed', 'reviewed', 'cancelled', 'merged'].includes(one.state));
    for (const one of open) await act(supervisor, one.id, { do: 'cancel', reason: 'mistake' });
  });

  const routing = (more) => ({
    call_back: '555-0111',
    zone: 'north',
    site: 'station-1',
    first_contact_at: Date.now() - 600_000,
    young_people: 1,
    age_band: 'late',
    languages: ['en'],
    preference: 'any',
    scene_safe: true,
    emergency_needed: false,
    wanted: 1,
    ...more,
  });
  const call = async (more) => {
    const id = newId('call');
    await officer.request('POST', '/v1/callouts', { id, routing: routing(more) });
    return id;
  };
  const act = (who, callout, action) => who.request('POST', `/v1/callouts/${callout}/actions`, { id: newId('act'), action });
  const view = (callout) => supervisor.request('GET', `/v1/callouts/${callout}`);
  const open = async (at, look) => {
    await beginAt(device, `/${at}`, look);
    device.problems.length = 0;
    return device;
  };
  const well = async ({ page, problems }, name) => {
    await shot(page, name);
    assert.deepEqual(await axe(page), []);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth > innerWidth), false, 'wider than the screen');
    assert.deepEqual(problems, []);
  };

  it('sees a callout, who knows of it and every page with its reason; bars, calls more, and reviews it', async () => {
    const callout = await call({ scene_safe: false });
    const opened = await open('#/board');
    const { page } = opened;
    const { reference } = await view(callout);
    const card = page.getByRole('article', { name: reference });
    await card.getByText('Scene NOT SAFE').waitFor();
    await card.getByText('Advocate 1', { exact: true }).waitFor();
    await card.getByText('whoever has not answered is called again').waitFor();
    await page.getByRole('region', { name: 'On call' }).getByText('Not connected').first().waitFor();

    await card.getByRole('link', { name: reference }).click();
    await page.getByText('Failed: no device is connected').first().waitFor();
    await page.getByRole('button', { name: 'Bar somebody' }).click();
    // Themself, who would be called over everything else before long.
    await page.getByLabel('Who').selectOption({ label: 'Supervisor 1' });
    await page.getByRole('dialog').getByRole('button', { name: 'Bar somebody' }).click();
    await page.getByText('Barred', { exact: true }).waitFor();
    assert.deepEqual((await view(callout)).barred, [supervisor.me.person]);

    await page.getByRole('button', { name: 'Call one more' }).click();
    await page.getByRole('button', { name: 'More', exact: true }).click();
    await page.getByRole('button', { name: 'Call now' }).click();
    await page.getByText('0 of 2 responders have accepted.').waitFor();

    await act(world.people['Advocate 1'], callout, { do: 'accept', eta_minutes: 20 });
    await page.getByText(/there at .*, in (19|20) min/).waitFor();
    await page.getByRole('button', { name: 'Close the callout' }).click();
    const closing = page.getByRole('dialog');
    await closing.getByText('Accepted', { exact: true }).click();
    await closing.getByRole('button', { name: 'One more' }).click();
    await closing.getByRole('button', { name: 'Close the callout' }).click();
    await closing.waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByText('Well', { exact: true }).click();
    await page.getByText('Called late', { exact: true }).click();
    await page.getByRole('button', { name: 'Reviewed' }).click();
    await page.getByRole('dialog').waitFor({ state: 'hidden' });
    const { state, outcome } = await view(callout);
    assert.deepEqual([state, outcome.reasons], ['reviewed', ['called_late']]);
    await well(opened, 'board-callout-desktop-night');
  });

  it('hears an alarm once, silences its sound, and keeps it in sight; a drill is marked', async () => {
    const drill = newId('call');
    await supervisor.request('POST', '/v1/drills', { id: drill, at: Date.now() + 500, ends_after_ms: 300_000, routing: routing({ site: undefined }) });
    const callout = await call({ zone: 'south', site: 'station-2' });
    const opened = await open('#/board', { size: PHONE, theme: 'day', language: 'es' });
    const { page } = opened;
    const alarms = page.getByRole('region', { name: 'Alarmas' });
    const { reference } = await view(callout);
    await alarms.getByRole('link', { name: new RegExp(reference) }).waitFor();
    await alarms.getByRole('link', { name: /SIMULACRO/ }).waitFor();
    await page.getByRole('button', { name: 'Silenciar el sonido' }).click();
    await page.getByRole('button', { name: 'Silenciar el sonido' }).waitFor({ state: 'detached' });
    await alarms.getByRole('link', { name: new RegExp(reference) }).waitFor();
    await well(opened, 'board-phone-day-es');
    // Ten places, four of which fit on a telephone's bar beside the way to the others.
    await page.getByRole('button', { name: 'Más', exact: true }).click();
    const more = page.getByRole('dialog', { name: 'Más' });
    assert.equal(await more.getByRole('link').count(), 6);
    await shot(page, 'nav-more-phone-day-es', { fullPage: false });
    await more.getByRole('link', { name: 'Política' }).click();
    await page.getByRole('heading', { name: 'Política', level: 1 }).waitFor();
    await more.waitFor({ state: 'hidden' });
  });

  it('is paged over the board, and goes on with the night when somebody else has to go', async () => {
    const { page } = await open('#/board');
    const callout = await call({ zone: 'harbor', site: 'youth-center' });
    await act(supervisor, callout, { do: 'call_more', wanted: 2, people: [supervisor.me.person] });
    await page.getByRole('dialog', { name: 'Duty: respond' }).waitFor();
    await page.getByRole('button', { name: "I can't go" }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    const { reference } = await view(callout);
    await page.getByRole('article', { name: reference }).waitFor();
    assert.equal(new URL(page.url()).hash, '#/board');
  });

  it('puts somebody on duty by dragging, and by keyboard alone', async () => {
    const opened = await open('#/rota');
    const { page } = opened;
    await page.getByRole('button', { name: 'Later' }).click();
    const lane = page.getByRole('slider', { name: /Backup/ }).last();
    await lane.waitFor();
    await lane.focus();
    for (const key of ['PageDown', 'ArrowRight', 'Shift+PageDown', 'Enter']) await page.keyboard.press(key);
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Who').selectOption({ label: 'Advocate 1' });
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'hidden' });

    const box = await lane.boundingBox();
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height - 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.7, box.y + box.height - 2, { steps: 4 });
    await page.mouse.up();
    await dialog.getByText('As a shift of the plan').click();
    await dialog.getByLabel('Who').selectOption({ label: 'Supervisor 1' });
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.waitFor({ state: 'hidden' });
    const { rota } = await supervisor.request('GET', '/v1/rota');
    assert.deepEqual(rota.overrides.map((one) => [one.tier, one.from.slice(11)]), [['backup', '01:00:00']]);
    assert.equal(rota.shifts.filter((one) => one.person === supervisor.me.person && one.tier === 'backup').length, 1);
    await well(opened, 'rota-desktop-night');
  });

  it('never overwrites what somebody else did to the rota meanwhile', async () => {
    const opened = await open('#/rota/plan');
    const { page } = opened;
    await page.getByLabel('Date').fill('2026-12-25');
    const { version, rota } = await supervisor.request('GET', '/v1/rota');
    await supervisor.request('PUT', '/v1/rota', { version, rota: { ...rota, holidays: [{ date: '2027-01-01', code: 'new-year' }] } });
    await page.getByRole('region', { name: 'Holidays' }).getByRole('button', { name: 'Add' }).click();
    await page.getByText('Somebody else changed this at the same time.').waitFor();
    await page.getByRole('button', { name: 'Do mine again' }).click();
    await page.getByText('2026-12-25').waitFor();
    await page.getByText('2027-01-01').waitFor();
    const after = await supervisor.request('GET', '/v1/rota');
    assert.deepEqual(after.rota.holidays.map((one) => one.date).sort(), ['2026-12-25', '2027-01-01']);
    opened.problems.length = 0; // The refused request stands in the console.
    await well(opened, 'rota-plan-desktop-night');
  });

  it('reads figures and takes them along, suppressed for outside', async () => {
    const opened = await open('#/reports', { theme: 'day' });
    const { page } = opened;
    await page.getByRole('heading', { name: 'All figures' }).waitFor();
    const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download CSV' }).first().click()]);
    assert.match(file.suggestedFilename(), /^figures-month-.*\.csv$/);
    await page.getByText('For outside the organisation').click();
    await page.getByText('This may leave the organisation').waitFor();
    await page.getByText('under 5').first().waitFor();
    await well(opened, 'reports-outside-desktop-day');
  });

  it('adds ways to reach somebody, and changes the policy', async () => {
    const contacts = await open(`#/contacts/${world.people['Advocate 1'].me.person}`, { size: PHONE });
    await contacts.page.getByRole('button', { name: 'Add a way' }).click();
    await contacts.page.getByText('E-mail', { exact: true }).click();
    await contacts.page.getByLabel('E-mail address').fill('advocate1@example.org');
    await contacts.page.getByRole('button', { name: 'Save' }).click();
    await contacts.page.getByText('Not verified', { exact: true }).waitFor();
    await well(contacts, 'contacts-phone-night');

    const policy = await open('#/policy/timers', { size: DESKTOP });
    await policy.page.getByLabel('Backup after', { exact: true }).fill('4');
    await policy.page.getByLabel('Backup after', { exact: true }).blur();
    await policy.page.getByRole('button', { name: 'Save' }).first().click();
    await policy.page.getByText('The policy is saved.', { exact: false }).waitFor();
    assert.equal((await supervisor.request('GET', '/v1/policy')).policy.timers.backup_after_ms, 240_000);
    await well(policy, 'policy-desktop-night');
  });
});
