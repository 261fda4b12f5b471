// The night's screens on locked devices: how long until they can be used, and how long a tap takes to arrive.
import { open } from '../harness/browser.mjs';
import { ASKED, foundWorld } from '../harness/cast.mjs';
import { newId } from '../harness/device.mjs';
import { useInvite } from '../harness/people.mjs';
import { figure, slowPhone, spread } from './figures.mjs';

const LONG = 120_000;

export async function measureDuty(browser, quick) {
  const world = await foundWorld();
  try {
    for (const [who, ready] of [
      ['Officer 1', (page) => page.getByRole('button', { name: 'Call an advocate' })],
      ['Advocate 1', (page) => page.getByText('On duty', { exact: true })],
    ]) {
      await startUp(browser, world, who, ready);
    }
    await tapToReceipt(browser, world, quick ? 3 : 15);
    await acceptToOfficer(browser, world, quick ? 3 : 15);
    await acceptToUnlocked(browser, world, quick ? 3 : 15);
  } finally {
    await world.stop();
  }
}

/** From an address to a screen that answers: with nothing in the cache, and again from the service worker. */
async function startUp(browser, world, who, ready) {
  const { page, context } = await open(browser, world, world.people[who], { at: '/v1/health/live', serviceWorkers: 'block' });
  page.setDefaultTimeout(LONG);
  await slowPhone(page);
  const began = Date.now();
  await page.goto('/');
  await ready(page).waitFor();
  figure(`${who}'s screen, slow phone (CPU/4, 400 kbit/s, 400 ms), empty cache`, (Date.now() - began) / 1000, 's');
  await context.close();

  const again = await open(browser, world, world.people[who]);
  again.page.setDefaultTimeout(LONG);
  await ready(again.page).waitFor();
  await again.page.evaluate(() => navigator.serviceWorker.ready);
  await slowPhone(again.page);
  const restarted = Date.now();
  await again.page.reload();
  await ready(again.page).waitFor();
  figure(`${who}'s screen, slow phone, from the cache`, (Date.now() - restarted) / 1000, 's');
  await again.context.close();
}

const act = (world, who, id, action) => world.people[who].request('POST', `/v1/callouts/${id}/actions`, { id: newId('act'), action });
const cancel = (world, id) => act(world, 'Supervisor 1', id, { do: 'cancel', reason: 'mistake' });
const newest = async (world) => (await world.people['Supervisor 1'].request('GET', '/v1/callouts')).callouts[0];

/** From the server's answer to an acceptance until the page says that somebody comes. */
async function seenAfterAccepting(world, page, id) {
  await page.getByText('An advocate is being called', { exact: true }).waitFor();
  // Noticed in the page, when it is drawn: looking from here takes longer than what is measured.
  const seen = page.evaluate(
    () =>
      new Promise((resolve) => {
        const look = () => (document.body.innerText.includes('An advocate is coming') ? resolve(Date.now()) : requestAnimationFrame(look));
        look();
      }),
  );
  await act(world, 'Advocate 1', id, { do: 'accept', eta_minutes: 35 });
  const accepted = Date.now();
  const took = (await seen) - accepted;
  await cancel(world, id);
  return took;
}

async function fill(page) {
  const form = page.locator('form');
  await page.getByRole('button', { name: 'Call an advocate' }).waitFor();
  await form.getByText('Central Station', { exact: true }).tap();
  await form.getByText('15–17', { exact: true }).tap();
  for (const [group, answer] of [[/scene safe/, 'Yes'], [/Emergency services/, 'No']]) {
    await page.getByRole('radiogroup', { name: group }).getByText(answer, { exact: true }).tap();
  }
  // Remembered after the first time, and folded away.
  const number = page.getByLabel('Your call-back number');
  if (await number.isVisible()) await number.fill('555-0111');
}

/** From the officer's finger to the server's durable answer: the tap is written down in the browser before it is sent. */
async function tapToReceipt(browser, world, count) {
  const { page, context } = await open(browser, world, world.people['Officer 1']);
  const took = [];
  for (let n = 0; n < count; n += 1) {
    await page.goto('/');
    await page.reload();
    await fill(page);
    await page.evaluate(() => {
      addEventListener('click', () => (window.tapped ??= performance.timeOrigin + performance.now()), { capture: true });
    });
    const answered = page.waitForResponse((one) => one.url().endsWith('/v1/callouts') && one.request().method() === 'POST');
    await page.getByRole('button', { name: 'Call an advocate' }).tap();
    const timing = (await answered).request();
    await (await answered).finished();
    took.push(timing.timing().startTime + timing.timing().responseEnd - (await page.evaluate(() => window.tapped)));
    await cancel(world, (await newest(world)).id);
  }
  spread('tap → server receipt, browser', took, 'ms');
  await context.close();
}

/** From an acceptance to the officer's screen, which asks every second while its device is locked. */
async function acceptToOfficer(browser, world, count) {
  const { page, context } = await open(browser, world, world.people['Officer 1']);
  const took = [];
  for (let n = 0; n < count; n += 1) {
    const id = newId('call');
    await world.people['Officer 1'].request('POST', '/v1/callouts', {
      id,
      routing: { ...ASKED, first_contact_at: Date.now() },
    });
    await page.goto(`/#/callout/${id}`);
    took.push(await seenAfterAccepting(world, page, id));
  }
  spread("accept → locked officer's screen, browser", took, 'ms');
  await context.close();
}

/** The same for an unlocked device, whose engine has a socket. */
async function acceptToUnlocked(browser, world, count) {
  const { link } = await world.police.run(['invite', 'create', '--role', 'police-officer', '--name', 'Officer 3']);
  const { page, context } = await useInvite(browser, world, link);
  await world.police.run(['devices', 'approve', '--all']);
  page.setDefaultTimeout(LONG);
  const took = [];
  for (let n = 0; n < count; n += 1) {
    await page.goto('/#/callout');
    await fill(page);
    await page.getByRole('button', { name: 'Call an advocate' }).tap();
    await page.getByText('An advocate is being called', { exact: true }).waitFor();
    took.push(await seenAfterAccepting(world, page, (await newest(world)).id));
  }
  spread("accept → unlocked officer's screen, browser", took, 'ms');
  await context.close();
}
