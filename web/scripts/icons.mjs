// Draws the icons: a horizon and the first light above it. Needs Chromium, so what it makes is committed.
import { mkdirSync, writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const out = new URL('../public/icons/', import.meta.url).pathname;
const ground = '#0b0f14';
const light = '#ffd780';

/** The mark on a 100 grid; `room` leaves a margin for shapes that a system cuts. */
function mark({ room = 0, corner = 0, back = ground, ink = light, soft = '#a4d0ff' }) {
  const scale = 1 - 2 * room;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 100">
  ${back === 'none' ? '' : `<rect width="100" height="100" rx="${corner}" fill="${back}"/>`}
  <g transform="translate(${room * 100} ${room * 100}) scale(${scale})" fill="none" stroke-width="7" stroke-linecap="round">
    <path d="M29 62a21 21 0 0 1 42 0" stroke="${ink}"/>
    <path d="M50 21v8M22 33l5.5 5.5M78 33l-5.5 5.5" stroke="${ink}"/>
    <path d="M14 62h72" stroke="${soft}"/>
    <path d="M30 77h40" stroke="${soft}"/>
  </g>
</svg>
`;
}

mkdirSync(out, { recursive: true });
writeFileSync(`${out}icon.svg`, mark({ corner: 22 }));
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless=new', '--no-sandbox', '--disable-gpu'],
});
const page = await browser.newPage();
const pictures = [
  ['icon-180.png', 180, mark({})],
  ['icon-192.png', 192, mark({ corner: 22 })],
  ['icon-512.png', 512, mark({ corner: 22 })],
  ['maskable-512.png', 512, mark({ room: 0.12 })],
  ['badge-96.png', 96, mark({ back: 'none', ink: '#fff', soft: '#fff' })],
];
for (const [name, size, svg] of pictures) {
  await page.setViewportSize({ width: size, height: size });
  await page.setContent(`<style>*{margin:0}svg{display:block;width:${size}px}</style>${svg}`);
  writeFileSync(`${out}${name}`, await page.screenshot({ omitBackground: true }));
}
await browser.close();
