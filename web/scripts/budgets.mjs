// What a browser downloads, compressed by brotli, held against the budgets: a duty screen from nothing, and the engine.
import { existsSync, readFileSync, readdirSync, renameSync, statSync } from 'node:fs';

const FIRST_SCREEN = 150_000;
const WASM = 700_000;

const dist = new URL('../dist/', import.meta.url).pathname;
/** What imports what, as the build wrote it: moved out of what is shipped. */
const manifestFile = new URL('../node_modules/.build-manifest.json', import.meta.url).pathname;
const size = (file) => statSync(existsSync(`${dist}${file}.br`) ? `${dist}${file}.br` : `${dist}${file}`).size;

/** Each download: `{ what, bytes, budget }`, the budget where there is one. */
export function budgets() {
  const manifest = JSON.parse(readFileSync(manifestFile, 'utf8'));
  /** A chunk and everything that it imports at once. */
  const closure = (key, seen = new Set()) => {
    if (seen.has(key)) return seen;
    seen.add(key);
    for (const next of manifest[key].imports ?? []) closure(next, seen);
    return seen;
  };
  const filesOf = (keys) => keys.flatMap((key) => [manifest[key].file, ...(manifest[key].css ?? [])]);
  // What the page itself asks for, before any of it runs.
  const page = [...readFileSync(`${dist}index.html`, 'utf8').matchAll(/"\/(assets\/[^"]+)"/g)].map(([, file]) => file);
  const keys = Object.keys(manifest);
  const languages = keys.filter((key) => /^src\/i18n\/\w+\/index\.ts$/.test(key));
  const screens = keys.filter((key) => /^src\/routes\/(officer|responder)\/(Officer|Responder)\.svelte$/.test(key));
  const first = screens.flatMap((screen) =>
    languages.map((language) => {
      const files = new Set(['index.html', ...page, ...filesOf([...closure(screen), ...closure(language)])]);
      const bytes = [...files].reduce((sum, file) => sum + size(file), 0);
      return { what: `first screen ${screen.split('/').at(-1)}, ${language.split('/').at(-2)}`, bytes, budget: FIRST_SCREEN };
    }),
  );
  const assets = readdirSync(`${dist}assets`);
  const total = assets.filter((file) => /\.(js|css)$/.test(file)).reduce((sum, file) => sum + size(`assets/${file}`), 0);
  const engines = assets.filter((file) => file.endsWith('.wasm'));
  return [
    ...first,
    ...engines.map((file) => ({ what: 'engine (wasm)', bytes: size(`assets/${file}`), budget: WASM })),
    { what: 'all scripts and styles', bytes: total },
  ];
}

if (process.argv[1] === import.meta.filename) {
  if (existsSync(`${dist}build-manifest.json`)) renameSync(`${dist}build-manifest.json`, manifestFile);
  const all = budgets();
  const over = ({ bytes, budget }) => budget !== undefined && bytes > budget;
  for (const one of all) {
    const limit = one.budget === undefined ? '' : ` of ${one.budget / 1000} kB`;
    console.log(`${one.what.padEnd(32)} ${(one.bytes / 1000).toFixed(1).padStart(7)} kB${limit}${over(one) ? '  TOO MUCH' : ''}`);
  }
  process.exit(all.some(over) ? 1 : 0);
}
