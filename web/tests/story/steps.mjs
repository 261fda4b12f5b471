// What people do again and again, found by the app's own words.
import { words } from '../harness/words.mjs';

export const english = words();
export const spanish = words('es');

/** Holds the button until the page shows that it was heard. */
export async function hold(page, name, until) {
  const button = page.getByRole('button', { name });
  await button.scrollIntoViewIfNeeded();
  const box = await button.boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.down();
  await until.waitFor({ timeout: 30_000 });
  await page.mouse.up();
}

/** The page that fills the screen. */
export const rung = (page, say = english) => page.getByRole('dialog', { name: say('responder.page') });

const line = (page, text, say) => page.getByRole('region', { name: say('rooms.lines') }).locator('.text', { hasText: text });

/** A line of the room that is open arrives on this screen. */
export const reads = (page, text, say = english) => line(page, text, say).waitFor({ timeout: 30_000 });

/** Writes into the room that is open, and sees it stand there. */
export async function writes(page, text, say = english) {
  await page.getByRole('textbox', { name: say('rooms.write') }).fill(text);
  await page.getByRole('button', { name: say('rooms.send') }).click();
  await reads(page, text, say);
}

/** Opens a room from the list, by a part of what the list says of it. */
export async function enter(page, name) {
  await page.goto('/#/rooms');
  await page.getByRole('link', { name }).first().click();
  await page.getByRole('textbox').waitFor();
}

/** Waits for something that no page shows, such as what the server's own log says. */
export async function eventually(what, look, timeout = 30_000) {
  for (const until = Date.now() + timeout; Date.now() < until; ) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${what} did not happen`);
}
