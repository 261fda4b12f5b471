// Rooms: the callout's, with police in it, and the advocates' own, without; browsers and a command line beside each other.
import assert from 'node:assert/strict';
import { shot } from '../harness/browser.mjs';
import { unlock } from '../harness/people.mjs';
import { english, enter, eventually, reads, spanish, writes } from './steps.mjs';

const details = (page, say) => page.getByText(say('rooms.details_title'));

/** The officer and the advocate talk in the callout's room. */
export async function inTheCalloutRoom(night, canaries) {
  const [officer, advocate] = [night.page('Officer 1'), night.page('Advocate 2')];
  await enter(advocate, new RegExp(spanish('words.room_callout')));
  await advocate.getByText(spanish('rooms.banner_police')).waitFor();
  await details(advocate, spanish).first().waitFor();
  const coming = canaries.plant('coming');
  await writes(advocate, coming, spanish);
  await enter(officer, new RegExp(english('words.room_callout')));
  await reads(officer, coming);
  const door = canaries.plant('door');
  await writes(officer, door);
  await reads(advocate, door, spanish);
  await shot(advocate, 'story-callout-room-phone-night-es', { fullPage: false });
  await shot(officer, 'story-callout-room-phone-night', { fullPage: false });
}

/** She writes without a network; it goes out by itself, once. */
export async function writesOffline(night, canaries) {
  const [officer, advocate] = [night.page('Officer 1'), night.page('Advocate 2')];
  const late = canaries.plant('late');
  await advocate.context().setOffline(true);
  await advocate.getByRole('textbox', { name: spanish('rooms.write') }).fill(late);
  await advocate.getByRole('button', { name: spanish('rooms.send') }).click();
  await advocate.getByText(new RegExp(`${spanish('rooms.waiting_network')}|${spanish('rooms.sending')}`)).first().waitFor();
  await shot(advocate, 'story-room-offline-phone-night-es', { fullPage: false });
  await advocate.context().setOffline(false);
  await reads(officer, late);
  await reads(advocate, late, spanish);
  assert.equal(await officer.locator('.text', { hasText: late }).count(), 1);
}

/** The advocates' own room: a browser in Spanish, one in English, and a command line. Police can't be chosen. */
export async function inTheTeamRoom(night, canaries, device) {
  const [advocate, caseworker] = [night.page('Advocate 2'), night.page('Caseworker 1')];
  const name = canaries.plant('roomname');
  await advocate.goto('/#/rooms/new');
  await advocate.getByRole('radio', { name: new RegExp(spanish('words.room_advocate')) }).check();
  await advocate.getByLabel(spanish('rooms.create_name')).fill(name);
  for (const who of ['Caseworker 1', device.who]) await advocate.getByRole('checkbox', { name: new RegExp(who) }).check();
  await advocate.getByText(spanish('rooms.pick_cannot')).click();
  assert.equal(await advocate.getByRole('checkbox', { name: /Officer 1/ }).count(), 0);
  await advocate.getByText(spanish('rooms.why_police'), { exact: false }).first().waitFor();
  await shot(advocate, 'story-new-room-phone-night-es');
  await advocate.getByRole('button', { name: spanish('rooms.create_do') }).click();
  await advocate.getByRole('heading', { name }).waitFor({ timeout: 30_000 });
  await advocate.getByText(spanish('rooms.banner_never')).waitFor();
  const plan = canaries.plant('plan');
  await writes(advocate, plan, spanish);

  const room = advocate.url().split('/').at(-1);
  const heard = await eventually('the message on the command line', async () => {
    await device.run(['sync']);
    const read = await device.run(['room', 'read', room]).catch(() => undefined);
    return read && JSON.stringify(read.lines).includes(plan);
  });
  assert.ok(heard);
  const bed = canaries.plant('bed');
  await device.run(['room', 'send', room, bed]);
  await reads(advocate, bed, spanish);

  await enter(caseworker, new RegExp(name));
  await reads(caseworker, plan);
  await reads(caseworker, bed);
  const answer = canaries.plant('answer');
  await writes(caseworker, answer);
  await reads(advocate, answer, spanish);
  await eventually('the answer on the command line', async () => {
    await device.run(['sync']);
    return JSON.stringify(await device.run(['room', 'read', room])).includes(answer);
  });
  await shot(caseworker, 'story-team-room-desktop-day');
  await shot(advocate, 'story-team-room-phone-night-es', { fullPage: false });
  return { room, name, plan };
}

/** A second tab of the caseworker's: one writes at a time, and nothing is lost between them. */
export async function inTwoTabs(night, canaries, { name, plan }) {
  const first = night.page('Caseworker 1');
  const second = await first.context().newPage();
  await second.goto('/#/rooms');
  await second.getByRole('heading', { name: english('lock.other_title') }).waitFor();
  await shot(second, 'story-other-tab-desktop-day');
  await second.getByRole('button', { name: english('lock.other_take') }).click();
  await unlock(second);
  await first.getByRole('heading', { name: english('lock.other_title') }).waitFor();
  await enter(second, new RegExp(name));
  await reads(second, plan);
  await writes(second, canaries.plant('secondtab'));
  await second.close();
  await first.goto('/#/rooms');
  await first.reload();
  await unlock(first);
  await enter(first, new RegExp(name));
  await reads(first, canaries.planted.get('secondtab'));
}

/** The admin revokes a device that is open: what its page says, and what the others see. */
export async function isRevoked(night, { name, plan }) {
  const [admin, caseworker, advocate] = [night.page('Admin 1'), night.page('Caseworker 1'), night.page('Advocate 2')];
  await admin.goto('/#/admin/people');
  await admin.getByRole('link', { name: /^Caseworker 1/ }).click();
  await admin.getByRole('button', { name: english('admin.revoke'), exact: true }).click();
  await admin.getByRole('dialog').getByRole('button', { name: english('admin.revoke') }).click();
  await admin.getByText(/^Revoked [A-Z]/).waitFor();
  await caseworker.getByRole('heading', { name: english('lock.revoked_title') }).waitFor({ timeout: 20_000 });
  // Nothing of the rooms is on the screen any more, over a reload too; nothing was wiped behind anybody's back.
  assert.ok(!(await caseworker.content()).includes(plan));
  await shot(caseworker, 'story-revoked-desktop-day');
  await caseworker.reload();
  await caseworker.goto('/#/rooms');
  await unlock(caseworker);
  await caseworker.getByRole('heading', { name: english('lock.revoked_title') }).waitFor();
  await enter(advocate, new RegExp(name));
  const left = (key) => spanish(key, { who: '', people: '' }).trim();
  await advocate.getByText(new RegExp(`(${left('rooms.removed_by')}|${left('rooms.removed')}).*Caseworker 1`)).first().waitFor({ timeout: 20_000 });
  await shot(advocate, 'story-member-removed-phone-night-es', { fullPage: false });
}
