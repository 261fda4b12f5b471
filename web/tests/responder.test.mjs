// The responder's side: rung, accepted with one hold, one button for each next state; silent as soon as it is answered.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { axe, DESKTOP, open, PHONE, shot, smallTargets, startBrowser } from './harness/browser.mjs';
import { foundWorld } from './harness/cast.mjs';
import { newId } from './harness/device.mjs';

describe('a responder', () => {
  let world, browser;
  before(async () => {
    [world, browser] = await Promise.all([foundWorld(), startBrowser()]);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  // Whatever a test leaves open, so that each begins with a quiet night.
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    const { callouts } = await world.people['Supervisor 1'].request('GET', '/v1/callouts');
    for (const one of callouts) {
      const open = !['closed', 'reviewed', 'cancelled', 'merged'].includes(one.state);
      if (open) await act('Supervisor 1', one.id, { do: 'cancel', reason: 'mistake' });
    }
  });

  const routing = () => ({
    call_back: '555-0111',
    zone: 'north',
    site: 'station-1',
    first_contact_at: Date.now() - 600_000,
    young_people: 1,
    age_band: 'late',
    languages: ['es'],
    preference: 'woman',
    scene_safe: false,
    emergency_needed: false,
    wanted: 1,
  });
  const call = async (more = {}) => {
    const id = newId('call');
    await world.people['Officer 1'].request('POST', '/v1/callouts', { id, routing: routing(), ...more });
    return id;
  };
  const act = (name, callout, action) =>
    world.people[name].request('POST', `/v1/callouts/${callout}/actions`, { id: newId('act'), action });
  const view = (name, callout) => world.people[name].request('GET', `/v1/callouts/${callout}`);
  const end = (callout) => act('Officer 1', callout, { do: 'cancel', reason: 'mistake' });

  /** Counts what the page plays and how it vibrates. */
  const listen = (page) =>
    page.addInitScript(() => {
      window.heard = { tones: 0, vibrations: [], quietAt: 0 };
      const start = OscillatorNode.prototype.start;
      OscillatorNode.prototype.start = function (...args) {
        window.heard.tones += 1;
        return start.apply(this, args);
      };
      Navigator.prototype.vibrate = function (pattern) {
        window.heard.vibrations.push(pattern);
        return true;
      };
    });
  const rung = (page) => page.getByRole('dialog', { name: 'Duty: respond' });
  const hold = async (page, name) => {
    const box = await page.getByRole('button', { name }).boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.waitForTimeout(900);
    await page.mouse.up();
  };

  async function responder(name, options) {
    const opened = await open(browser, world, world.people[name], options);
    await listen(opened.page);
    await opened.page.reload();
    await opened.page.locator('h1').first().waitFor();
    await opened.page.mouse.click(5, 5);
    return opened;
  }

  it('is rung, accepts with one hold, and walks through every state to the end', async () => {
    const { page, context, problems } = await responder('Advocate 1');
    await page.getByText('On duty', { exact: true }).waitFor();
    await shot(page, 'responder-calm-phone-night');
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(await smallTargets(page), []);

    const began = Date.now();
    const id = await call();
    await rung(page).waitFor();
    await page.waitForFunction(() => window.heard.tones > 0 && window.heard.vibrations.length > 0);
    await shot(page, 'responder-page-phone-night', { fullPage: false });
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(await smallTargets(page), []);
    const words = await rung(page).innerText();
    assert.doesNotMatch(words, /Central|north|15|Spanish/i, 'content on the alarm');

    await page.getByText('45 min', { exact: true }).click();
    await hold(page, /I'm going/);
    await page.getByText('You are going').waitFor();
    assert.equal(await rung(page).count(), 0);
    const tones = await page.evaluate(() => window.heard.tones);
    await page.waitForTimeout(3000);
    assert.equal(await page.evaluate(() => window.heard.tones), tones, 'it went on ringing');
    assert.ok(Date.now() - began < 30_000);
    const accepted = await view('Advocate 1', id);
    assert.equal(accepted.your_state, 'accepted');
    assert.ok(Math.abs(accepted.responders[0].eta_at - Date.now() - 45 * 60_000) < 60_000);
    await shot(page, 'responder-accepted-phone-night');
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(await smallTargets(page), []);

    for (const [button, state] of [["I'm on the way", 'en_route'], ["I've arrived", 'arrived'], ["I'm with the young person", 'with_young_person']]) {
      await page.getByRole('button', { name: button }).click();
      await page.waitForFunction((text) => !document.body.innerText.includes(text), button);
      assert.equal((await view('Advocate 1', id)).your_state, state);
    }
    await shot(page, 'responder-with-young-person-phone-night');
    await page.getByRole('button', { name: "I've handed over" }).click();
    await page.getByRole('button', { name: 'Close the callout', exact: true }).click();
    await page.getByText('Declined for now').click();
    await page.getByText('Called late').click();
    await page.getByRole('button', { name: 'One more' }).click();
    await shot(page, 'responder-close-phone-night', { fullPage: false });
    assert.deepEqual(await axe(page), []);
    await page.getByRole('dialog').getByRole('button', { name: 'Close the callout' }).click();
    await page.getByText('On duty', { exact: true }).waitFor();
    const closed = await view('Supervisor 1', id);
    assert.equal(closed.state, 'closed');
    assert.deepEqual([closed.outcome.support, closed.outcome.kits_given, closed.outcome.reasons], ['declined_for_now', 1, ['called_late']]);
    assert.deepEqual(problems, []);
    await context.close();
  });

  it('is not accepted by a touch that is too short, and is by the keyboard and by a screen reader', async () => {
    const { page, context } = await responder('Advocate 1');
    const id = await call();
    await rung(page).waitFor();
    await page.getByRole('button', { name: /I'm going/ }).click();
    await page.waitForTimeout(500);
    assert.equal((await view('Advocate 1', id)).your_state, 'paged');
    await page.getByRole('button', { name: /I'm going/ }).focus();
    await page.keyboard.down('Space');
    await page.waitForTimeout(900);
    await page.keyboard.up('Space');
    await page.getByText('You are going').waitFor();
    await end(id);

    const second = await call();
    await rung(page).waitFor();
    // What an assistive device sends: a click with no press before it. The first asks, the second does.
    await page.getByRole('button', { name: /I'm going/ }).evaluate((button) => button.click());
    await page.getByText(/Press once more/).waitFor();
    assert.equal((await view('Advocate 1', second)).your_state, 'paged');
    await page.getByRole('button', { name: /Press once more/ }).evaluate((button) => button.click());
    await page.getByText('You are going').waitFor();
    await end(second);
    await context.close();
  });

  it('falls silent when it is answered elsewhere, filled, or called off', async () => {
    const { page, context } = await responder('Advocate 1');
    for (const silence of [
      (id) => act('Advocate 1', id, { do: 'acknowledge' }),
      (id) => act('Supervisor 1', id, { do: 'accept', eta_minutes: 5 }),
      (id) => end(id),
    ]) {
      const id = await call();
      await rung(page).waitFor();
      await page.waitForFunction(() => window.heard.tones > 0);
      await silence(id);
      await rung(page).waitFor({ state: 'detached' });
      const tones = await page.evaluate(() => (window.heard.vibrations = [], window.heard.tones));
      await page.waitForTimeout(2600);
      assert.equal(await page.evaluate(() => window.heard.tones), tones);
      assert.deepEqual(await page.evaluate(() => window.heard.vibrations.filter((one) => one !== 0)), []);
      await end(id).catch(() => undefined);
      await page.waitForTimeout(3200);
    }
    await context.close();
  });

  it("can't go in one tap, and can after all", async () => {
    const { page, context } = await responder('Advocate 1');
    const id = await call();
    await rung(page).waitFor();
    await page.getByRole('button', { name: "I can't go" }).click();
    await page.getByText("You said that you can't go").waitFor();
    assert.equal((await view('Supervisor 1', id)).responders.find((one) => one.work_name === 'Advocate 1').state, 'declined');
    await shot(page, 'responder-declined-phone-night');
    await hold(page, /I'm going/);
    await page.getByText('You are going').waitFor();
    await page.getByRole('button', { name: "I can't go after all" }).click();
    await page.getByRole('dialog').getByRole('button', { name: "I can't go after all" }).click();
    await page.waitForFunction(() => !document.body.innerText.includes('You are going'));
    await end(id);
    await context.close();
  });

  it('says that an answer is not sent while there is no network, and rings on until it is', async () => {
    const { page, context } = await responder('Advocate 1');
    const id = await call();
    await rung(page).waitFor();
    await context.route('**/actions', (route) => route.abort());
    await hold(page, /I'm going/);
    await page.getByText('Your answer is not sent yet').waitFor({ timeout: 10_000 });
    await shot(page, 'responder-not-sent-phone-night', { fullPage: false });
    await context.unroute('**/actions');
    await page.getByText('You are going').waitFor({ timeout: 30_000 });
    await end(id);
    await context.close();
  });

  it('shows a drill as one', async () => {
    const { page, context } = await responder('Advocate 1');
    const id = newId('call');
    await world.people['Supervisor 1'].request('POST', '/v1/callouts', { id, purpose: 'drill', routing: routing() });
    await rung(page).waitFor();
    await rung(page).getByText('DRILL').waitFor();
    await act('Supervisor 1', id, { do: 'cancel', reason: 'drill' });
    await rung(page).waitFor({ state: 'detached' });
    await context.close();
  });

  it('sees red where a page would not wake them', async () => {
    const { page, context } = await responder('Advocate 2', { at: '/#/ready' });
    await page.getByRole('heading', { name: 'Would a page wake me?' }).waitFor();
    await page.getByText('A page would NOT wake you: see why').waitFor();
    await page.getByText('Not set up: with the app closed, no page arrives here.').waitFor();
    await shot(page, 'responder-ready-phone-night');
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(await smallTargets(page), []);
    await page.getByRole('button', { name: 'Send me a test now' }).click();
    await page.getByText('A test is on its way').waitFor();
    await page.getByRole('button', { name: 'Confirm' }).click();
    await page.getByText(/Proven/).first().waitFor();
    await context.close();
  });

  for (const [size, sizeName] of [[PHONE, 'phone'], [DESKTOP, 'desktop']]) {
    for (const theme of ['night', 'day']) {
      for (const language of ['en', 'es']) {
        it(`has screens that read well: ${sizeName}, ${theme}, ${language}`, async () => {
          const { page, context, problems } = await responder('Advocate 1', { size, theme, language });
          await page.locator('.calm').waitFor();
          await shot(page, `responder-calm-${sizeName}-${theme}-${language}`);
          assert.deepEqual(await axe(page), []);
          const id = await call();
          await page.locator('dialog[open]').waitFor();
          await shot(page, `responder-page-${sizeName}-${theme}-${language}`, { fullPage: false });
          assert.deepEqual(await axe(page), []);
          await act('Advocate 1', id, { do: 'accept', eta_minutes: 35 });
          await page.locator('dialog[open]').waitFor({ state: 'detached' });
          await shot(page, `responder-accepted-${sizeName}-${theme}-${language}`);
          assert.deepEqual(await axe(page), []);
          assert.deepEqual(await smallTargets(page), []);
          await end(id);
          await page.goto('/#/ready');
          await page.locator('.overall').waitFor();
          await shot(page, `responder-ready-${sizeName}-${theme}-${language}`);
          assert.deepEqual(await axe(page), []);
          assert.deepEqual(problems, []);
          await context.close();
        });
      }
    }
  }
});
