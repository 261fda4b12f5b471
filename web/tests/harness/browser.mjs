// Chromium, and pages that are somebody's device.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const shots = new URL('../../../target/web-shots/', import.meta.url).pathname;
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 860 };

export function startBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
}

/** A context of its own with one page that went nowhere yet, and what goes wrong in it. */
export async function watched(browser, world, { size = PHONE, language = 'en', theme = 'night', who } = {}) {
  const context = await browser.newContext({
    viewport: size,
    locale: language === 'es' ? 'es-US' : 'en-US',
    timezoneId: 'America/Los_Angeles',
    baseURL: world.server.url,
    hasTouch: size === PHONE,
  });
  world.overheard?.listen(context, who);
  const problems = [];
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on('pageerror', (error) => problems.push(`page: ${error.message}`));
  page.on('console', (line) => ['error', 'warning'].includes(line.type()) && problems.push(`console: ${line.text()}`));
  await page.addInitScript(([theme, language]) => {
    // A page that shows nothing has no storage.
    if (location.protocol === 'about:') return;
    localStorage.setItem('firstlight.theme', theme);
    localStorage.setItem('firstlight.language', language);
  }, [theme, language]);
  return { page, context, problems };
}

/** A context of its own with one page, as somebody's device: `device` is of the cast. */
export async function open(browser, world, device, { at = '/', ...look } = {}) {
  const { page, context, problems } = await watched(browser, world, look);
  if (device !== undefined) {
    // A page of the same origin that runs none of the app: the device has to be there before it starts.
    await page.goto('/v1/health/live');
    const key = await page.evaluate(makeDutyKey, { device: device.device, ...pick(device.me) });
    await device.request('PUT', '/v1/devices/me/duty-key', { key });
  }
  await page.goto(at);
  return { page, context, problems };
}

const pick = ({ person, org, role }) => ({ person, org, role });

/** Runs in the page: what src/duty/register.ts does once a device is enrolled. */
async function makeDutyKey(device) {
  const key = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']);
  const database = await new Promise((resolve, reject) => {
    const request = indexedDB.open('firstlight-duty', 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore('kept');
      request.result.createObjectStore('unsent', { keyPath: 'id' });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  await new Promise((resolve, reject) => {
    const transaction = database.transaction('kept', 'readwrite');
    transaction.objectStore('kept').put({ ...device, key }, 'device');
    transaction.oncomplete = resolve;
    transaction.onerror = () => reject(transaction.error);
  });
  database.close();
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', key.publicKey));
  return btoa(String.fromCharCode(...raw)).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** What axe finds, as sentences: nothing, if all is well. `enhanced` asks for 7:1, as duty screens must. */
export async function axe(page, { enhanced = true } = {}) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axeSource);
  const found = await page.evaluate(async (enhanced) => {
    const rules = enhanced ? { 'color-contrast-enhanced': { enabled: true } } : {};
    const { violations } = await window.axe.run(document, { rules, runOnly: undefined });
    return violations.map((one) => `${one.id}: ${one.nodes.map((node) => `${node.target.join(' ')} ${node.any[0]?.message ?? ''}`).join('; ')}`);
  }, enhanced);
  return found;
}

/** A picture of the page in target/web-shots; whole, as if the screen were as tall as the page. */
export async function shot(page, name, { fullPage = true } = {}) {
  mkdirSync(shots, { recursive: true });
  const size = page.viewportSize();
  if (fullPage) {
    const height = await page.evaluate(() => document.documentElement.scrollHeight);
    await page.setViewportSize({ ...size, height: Math.max(size.height, height) });
  }
  await page.screenshot({ path: `${shots}${name}.png`, animations: 'disabled' });
  await page.setViewportSize(size);
}

/** Targets that a thumb could miss: smaller than 12 mm (45.4 CSS px) either way. */
export function smallTargets(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll('a[href], button, summary, select, input:not(.visually-hidden), textarea, label:has(input.visually-hidden)')]
      .filter((one) => one.checkVisibility() && !one.closest('.skip') && !one.classList.contains('skip'))
      .map((one) => ({ box: one.getBoundingClientRect(), text: (one.textContent || one.getAttribute('aria-label') || one.tagName).trim() }))
      .filter(({ box }) => box.height < 45.4 || box.width < 45.4)
      .map(({ box, text }) => `${text}: ${Math.round(box.width)}×${Math.round(box.height)}`),
  );
}
