// The app's own messages, so that a test finds a screen by what it is for, in whichever language it speaks.
import { readFileSync } from 'node:fs';

const areas = new Map();

function area(language, name) {
  const path = `${language}/${name}`;
  if (!areas.has(path)) {
    areas.set(path, JSON.parse(readFileSync(new URL(`../../src/i18n/${path}.json`, import.meta.url), 'utf8')));
  }
  return areas.get(path);
}

/** `say('lock.title')` as the language says it. */
export function words(language = 'en') {
  return (key, values = {}) => {
    const [name, message] = key.split('.');
    const said = area(language, name)[message];
    if (said === undefined) throw new Error(`there is no message ${key} in ${language}`);
    const text = typeof said === 'string' ? said : said[new Intl.PluralRules(language).select(values.count)];
    return text.replaceAll(/\{(\w+)\}/g, (_, value) => String(values[value] ?? ''));
  };
}
