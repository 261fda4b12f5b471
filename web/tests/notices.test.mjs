// Another agency's part: it is told of a callout, says that it knows, and sees nothing else of it.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { axe, PHONE, shot, smallTargets, startBrowser } from './harness/browser.mjs';
import { foundWorld, policy } from './harness/cast.mjs';
import { newId } from './harness/device.mjs';
import { isIn, useInvite } from './harness/people.mjs';
import { cli } from './harness/server.mjs';

describe('a child welfare worker', () => {
  let world, browser, worker, agency;
  before(async () => {
    [world, browser] = await Promise.all([foundWorld(), startBrowser()]);
    const admin = cli(world.server, 'Admin 3');
    const { link } = await world.admin.run(['invite', 'partner', '--kind', 'child_welfare', '--name', 'Agency C']);
    await admin.run(['org', 'create', '--kind', 'child_welfare', '--name', 'Agency C', '--admin-name', 'Admin 3', '--invite', link]);
    await world.admin.run(['org', 'approve', '--all']);
    agency = (await admin.run(['me'])).org;
    const made = await admin.run(['invite', 'create', '--role', 'child_welfare_worker', '--name', 'Worker 1']);
    worker = await useInvite(browser, world, made.link, { size: PHONE, theme: 'day' });
    await admin.run(['devices', 'approve', '--all']);
    await isIn(worker.page);
    const times = { remind_every_ms: 600_000, escalate_after_ms: 1_800_000, give_up_alarm_after_ms: 3_600_000 };
    const { version } = await world.people['Supervisor 1'].request('GET', '/v1/policy');
    await world.people['Supervisor 1'].request('PUT', '/v1/policy', { version, policy: { ...policy(), agency_notices: [{ agency, ...times }] } });
  });
  after(async () => {
    await browser?.close();
    await world?.stop();
  });

  it('is told of a callout, and says that the agency knows', async () => {
    const { page, problems } = worker;
    await page.getByRole('heading', { name: 'No notices' }).waitFor();
    await shot(page, 'notices-empty-phone-day');
    const id = newId('call');
    const routing = {
      call_back: '555-0111', zone: 'north', site: 'station-1', first_contact_at: Date.now(), young_people: 1, age_band: 'late',
      languages: [], preference: 'any', scene_safe: true, emergency_needed: false, wanted: 1,
    };
    await world.people['Officer 1'].request('POST', '/v1/callouts', { id, routing });
    const seen = () => world.people['Supervisor 1'].request('GET', `/v1/callouts/${id}`);
    const { reference } = await seen();
    await page.getByRole('heading', { name: `Callout ${reference}` }).waitFor();
    await page.getByText('Not answered yet').waitFor();
    assert.ok(!(await page.innerText('main')).includes('Central Station'));
    await shot(page, 'notices-phone-day');
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(await smallTargets(page), []);
    await page.getByRole('button', { name: 'We know' }).tap();
    await page.getByText(/You know, since/).waitFor();
    const [status] = (await seen()).agency_notices;
    assert.equal(status.notice.agency, agency);
    assert.ok(status.notice.acknowledged_at > 0);
    assert.deepEqual(problems.filter((line) => !line.includes('Failed to load resource')), []);
  });
});
