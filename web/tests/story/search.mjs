// What was written is nowhere in the clear: not on the wire, not in a browser, not on a console, not with the server. The same
// search does find what may be known, in each of these places, and a mark in any of its guises.
import assert from 'node:assert/strict';
import { files, guises, kept, search } from '../harness/canary.mjs';
import { idBytes } from '../harness/device.mjs';
import { PASSPHRASE } from '../harness/people.mjs';

export async function nothingIsFound(night, canaries, { callout, callBack, room }) {
  const { overheard, people, server } = night;
  const spoken = 'a line that this test says';
  await people.get('Advocate 1').page.evaluate((line) => console.info(line), spoken);
  await overheard.settled();
  const stored = [];
  for (const [who, { page }] of people) stored.push(...(await kept(page, who)));
  const serverSide = [...files(server.data).map(([name, text]) => [`server ${name}`, text]), ['server log', server.logged.join('\n')]];
  const everywhere = [...overheard.heard, ...stored, ...serverSide];

  const found = [...canaries.planted, ['passphrase', PASSPHRASE]].flatMap(([name, mark]) => search(mark, everywhere).map((where) => `${name}: ${where}`));
  assert.deepEqual([...new Set(found)], []);

  const places = (text) => search(text, everywhere).join('\n');
  const expected = [
    [callBack, /Officer 1 request body/],
    [callBack, /Officer 1 answer \/v1\/callouts/],
    [callBack, /Officer 1 IndexedDB firstlight-duty kept/],
    [callBack, /server .*\.db/],
    ['firstlight.theme', /Officer 1 localStorage/],
    ['<!doctype html>', /Officer 1 cache \/index\.html/i],
    // Frames are CBOR, in which an id is its bytes.
    [idBytes(room).toString('latin1'), /Advocate 2 frame received/],
    [idBytes(room).toString('latin1'), /Caseworker 1 frame received/],
    [idBytes(callout).toString('latin1'), /Advocate 1 frame received/],
    ['hello', /Advocate 2 frame sent/],
    ['/seen', /Advocate 2 service worker POST/],
    [spoken, /Advocate 1 console/],
    ['listening', /server log/],
  ];
  for (const [text, where] of expected) assert.match(places(text), where, `the search does not find ${text}`);

  const mark = [...canaries.planted.values()][0];
  for (const guise of guises(mark)) assert.deepEqual(search(mark, [['here', `before ${guise} after`]]), ['here']);
  assert.deepEqual(search(mark, [['here', Buffer.from(`{"a":"${mark}"}`).toString('base64')]]), ['here']);
}
