// Every language has the same messages, with the same places for values and every plural that the language knows.
import { readdirSync, readFileSync } from 'node:fs';

const root = new URL('../src/i18n/', import.meta.url);
const languages = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map((entry) => entry.name);
const wrong = [];

function areasOf(language) {
  const folder = new URL(`${language}/`, root);
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  const index = readFileSync(new URL('index.ts', folder), 'utf8');
  return Object.fromEntries(
    files.map((name) => {
      if (!index.includes(`'./${name}'`)) wrong.push(`${language}/index.ts does not import ${name}`);
      return [name, JSON.parse(readFileSync(new URL(name, folder), 'utf8'))];
    }),
  );
}

const forms = (message) => (typeof message === 'string' ? [message] : Object.values(message));
const places = (message) => [...new Set(forms(message).flatMap((text) => text.match(/\{\w+\}/g) ?? []))].sort().join(' ');

const all = Object.fromEntries(languages.map((language) => [language, areasOf(language)]));
const english = all.en;
for (const language of languages) {
  const plurals = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
  for (const file of new Set([...Object.keys(english), ...Object.keys(all[language])])) {
    const [here, there] = [all[language][file] ?? {}, english[file] ?? {}];
    for (const key of new Set([...Object.keys(here), ...Object.keys(there)])) {
      const name = `${language}/${file}: ${key}`;
      if (!(key in here)) wrong.push(`${name} is missing`);
      else if (!(key in there)) wrong.push(`${name} is not in English`);
      else if (forms(here[key]).some((text) => typeof text !== 'string' || text.trim() === '')) wrong.push(`${name} is empty`);
      else if (places(here[key]) !== places(there[key])) wrong.push(`${name} has other places: ${places(here[key])}`);
      else if (typeof here[key] === 'object') {
        // Spanish has a form for millions, which nothing here counts to.
        const needed = plurals.filter((form) => form !== 'many');
        for (const form of needed) if (!(form in here[key])) wrong.push(`${name} lacks the plural "${form}"`);
      }
    }
  }
}

if (wrong.length > 0) {
  console.error(wrong.join('\n'));
  process.exit(1);
}
console.log(`messages: ${languages.join(', ')} agree`);
