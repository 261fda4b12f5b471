// One night, as `deploy/demo --once` plays it, through real pages alone: nobody has anything but a browser and the link that
// an admin gave them, but for one who has the command line. Afterwards, what was written is searched for everywhere.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { DESKTOP, shot } from './harness/browser.mjs';
import { Canaries } from './harness/canary.mjs';
import { foundBoth, joinAll, joinByCommand, setPolicy, setRota, startNight } from './harness/night.mjs';
import { cli } from './harness/server.mjs';
import * as answer from './story/answer.mjs';
import * as call from './story/call.mjs';
import { nothingIsFound } from './story/search.mjs';
import * as talk from './story/talk.mjs';
import * as watch from './story/watch.mjs';

describe('a night in browsers', () => {
  const canaries = new Canaries();
  let night, device, callout, reference, details, team;
  before(async () => {
    night = await startNight();
    device = cli(night.server, 'Caseworker 2');
  });
  after(() => night?.stop());

  // Each chapter goes on from the one before: after one that failed there is nothing left to tell.
  let broken = false;
  const chapter = (name, play) =>
    it(name, async (test) => {
      if (broken) return test.skip('a chapter before failed');
      broken = true;
      await play();
      broken = false;
    });

  chapter('begins with an empty server, on which two organisations are founded', () => foundBoth(night));

  chapter('is joined by everybody with a link and a passphrase, and by one with the command line', async () => {
    await joinAll(night);
    await joinByCommand(night, device, 'Caseworker');
  });

  chapter('has places, timers and a rota', async () => {
    const admin = night.page('Admin 1');
    await setPolicy(admin, { dutyNumber: call.DUTY_NUMBER, backupAfter: 20, again: 10 });
    await setRota(admin, [['Primary', 'Advocate 1'], ['Backup', 'Advocate 2'], ['Supervisor', 'Supervisor 1']]);
    await shot(admin, 'story-rota-desktop-night');
    await answer.goesToSleep(night);
    await night.page('Advocate 1').goto('/#/duty');
    await night.page('Supervisor 1').goto('/#/board');
    await shot(night.page('Supervisor 1'), 'story-board-quiet-desktop-night');
  });

  chapter('begins: the officer calls with six taps, and sends the address encrypted', async () => {
    callout = await call.opens(night);
    const rings = answer.sleepsThrough(night);
    details = await call.writesDetails(night, canaries);
    await rings;
    reference = await night.page('Officer 1').locator('.reference').innerText();
    await watch.seesItCalled(night, reference);
  });

  chapter('wakes the backup by a push, who goes without unlocking anything', async () => {
    await answer.isWoken(night, callout);
    await answer.accepts(night);
    await answer.everybodyKnows(night);
    await watch.seesWhoGoes(night, reference);
    await answer.readsDetails(night, details);
  });

  chapter('is talked about in the callout’s room, online and not', async () => {
    await talk.inTheCalloutRoom(night, canaries);
    await talk.writesOffline(night, canaries);
  });

  chapter('is called a second time without a network: once, and merged', () => call.callsOffline(night, callout));

  chapter('is talked about where police can’t be, with the command line, in two tabs', async () => {
    team = await talk.inTheTeamRoom(night, canaries, device);
    await talk.inTwoTabs(night, canaries, team);
  });

  chapter('goes on to the end, and is looked back on', async () => {
    await night.page('Officer 1').goto(`/#/callout/${callout}`);
    await answer.goesThroughIt(night);
    await watch.reviews(night, callout);
    // All that the board was ever told of.
    const told = night.overheard.answers('/v1/callouts', 'Supervisor 1').flatMap(({ callouts }) => callouts ?? []);
    assert.equal(new Set(told.map(({ id }) => id)).size, 2);
  });

  chapter('ends for a device that is revoked while it is open', () => talk.isRevoked(night, team));

  chapter('left nothing of what was written anywhere', () => nothingIsFound(night, canaries, { callout, callBack: call.CALL_BACK, room: team.room }));

  chapter('said nothing in any console', () => {
    // Chromium's own words about answers that are no 2xx, and about requests without a network.
    const own = [...night.people].flatMap(([who, { problems }]) => problems.map((line) => `${who}: ${line}`));
    assert.deepEqual(own.filter((line) => !line.includes('Failed to load resource') && !line.includes('WebSocket connection')), []);
  });
});
