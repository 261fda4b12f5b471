// The advocates' part: one sleeps through it, the other is woken by a push, and goes.
import assert from 'node:assert/strict';
import { shot, smallTargets } from '../harness/browser.mjs';
import { unlock } from '../harness/people.mjs';
import { deliver, showing, shown } from '../harness/push.mjs';
import { english, eventually, hold, rung, spanish as say } from './steps.mjs';

/** The backup locks her telephone and closes the app. */
export async function goesToSleep(night) {
  const page = night.page('Advocate 2');
  await page.context().grantPermissions(['notifications']);
  await page.goto('/#/settings/lock');
  await page.getByRole('button', { name: say('lock.setting_lock_now') }).click();
  await page.getByRole('heading', { name: say('lock.title') }).waitFor();
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.goto('about:blank');
}

/** The primary's telephone rings, and nobody touches it. */
export async function sleepsThrough(night) {
  const page = night.page('Advocate 1');
  await rung(page, english).waitFor({ timeout: 30_000 });
  const words = await rung(page, english).innerText();
  assert.doesNotMatch(words, /Central|North|12|Spanish|zq7/i, 'the page says something of the callout');
  await shot(page, 'story-page-phone-night', { fullPage: false });
}

/** The callout as the supervisor's board was told of it, once that has what is looked for. */
const onBoard = (night, callout, what, look) =>
  eventually(what, () => {
    const one = night.overheard.answers('/v1/callouts', 'Supervisor 1').at(-1)?.callouts?.find(({ id }) => id === callout);
    return one && look(one);
  }, 60_000);

/** The backup's page is ordered; a push brings it to a telephone on which the app is closed. */
export async function isWoken(night, callout) {
  const page = night.page('Advocate 2');
  const origin = night.server.url;
  const ordered = await onBoard(night, callout, 'the backup’s page', ({ responders, pages }) => {
    const person = responders?.find((one) => one.work_name === 'Advocate 2')?.person;
    return person && pages?.find((one) => one.person === person);
  });
  await deliver(page, origin, { kind: 'page', page: ordered.id, text: 'Duty: respond' });
  // As when she touches the notification: the app opens, locked as it is.
  await page.goto('/#/duty');
  await showing(page, 1);
  assert.deepEqual((await shown(page)).map(({ title, body }) => [title, body]), [['Guardia: responda', '']]);
  await rung(page, say).waitFor();
  await onBoard(night, callout, 'the receipt', ({ pages }) => pages.some((one) => one.id === ordered.id && one.delivered_at));
  await shot(page, 'story-page-phone-night-es', { fullPage: false });
}

/** She goes, without having unlocked anything: over a lost connection and a reload in the middle of the answer. */
export async function accepts(night) {
  const page = night.page('Advocate 2');
  const going = new RegExp(say('responder.accept', { length: '' }));
  await page.context().route('**/actions', (route) => route.abort());
  await hold(page, going, page.getByText(say('responder.not_sent'), { exact: true }));
  await shot(page, 'story-not-sent-phone-night-es', { fullPage: false });
  await page.reload();
  await rung(page, say).waitFor();
  await page.context().unroute('**/actions');
  await page.getByText('45 min', { exact: true }).tap();
  const woken = Date.now();
  await hold(page, going, page.getByText(say('responder.now_accepted')));
  // Five seconds are what DOMAIN.md asks of a telephone; a busy machine that plays six of them gets some more.
  assert.ok(Date.now() - woken < 15_000, 'accepting took long');
  assert.equal(await page.locator('input[type=password]').count(), 0);
  assert.deepEqual(await smallTargets(page), []);
  await showing(page, 0);
  await shot(page, 'story-accepted-locked-phone-night-es');
}

/** The officer sees who comes, and when; the primary's telephone falls silent. */
export async function everybodyKnows(night) {
  const officer = night.page('Officer 1');
  await officer.getByText('Advocate 2').first().waitFor();
  await officer.getByText(/in 4[345] min/).waitFor();
  await shot(officer, 'story-officer-accepted-phone-night');
  const primary = night.page('Advocate 1');
  await rung(primary, english).waitFor({ state: 'detached' });
  await primary.getByText(english('responder.stood_down')).waitFor();
  await shot(primary, 'story-stood-down-phone-night');
}

/** After the unlock she reads what the officer wrote. */
export async function readsDetails(night, details) {
  const page = night.page('Advocate 2');
  await page.getByRole('link', { name: say('details.unlock') }).click();
  await unlock(page);
  for (const field of Object.values(details)) await page.getByText(field).first().waitFor({ timeout: 30_000 });
  await shot(page, 'story-details-phone-night-es');
}

/** One button for each next state, which the officer follows; then the end. */
export async function goesThroughIt(night) {
  const page = night.page('Advocate 2');
  const officer = night.page('Officer 1');
  await page.goto('/#/duty');
  for (const [button, state] of [['en_route', 'en_route'], ['arrived', 'arrived'], ['with_young_person', 'with_young_person'], ['hand_over', 'handed_over']]) {
    await page.getByRole('button', { name: say(`responder.do_${button}`) }).click();
    await page.getByText(say(`responder.now_${state}`), { exact: true }).waitFor();
    await officer.getByText(english(`officer.headline_${state}`), { exact: true }).first().waitFor();
    if (state === 'with_young_person') await shot(page, 'story-with-young-person-phone-night-es');
  }
  await page.getByRole('button', { name: say('responder.do_close'), exact: true }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText(say('responder.support_accepted'), { exact: true }).click();
  await dialog.getByRole('button', { name: say('officer.more') }).click();
  await shot(page, 'story-close-phone-night-es', { fullPage: false });
  await dialog.getByRole('button', { name: say('responder.do_close') }).click();
  await officer.getByText(english('officer.headline_closed'), { exact: true }).first().waitFor();
  await shot(officer, 'story-officer-closed-phone-night');
}
