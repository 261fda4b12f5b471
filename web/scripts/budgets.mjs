// What a browser downloads, compressed by brotli, held against the budgets: a duty screen from nothing, and the engine.
import { readdirSync, readFileSync, statSync, existsSync, rmSync } from 'node:fs';

const FIRST_SCREEN = 150_000;
const WASM = 700_000;

const dist = new URL('../dist/', import.meta.url).pathname;
const manifest = JSON.parse(readFileSync(`${dist}build-manifest.json`, 'utf8'));
const size = (file) => statSync(existsSync(`${dist}${file}.br`) ? `${dist}${file}.br` : `${dist}${file}`).size;

/** A chunk and everything that it imports at once. */
function closure(key, seen = new Set()) {
  if (seen.has(key)) return seen;
  seen.add(key);
  for (const next of manifest[key].imports ?? []) closure(next, seen);
  return seen;
}
const filesOf = (keys) => new Set([...keys].flatMap((key) => [manifest[key].file, ...(manifest[key].css ?? [])]));

const entry = 'index.html';
const keys = Object.keys(manifest);
const languages = keys.filter((key) => /^src\/i18n\/\w+\/index\.ts$/.test(key));
const screens = keys.filter((key) => /^src\/routes\/(officer|responder)\/(Officer|Responder)\.svelte$/.test(key));
let failed = false;
const say = (what, bytes, budget) => {
  const over = budget !== undefined && bytes > budget;
  failed ||= over;
  console.log(`${what.padEnd(44)} ${(bytes / 1000).toFixed(1).padStart(7)} kB${budget ? ` of ${budget / 1000} kB` : ''}${over ? '  TOO MUCH' : ''}`);
};

for (const screen of screens.length > 0 ? screens : [entry]) {
  for (const language of languages) {
    const all = new Set([...closure(entry), ...closure(screen), ...closure(language)]);
    const bytes = size('index.html') + [...filesOf(all)].reduce((sum, file) => sum + size(file), 0);
    say(`first screen: ${screen.split('/').at(-1)}, ${language.split('/').at(-2)}`, bytes, FIRST_SCREEN);
  }
}
for (const file of readdirSync(`${dist}assets`)) if (file.endsWith('.wasm')) say(file, size(`assets/${file}`), WASM);
let total = 0;
for (const file of readdirSync(`${dist}assets`)) if (/\.(js|css)$/.test(file)) total += size(`assets/${file}`);
say('all scripts and styles', total);
rmSync(`${dist}build-manifest.json`);
process.exit(failed ? 1 : 0);
