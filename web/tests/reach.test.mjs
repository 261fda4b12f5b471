// Whoever uses it, and however: by keyboard alone, at 320 CSS pixels, from right to left, and without motion.
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { open, shot, startBrowser } from './harness/browser.mjs';
import { ASKED, foundWorld } from './harness/cast.mjs';
import { newId } from './harness/device.mjs';

/** A telephone of the smallest kind, or text at four times its size (WCAG 2.2, 1.4.10). */
const NARROW = { width: 320, height: 640 };

describe('the night', () => {
  let world, browser;
  before(async () => {
    [world, browser] = await Promise.all([foundWorld(), startBrowser()]);
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    for (const one of await callouts()) if (one.state === 'paging' || one.state === 'accepted') await cancel(one.id);
  });

  const callouts = async () => (await world.people['Supervisor 1'].request('GET', '/v1/callouts')).callouts;
  const cancel = (id) =>
    world.people['Supervisor 1'].request('POST', `/v1/callouts/${id}/actions`, { id: newId('act'), action: { do: 'cancel', reason: 'mistake' } });

  /** Presses Tab until what is wanted has the focus, as somebody does who sees where it is. */
  async function tabTo(page, wanted) {
    const [target] = await wanted.elementHandles();
    for (let presses = 0; presses < 80; presses += 1) {
      if (await target.evaluate((one) => one === document.activeElement)) return;
      await page.keyboard.press('Tab');
    }
    assert.fail(`Tab never reaches ${wanted}`);
  }

  it('is opened by keyboard alone, the focus seen at each step', async () => {
    const { page } = await open(browser, world, world.people['Officer 1'], { size: { width: 1280, height: 860 } });
    await page.getByRole('button', { name: 'Call an advocate' }).waitFor();
    const radio = (name) => page.getByRole('radio', { name, exact: true });
    const choose = async (locator) => {
      // A group has one stop; within it arrows choose.
      await locator.waitFor({ state: 'attached' });
      await tabTo(page, page.locator(`input[name="${await locator.getAttribute('name')}"]`).first());
      for (let presses = 0; presses < 12 && !(await locator.isChecked()); presses += 1) {
        await page.keyboard.press(presses === 0 ? 'Space' : 'ArrowRight');
      }
      assert.ok(await locator.isChecked());
    };
    await choose(radio('Central Station'));
    await choose(page.getByRole('radiogroup', { name: /scene safe/ }).getByRole('radio', { name: 'Yes' }));
    await choose(page.getByRole('radiogroup', { name: /Emergency services/ }).getByRole('radio', { name: 'No' }));
    await tabTo(page, page.getByLabel('Your call-back number'));
    await page.keyboard.type('555-0111');
    await tabTo(page, page.getByRole('button', { name: 'Call an advocate' }));
    const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(ring, 'none', 'the focus is seen');
    await page.keyboard.press('Enter');
    await page.getByText('An advocate is being called', { exact: true }).waitFor();
  });

  /** What is wider than the screen: nothing, unless it scrolls in a frame of its own. */
  const tooWide = (page) => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);

  for (const direction of ['ltr', 'rtl']) {
    it(`fits 320 pixels, ${direction === 'ltr' ? 'left to right' : 'right to left'}`, async () => {
      const turn = (page) => page.evaluate((direction) => (document.documentElement.dir = direction), direction);
      const officer = await open(browser, world, world.people['Officer 1'], { size: NARROW });
      await officer.page.getByText('Central Station').first().waitFor();
      await turn(officer.page);
      assert.ok((await tooWide(officer.page)) <= 0, 'the form');
      await shot(officer.page, `reach-form-${direction}`);

      const id = newId('call');
      const routing = { ...ASKED, first_contact_at: Date.now() };
      await world.people['Officer 1'].request('POST', '/v1/callouts', { id, routing });
      await officer.page.goto(`/#/callout/${id}`);
      await officer.page.getByText('An advocate is being called', { exact: true }).waitFor();
      assert.ok((await tooWide(officer.page)) <= 0, 'the status');

      const responder = await open(browser, world, world.people['Advocate 1'], { size: NARROW });
      await responder.page.getByRole('dialog', { name: 'Duty: respond' }).waitFor();
      await turn(responder.page);
      assert.ok((await tooWide(responder.page)) <= 0, 'the page');
      await shot(responder.page, `reach-page-${direction}`, { fullPage: false });
    });
  }

  it('moves nothing for those who asked for that', async () => {
    const { page } = await open(browser, world, world.people['Advocate 1']);
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await page.locator('h1').first().waitFor();
    const moving = await page.evaluate(() =>
      [...document.querySelectorAll('*')].filter((one) => {
        const { animationName, animationDuration, transitionDuration } = getComputedStyle(one);
        return (animationName !== 'none' && parseFloat(animationDuration) > 0.01) || parseFloat(transitionDuration) > 0.01;
      }).length,
    );
    assert.equal(moving, 0);
  });
});
