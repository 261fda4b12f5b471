import type english from './en';

/** Languages that the app speaks. Adding one: a folder beside `en`, a line here and in `load`. */
export const languages = { en: 'English', es: 'Español' } as const;
export type Language = keyof typeof languages;

type Messages = typeof english;
/** Every message by its area and name, such as `officer.call`. Both languages have the same (`npm run check`). */
export type Key = { [A in keyof Messages]: `${A & string}.${keyof Messages[A] & string}` }[keyof Messages];
type Params = Record<string, string | number>;
type Message = string | Partial<Record<Intl.LDMLPluralRule, string>>;

const KEPT = 'firstlight.language';

class Speech {
  language = $state<Language>('en');
  #messages = $state.raw<Record<string, Record<string, Message>>>({});
  #plural = $derived(new Intl.PluralRules(this.language));
  /** The locale for numbers and times: the browser's own where it is of this language, so that 24 h stays 24 h. */
  locale = $derived(navigator.languages.find((tag) => tag.split('-')[0] === this.language) ?? this.language);

  async speak(language: Language): Promise<void> {
    this.#messages = (await load(language)) as unknown as Record<string, Record<string, Message>>;
    this.language = language;
    document.documentElement.lang = language;
  }

  async start(): Promise<void> {
    const kept = localStorage.getItem(KEPT);
    const wanted = [kept, ...navigator.languages].map((tag) => tag?.split('-')[0]);
    await this.speak(wanted.find(isLanguage) ?? 'en');
  }

  async choose(language: Language): Promise<void> {
    localStorage.setItem(KEPT, language);
    await this.speak(language);
  }

  say(key: string, params: Params): string {
    const dot = key.indexOf('.');
    const message = this.#messages[key.slice(0, dot)]?.[key.slice(dot + 1)];
    if (message === undefined) return key;
    const text = typeof message === 'string' ? message : this.#form(message, params['count']);
    return text.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const value = params[name] ?? '';
      return typeof value === 'number' ? value.toLocaleString(this.locale) : value;
    });
  }

  #form(forms: Partial<Record<Intl.LDMLPluralRule, string>>, count: unknown): string {
    return forms[this.#plural.select(Number(count))] ?? forms.other ?? '';
  }
}

function isLanguage(tag: string | undefined): tag is Language {
  return tag !== undefined && tag in languages;
}

async function load(language: Language): Promise<Messages> {
  // Written out, so that each language becomes a file of its own.
  switch (language) {
    case 'en':
      return (await import('./en')).default;
    case 'es':
      return (await import('./es')).default as Messages;
  }
}

export const speech = new Speech();

/** The text of a message in the person's language. `count` chooses the plural; numbers are written by locale. */
export function t(key: Key, params: Params = {}): string {
  return speech.say(key, params);
}
