// The officer's side: from a tap to "an advocate is coming", online and not.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { axe, DESKTOP, open, PHONE, shot, smallTargets, startBrowser } from './harness/browser.mjs';
import { ASKED, DUTY_NUMBER, foundWorld } from './harness/cast.mjs';
import { newId } from './harness/device.mjs';

/** A callout that never left its telephone. */
const OLD = { ...ASKED, first_contact_at: Date.now() - 5 * 3_600_000 };

describe('an officer', () => {
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
    for (const officer of ['Officer 1', 'Officer 2']) {
      for (const one of await callouts(officer)) {
        const open = !['closed', 'reviewed', 'cancelled', 'merged'].includes(one.state);
        if (open) await act(officer, one.id, { do: 'cancel', reason: 'mistake' });
      }
    }
  });

  const callouts = async (name) => (await world.people[name].request('GET', '/v1/callouts')).callouts;
  const act = (name, callout, action) =>
    world.people[name].request('POST', `/v1/callouts/${callout}/actions`, { id: newId('act'), action });
  const number = async (page) => {
    await page.getByLabel('Your call-back number').fill('555-0111');
  };
  /** Every decision that has no default, as taps alone. */
  const taps = async (page) => {
    let count = 0;
    const tap = async (locator) => {
      await locator.tap();
      count += 1;
    };
    const form = page.locator('form');
    await tap(form.getByText('Central Station', { exact: true }));
    await tap(form.getByText('15–17', { exact: true }));
    await tap(form.getByText('Spanish', { exact: true }));
    await tap(page.getByRole('radiogroup', { name: /scene safe/ }).getByText('Yes', { exact: true }));
    await tap(page.getByRole('radiogroup', { name: /Emergency services/ }).getByText('No', { exact: true }));
    await tap(page.getByRole('button', { name: 'Call an advocate' }));
    return count;
  };

  it('opens a callout in six taps and without typing, sees who comes, and cancels', async () => {
    const { page, context, problems } = await open(browser, world, world.people['Officer 1']);
    await page.getByRole('heading', { name: 'Call an advocate' }).waitFor();
    await shot(page, 'officer-form-first-phone-night');
    await number(page);
    const began = Date.now();
    assert.equal(await taps(page), 6);
    await page.getByText('An advocate is being called', { exact: true }).waitFor();
    assert.ok(Date.now() - began < 45_000);
    const [callout] = await callouts('Officer 1');
    assert.equal(callout.routing.site, 'station-1');
    assert.equal(callout.routing.zone, 'north');
    assert.deepEqual(callout.routing.languages, ['es']);
    assert.equal(callout.routing.call_back, '555-0111');
    await page.getByText('Next:').waitFor();
    await shot(page, 'officer-paging-phone-night');
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(await smallTargets(page), []);

    await act('Advocate 1', callout.id, { do: 'acknowledge' });
    await page.getByText('One person is awake').waitFor();
    await act('Advocate 1', callout.id, { do: 'accept', eta_minutes: 35 });
    await page.getByText('Advocate 1').waitFor();
    await page.getByText(/in 35 min/).waitFor();
    await shot(page, 'officer-accepted-phone-night');
    assert.deepEqual(await axe(page), []);

    await page.getByRole('button', { name: 'Cancel the callout' }).tap();
    await shot(page, 'officer-cancel-phone-night', { fullPage: false });
    await page.getByRole('button', { name: 'Not needed any more' }).tap();
    await page.getByText('Cancelled', { exact: true }).waitFor();
    assert.deepEqual(problems, []);
    await context.close();
  });

  it('remembers the number and the places, so that the next callout needs no keyboard', async () => {
    const { page, context } = await open(browser, world, world.people['Officer 1']);
    await number(page);
    await taps(page);
    await page.getByText('An advocate is being called', { exact: true }).waitFor();
    await page.goto('/#/callout');
    await page.reload();
    await page.getByText(/555-0111/).waitFor();
    assert.equal(await page.getByLabel('Your call-back number').isVisible(), false);
    await shot(page, 'officer-form-phone-night');
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(await smallTargets(page), []);
    const [callout] = (await callouts('Officer 1')).filter((one) => one.state === 'paging');
    await act('Officer 1', callout.id, { do: 'cancel', reason: 'mistake' });
    await context.close();
  });

  it('is told what is missing, at the first thing that is', async () => {
    const { page, context } = await open(browser, world, world.people['Officer 1']);
    await number(page);
    await page.getByRole('button', { name: 'Call an advocate' }).tap();
    await page.getByText('Choose where.').waitFor();
    assert.equal(await page.getByText('Please answer this.').count(), 2);
    assert.equal(await page.evaluate(() => document.activeElement.closest('[data-missing="true"]') !== null), true);
    assert.equal((await callouts('Officer 1')).filter((one) => one.state === 'paging').length, 0);
    await shot(page, 'officer-missing-phone-night');
    await context.close();
  });

  it('offline: says so loudly with the number, and sends exactly one callout afterwards, over a reload too', async () => {
    const { page, context } = await open(browser, world, world.people['Officer 1']);
    await number(page);
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    const before = (await callouts('Officer 1')).length;
    // The request arrives and its answer is lost: the worst kind of offline.
    await context.route('**/v1/callouts', async (route) => {
      if (route.request().method() !== 'POST') return route.abort();
      await route.fetch();
      await route.abort();
    });
    await taps(page);
    await page.getByText('NOT SENT: call this number').waitFor();
    assert.match(await page.getByRole('link', { name: /555-0100/ }).first().getAttribute('href'), /^tel:5550100$/);
    await shot(page, 'officer-not-sent-phone-night');
    assert.deepEqual(await axe(page), []);
    await page.reload();
    await page.getByText('NOT SENT: call this number').waitFor();
    await context.unroute('**/v1/callouts');
    await page.getByText('An advocate is being called', { exact: true }).waitFor({ timeout: 15_000 });
    const all = await callouts('Officer 1');
    assert.equal(all.length, before + 1);
    await act('Officer 1', all[0].id, { do: 'cancel', reason: 'mistake' });
    await context.close();
  });

  it('starts from the cache without a network, and queues', async () => {
    const { page, context } = await open(browser, world, world.people['Officer 1']);
    await number(page);
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await page.waitForFunction(async () => (await caches.keys()).length > 0);
    await context.setOffline(true);
    await page.reload();
    await page.getByRole('heading', { name: 'Call an advocate' }).waitFor();
    await page.getByText('No connection to the server').waitFor();
    await number(page);
    await taps(page);
    await page.getByText('NOT SENT: call this number').waitFor();
    assert.ok((await page.getByText(DUTY_NUMBER).count()) > 0);
    await page.getByRole('button', { name: 'I called instead: do not send it' }).tap();
    await page.getByText('NOT SENT: call this number').waitFor({ state: 'detached' });
    await context.setOffline(false);
    await context.close();
  });

  it('does not send by itself what was tapped another night', async () => {
    const { page, context } = await open(browser, world, world.people['Officer 1']);
    await page.getByRole('heading', { name: 'Call an advocate' }).waitFor();
    const before = (await callouts('Officer 1')).length;
    // As a telephone has it that lost its battery right after the tap.
    await page.evaluate(async ([id, routing]) => {
      const database = await new Promise((resolve) => {
        const request = indexedDB.open('firstlight-duty', 1);
        request.onsuccess = () => resolve(request.result);
      });
      const transaction = database.transaction('unsent', 'readwrite');
      transaction.objectStore('unsent').put({ id, routing, tapped_at: Date.now() - 5 * 3_600_000 });
      await new Promise((resolve) => (transaction.oncomplete = resolve));
      database.close();
    }, [newId('call'), OLD]);
    await page.reload();
    await page.getByText('too long ago to go out by itself').waitFor();
    await shot(page, 'officer-not-sent-old-phone-night');
    await page.waitForTimeout(4_000);
    assert.equal((await callouts('Officer 1')).length, before);
    await page.getByRole('button', { name: 'Try now' }).tap();
    await page.getByText('An advocate is being called', { exact: true }).waitFor();
    assert.equal((await callouts('Officer 1')).length, before + 1);
    await context.close();
  });

  it('is offered to merge a likely duplicate, while people are called', async () => {
    const first = await open(browser, world, world.people['Officer 1']);
    await number(first.page);
    await taps(first.page);
    await first.page.getByText('An advocate is being called', { exact: true }).waitFor();
    const second = await open(browser, world, world.people['Officer 2']);
    await number(second.page);
    await taps(second.page);
    await second.page.getByText('This may be the same as another callout').waitFor();
    await second.page.getByText('An advocate is being called', { exact: true }).waitFor();
    await shot(second.page, 'officer-duplicate-phone-night');
    assert.deepEqual(await axe(second.page), []);
    await second.page.getByRole('button', { name: 'It is the same: merge' }).tap();
    await second.page.getByText('This may be the same').waitFor({ state: 'detached' });
    assert.equal((await callouts('Officer 2'))[0].state, 'merged');
    const [kept] = await callouts('Officer 1');
    await act('Officer 1', kept.id, { do: 'cancel', reason: 'mistake' });
    await first.context.close();
    await second.context.close();
  });

  for (const [size, sizeName] of [[PHONE, 'phone'], [DESKTOP, 'desktop']]) {
    for (const theme of ['night', 'day']) {
      for (const language of ['en', 'es']) {
        it(`has a form that reads well: ${sizeName}, ${theme}, ${language}`, async () => {
          const { page, context, problems } = await open(browser, world, world.people['Officer 1'], { size, theme, language });
          await page.locator('h1').waitFor();
          await page.getByText('Central Station').waitFor();
          await shot(page, `officer-form-${sizeName}-${theme}-${language}`);
          assert.deepEqual(await axe(page), []);
          assert.deepEqual(await smallTargets(page), []);
          assert.deepEqual(problems, []);
          await context.close();
        });
      }
    }
  }
});
