// The people of the stories: a host organisation and a police agency, founded with the command line.
import { cli, startServer } from './server.mjs';
import { enrol } from './device.mjs';

export const DUTY_NUMBER = '555-0100';

/** What a callout asks for, but for when the first contact was. */
export const ASKED = {
  zone: 'north',
  site: 'station-1',
  call_back: '555-0111',
  young_people: 1,
  age_band: 'late',
  languages: [],
  preference: 'any',
  scene_safe: true,
  emergency_needed: false,
  wanted: 1,
};

/** A policy whose night lasts as long as a test wants: one minute of it is `minute` ms. */
export function policy(minute = 60_000) {
  const timers = { repeat_every_ms: 1, backup_after_ms: 3, supervisor_after_ms: 6, everyone_after_ms: 10, slow_repeat_ms: 3 };
  return {
    duty_number: DUTY_NUMBER,
    timers: Object.fromEntries(Object.entries(timers).map(([name, minutes]) => [name, minutes * minute])),
    zones: ['north', 'south', 'harbor'],
    sites: ['station-1', 'station-2', 'hospital-1', 'youth-center'],
    places: {
      'station-1': { name: 'Central Station', zone: 'north' },
      'station-2': { name: 'South Station', zone: 'south' },
      'hospital-1': { name: 'County Hospital', zone: 'north' },
      'youth-center': { name: 'Youth Center', zone: 'harbor' },
    },
  };
}

/** Founds both organisations and enrols one device for each of `people`: `[name, role]`. */
export async function foundWorld({ minute } = {}) {
  const server = await startServer();
  try {
    return await found(server, minute);
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function found(server, minute) {
  const admin = cli(server, 'Admin 1');
  const police = cli(server, 'Admin 2');
  await admin.run(
    ['org', 'create', '--server', server.url, '--kind', 'victim_services', '--name', 'Agency A', '--admin-name', 'Admin 1', '--bootstrap-file', server.bootstrap],
  );
  const { link } = await admin.run(['invite', 'partner', '--kind', 'law_enforcement', '--name', 'Agency B']);
  await police.run(['org', 'create', '--kind', 'law_enforcement', '--name', 'Agency B', '--admin-name', 'Admin 2', '--invite', link]);
  await admin.run(['org', 'approve', '--all']);

  const people = {};
  const join = async (by, list) => {
    const waiting = [];
    for (const [name, role] of list) {
      const made = await by.run(['invite', 'create', '--role', role, '--name', name]);
      waiting.push([name, await enrol(server, made.link)]);
    }
    await by.run(['devices', 'approve', '--all']);
    for (const [name, device] of waiting) people[name] = await device.finish();
  };
  await join(admin, [['Advocate 1', 'advocate'], ['Advocate 2', 'advocate'], ['Supervisor 1', 'supervisor']]);
  await join(police, [['Officer 1', 'police_officer'], ['Officer 2', 'police_officer']]);

  await admin.run(['policy', 'set', '-'], JSON.stringify(policy(minute)));
  const shift = (id, tier, name) => ({
    id,
    tier,
    person: people[name].me.person,
    repeat: 'daily',
    from: '2026-01-01T00:00:00',
    until: '2026-01-02T00:00:00',
  });
  const shifts = [shift('first', 'primary', 'Advocate 1'), shift('second', 'backup', 'Advocate 2'), shift('third', 'supervisor', 'Supervisor 1')];
  await admin.run(['rota', 'set', '-'], JSON.stringify({ tz: 'America/Los_Angeles', shifts }));
  return { server, admin, police, people, stop: () => server.stop() };
}
