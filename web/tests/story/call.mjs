// The officer's part: six taps, the address encrypted, a network that is gone and comes back.
import assert from 'node:assert/strict';
import { shot, smallTargets } from '../harness/browser.mjs';
import { unlock } from '../harness/people.mjs';
import { english as say } from './steps.mjs';

export const DUTY_NUMBER = '555-0100';
export const CALL_BACK = '555-0111';
const FIELDS = ['address', 'arrival', 'needs', 'kit', 'notes'];

/** Every decision that has no default, as taps alone. */
async function taps(page) {
  let count = 0;
  const tap = async (locator) => {
    await locator.tap();
    count += 1;
  };
  const form = page.locator('form');
  await tap(form.getByText('Central Station', { exact: true }));
  await tap(form.getByText(say('officer.age_early'), { exact: true }));
  await tap(form.getByText('Spanish', { exact: true }));
  await tap(page.getByRole('radiogroup', { name: say('officer.scene_safe') }).getByText('Yes', { exact: true }));
  await tap(page.getByRole('radiogroup', { name: say('officer.emergency') }).getByText('No', { exact: true }));
  await tap(page.getByRole('button', { name: say('officer.call') }));
  return count;
}

/** Opens the callout; gives its id. */
export async function opens(night) {
  const page = night.page('Officer 1');
  await page.goto('/#/settings');
  await page.goto('/#/callout');
  await page.getByRole('heading', { name: say('officer.title') }).waitFor();
  await page.getByLabel(say('officer.call_back')).fill(CALL_BACK);
  await page.getByText('Central Station', { exact: true }).waitFor({ timeout: 30_000 });
  await shot(page, 'story-officer-form-phone-night');
  assert.ok((await taps(page)) <= 6);
  await page.getByText(say('officer.headline_paging'), { exact: true }).waitFor();
  assert.deepEqual(await smallTargets(page), []);
  return page.url().split('/').at(-1);
}

/** Writes the encrypted part, with a reload in the middle: what was not sent is nowhere, and nothing else is lost. */
export async function writesDetails(night, canaries) {
  const page = night.page('Officer 1');
  await page.getByRole('link', { name: say('details.write') }).click();
  const address = page.getByLabel(say('details.address'));
  await address.fill(canaries.plant('unsent'));
  await page.reload();
  await unlock(page);
  await address.waitFor();
  assert.equal(await address.inputValue(), '');
  const details = {};
  for (const field of FIELDS) {
    details[field] = canaries.plant(field);
    await page.getByLabel(say(`details.${field}`), { exact: true }).fill(details[field]);
  }
  await shot(page, 'story-officer-details-phone-night');
  await page.getByRole('button', { name: say('details.send') }).click();
  await page.getByText(details.address).waitFor({ timeout: 30_000 });
  await shot(page, 'story-officer-paging-phone-night');
  return details;
}

/** The network goes, he taps all the same, reloads, and it comes back: one callout, which is offered to be merged. */
export async function callsOffline(night) {
  const page = night.page('Officer 1');
  const context = page.context();
  await page.goto('/#/callout');
  await page.getByRole('heading', { name: say('officer.title') }).waitFor();
  await page.waitForFunction(async () => (await caches.keys()).length > 0);
  await context.setOffline(true);
  await page.reload();
  await page.getByText(say('common.offline')).waitFor();
  await page.getByText('Central Station', { exact: true }).waitFor();
  await taps(page);
  await page.getByText(say('officer.not_sent')).waitFor();
  await page.getByRole('link', { name: new RegExp(DUTY_NUMBER) }).first().waitFor();
  await page.reload();
  await page.getByText(say('officer.not_sent')).waitFor();
  await shot(page, 'story-officer-offline-phone-night');

  // A second tab of the same browser has the same queue: whichever sends it, it is one callout.
  const other = await context.newPage();
  await other.goto('/#/callout');
  await other.getByText(say('officer.not_sent')).waitFor();
  await context.setOffline(false);
  await page.getByText(say('officer.duplicate')).waitFor({ timeout: 30_000 });
  await other.getByText(say('officer.not_sent')).waitFor({ state: 'detached' });
  await other.close();
  await shot(page, 'story-officer-duplicate-phone-night');
  await page.getByRole('button', { name: say('officer.merge') }).tap();
  await page.getByText(say('officer.duplicate')).waitFor({ state: 'detached' });
}
