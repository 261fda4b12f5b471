// Rooms in browsers, with the real engine: one of many people, and thousands of messages after an absence.
import { openTab } from '../harness/engine.mjs';
import { unlock } from '../harness/people.mjs';
import { cli, startServer } from '../harness/server.mjs';
import { figure, say } from './figures.mjs';

const PASSPHRASE = 'quiet river lantern oak';
const KEY = { by: 'passphrase', passphrase: PASSPHRASE };
/** Joining at the same time: each is a process that waits for the admin. */
const AT_ONCE = 14;
/** Sent before the first of them has to be acknowledged. */
const UNSENT = 200;
const MINUTE = 60_000;
const LONG = { timeout: 10 * MINUTE, polling: 50 };

export async function measureRooms(browser, quick) {
  const server = await startServer();
  const contexts = [];
  try {
    const admin = cli(server, 'Admin 1');
    await admin.run(
      ['org', 'create', '--server', server.url, '--kind', 'victim_services', '--name', 'Agency A', '--admin-name', 'Admin 1', '--bootstrap-file', server.bootstrap],
    );
    const tab = async () => {
      contexts.push(await browser.newContext({ serviceWorkers: 'block', baseURL: server.url, locale: 'en-US' }));
      return openTab(contexts.at(-1), server);
    };
    const [writer, reader] = [await tab(), await tab()];
    await inBrowser(admin, writer, 'Advocate 1');
    await inBrowser(admin, reader, 'Advocate 2');
    await manyPeople(server, admin, quick ? 8 : 98);
    await openLarge(writer, reader);
    await catchUp(writer, reader, quick ? 500 : 10_000);
  } finally {
    await Promise.all(contexts.map((context) => context.close()));
    await server.stop();
  }
}

const connected = (tab) => tab.page.waitForFunction(() => window.events.some((one) => one.event === 'connected'), undefined, LONG);

/** Waits for a line, in the page: thousands of events are not carried here to be looked at. */
const heard = (tab, text) =>
  tab.page.waitForFunction((text) => window.events.some((one) => one.event === 'line' && one.line.body.text === text), text, LONG);

const invited = async (admin, name) => (await admin.run(['invite', 'create', '--role', 'advocate', '--name', name])).link;

async function inBrowser(admin, tab, name) {
  await tab.call('create', KEY);
  await tab.call('join', { link: await invited(admin, name) });
  await admin.run(['devices', 'approve', '--all']);
  await connected(tab);
}

async function manyPeople(server, admin, count) {
  say(`browser: ${count} people join by the command line`);
  for (let first = 0; first < count; first += AT_ONCE) {
    const names = Array.from({ length: Math.min(AT_ONCE, count - first) }, (_, n) => `Advocate ${first + n + 3}`);
    const devices = names.map((name) => cli(server, name));
    for (const [n, device] of devices.entries()) await device.run(['join', '--no-wait', await invited(admin, names[n])]);
    await admin.run(['devices', 'approve', '--all']);
    await Promise.all(devices.map((device) => device.run(['join'])));
  }
}

/** A room of everybody: made in one browser, opened by a tap in another one. */
async function openLarge(writer, reader) {
  const { people } = await writer.call('people');
  const me = (await writer.call('status')).me.person;
  const others = people.filter((one) => one.role === 'advocate' && one.person !== me).map((one) => one.person);
  const size = others.length + 1;
  const began = Date.now();
  const { summary } = await writer.call('create_room', { kind: 'advocate', name: 'Everybody', people: others });
  figure(`room of ${size} made in a browser`, (Date.now() - began) / 1000, 's');
  await writer.call('send', { room: summary.room, text: 'The first line' });
  await heard(reader, 'The first line');

  const context = reader.page.context();
  await reader.page.close();
  const page = await context.newPage();
  page.setDefaultTimeout(MINUTE);
  await page.goto('/#/rooms');
  await unlock(page, PASSPHRASE);
  const row = page.getByRole('link', { name: /Everybody/ });
  await row.waitFor();
  const tapped = Date.now();
  await row.click();
  await page.getByText('The first line').last().waitFor();
  await page.getByRole('heading', { name: 'Everybody' }).waitFor();
  figure(`room of ${size} opened, tap → lines`, Date.now() - tapped, 'ms');
  await page.close();
}

/** Everything that was said while a device was locked. */
async function catchUp(writer, reader, count) {
  const names = (await writer.call('people')).people;
  const other = names.find((one) => one.work_name === 'Advocate 2').person;
  const { summary } = await writer.call('create_room', { kind: 'advocate', name: 'Two', people: [other] });
  const context = reader.page.context();
  const tab = await openTab(context, { url: new URL(writer.page.url()).origin });
  await tab.call('unlock', KEY);
  await connected(tab);
  await writer.call('send', { room: summary.room, text: 'Before' });
  await heard(tab, 'Before');
  await tab.call('lock');

  say(`browser: ${count} messages are sent to somebody who is away`);
  const began = Date.now();
  for (let first = 0; first < count; first += UNSENT) {
    const last = Math.min(first + UNSENT, count) - 1;
    for (let n = first; n < last; n += 1) void writer.call('send', { room: summary.room, text: `message ${n}` });
    const { id } = await writer.call('send', { room: summary.room, text: `message ${last}` });
    await writer.page.waitForFunction((id) => window.events.some((one) => one.event === 'sent' && one.id === id), id, LONG);
    await writer.page.evaluate(() => (window.events.length = 0));
  }
  figure(`${count} messages encrypted, kept and sent by a browser`, count / ((Date.now() - began) / 1000), 'per s');

  await tab.page.evaluate(() => (window.events.length = 0));
  await tab.call('unlock', KEY);
  const back = Date.now();
  await heard(tab, `message ${count - 1}`);
  figure(`${count} messages caught up in a browser, decrypted and kept`, (Date.now() - back) / 1000, 's', count === 10_000 ? 6 : undefined);
  const { lines } = await tab.call('lines', { room: summary.room, limit: UNSENT });
  const texts = lines.map((line) => line.body.text);
  const expected = Array.from({ length: texts.length }, (_, n) => `message ${count - texts.length + n}`);
  if (texts.join() !== expected.join()) throw new Error(`not in order: ${texts.slice(-10)}`);
}
