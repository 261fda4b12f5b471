// Web Push: what arrives is shown without content, told to the server as received, and brings the page to the front.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { open, startBrowser } from './harness/browser.mjs';
import { foundWorld } from './harness/cast.mjs';
import { newId } from './harness/device.mjs';
import { deliver, showing, shown } from './harness/push.mjs';

describe('a push', () => {
  let world, browser;
  before(async () => {
    [world, browser] = await Promise.all([foundWorld(), startBrowser()]);
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  const push = (page, data) => deliver(page, world.server.url, data);
  async function advocate() {
    const { page, context } = await open(browser, world, world.people['Advocate 1']);
    await context.grantPermissions(['notifications']);
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    return { page, context };
  }

  it('says "Duty: respond" and nothing else, is acknowledged to the server, and ends with the alarm', async () => {
    const { page } = await advocate();
    const id = newId('call');
    const routing = {
      call_back: '555-0111', zone: 'north', site: 'station-1', first_contact_at: Date.now(), young_people: 1, age_band: 'late',
      languages: [], preference: 'any', scene_safe: true, emergency_needed: false, wanted: 1,
    };
    await world.people['Officer 1'].request('POST', '/v1/callouts', { id, routing });
    const supervisor = world.people['Supervisor 1'];
    const pages = async () => (await supervisor.request('GET', `/v1/callouts/${id}`)).pages;
    const first = (await pages()).find((one) => one.person === world.people['Advocate 1'].me.person);
    assert.equal(first.delivered_at ?? null, null);

    await push(page, { kind: 'page', page: first.id, text: 'Duty: respond' });
    await showing(page, 1);
    assert.deepEqual(await shown(page), [{ title: 'Duty: respond', body: '', requireInteraction: true, tag: 'duty-page' }]);
    for (let i = 0; i < 50 && !(await pages()).some((one) => one.id === first.id && one.delivered_at); i += 1) await page.waitForTimeout(100);
    assert.ok((await pages()).find((one) => one.id === first.id).delivered_at > 0, 'no receipt');

    await page.getByRole('dialog', { name: 'Duty: respond' }).waitFor();
    await page.getByRole('button', { name: "I can't go" }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await showing(page, 0);
  });

  it('that cannot be read is taken for a page: better once too often', async () => {
    const { page } = await advocate();
    await push(page, 'not what the server sends');
    await showing(page, 1);
    assert.equal((await shown(page))[0].title, 'Duty: respond');
  });

  it('with a code for this very device hands it to the page that asked', async () => {
    const { page } = await advocate();
    await page.evaluate(() => {
      window.codes = [];
      navigator.serviceWorker.addEventListener('message', ({ data }) => window.codes.push(data));
    });
    await push(page, { kind: 'verify', page: newId('page'), text: 'Duty: your code is 123456' });
    await page.waitForFunction(() => window.codes.some((one) => one.tell === 'code' && one.code === '123456'));
  });
});
