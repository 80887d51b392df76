// The languages: of one shape, and chosen by a tag or by what the browser prefers.
import { acceptedLocale, builtInLanguages, findLocale, messagesFor, type Catalog } from '../../shared/locales';

/** Path → sentence. Plural forms count as one, by their `other`. */
function sentences(messages: object, prefix = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(messages) as [string, unknown][]) {
    const path = `${prefix}${name}`;
    if (typeof value === 'string') found.set(path, value);
    else if (typeof value === 'object' && value !== null) {
      if ('other' in value) found.set(path, String(value.other));
      else for (const [inner, text] of sentences(value, `${path}.`)) found.set(inner, text);
    }
  }
  return found;
}

const placeholders = (text = ''): string[] => (text.match(/\{\{\w+\}\}/g) ?? []).sort();
const english = sentences(messagesFor('en'));

describe.each([...builtInLanguages.keys()])('the messages in %s', (locale) => {
  const messages = messagesFor(locale);
  const own = sentences(messages);

  it('name the same values as the English ones, and hold no markup', () => {
    expect([...own.keys()].sort()).toEqual([...english.keys()].sort());
    for (const [name, text] of own) {
      expect([name, placeholders(text)]).toEqual([name, placeholders(english.get(name))]);
      expect([name, text]).toEqual([name, expect.stringMatching(/^\S([^]*\S)?$/)]);
      expect([name, text.replace(/\{\{\w+\}\}/g, '')]).toEqual([name, expect.not.stringMatching(/[{}<>]/)]);
    }
  });

  it('have every plural form that 1 to 128 needs, each with its number', () => {
    const rules = new Intl.PluralRules(locale);
    const { missing } = messages.newPassword;
    for (let count = 1; count <= 128; count++) {
      expect([count, missing[rules.select(count)]]).toEqual([count, expect.stringContaining('{{count}}')]);
    }
  });

  it('keep the visible word in the spoken label of a button (WCAG 2.5.3)', () => {
    const { show, showLabel, hide, hideLabel } = messages.newPassword;
    expect(showLabel.toLowerCase()).toContain(show.toLowerCase());
    expect(hideLabel.toLowerCase()).toContain(hide.toLowerCase());
  });
});

it.each([...builtInLanguages.keys()].filter((locale) => locale !== 'en'))(
  'the messages in %s are translated',
  (locale) => {
    const same = [...sentences(messagesFor(locale))].filter(([name, text]) => english.get(name) === text);
    expect(same.map(([name]) => name).filter((name) => name !== 'page.errorTitle')).toEqual(['dir']);
  },
);

const catalog: Catalog = new Map(['en', 'fr', 'pt', 'zh-Hans', 'ja'].map((tag) => [tag, messagesFor('en')]));

it.each([
  ['EN', 'en'],
  ['FR-ca', 'fr'],
  ['pt-BR', 'pt'],
  ['zh', 'zh-Hans'],
  ['zh-hans-SG', 'zh-Hans'],
  ['zh-TW', undefined],
  ['zh-Hant', undefined],
  ['ja-JP-u-ca-japanese', 'ja'],
  ['de', undefined],
  ['', undefined],
  ['not a tag', undefined],
  ['__proto__', undefined],
  ['x'.repeat(10_000), undefined],
])('the tag %j finds %s', (tag, locale) => {
  expect(findLocale(tag, catalog)).toBe(locale);
});

it('prefers the tag itself to a neighbour in the same script', () => {
  const both: Catalog = new Map(['en', 'pt', 'pt-BR'].map((tag) => [tag, messagesFor('en')]));
  expect(findLocale('pt-br', both)).toBe('pt-BR');
  expect(findLocale('pt-PT', both)).toBe('pt');
});

it.each([
  ['fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5', 'fr'],
  ['en;q=0.5, ja;q=0.9', 'ja'],
  ['zh-Hant-TW, de', 'de'],
  ['tlh, x-pig-latin', undefined],
  ['*', undefined],
  ['de;q=0, es;q=0.001', 'es'],
  ['', undefined],
  [null, undefined],
  [';;;,,,=;q=2', undefined],
  [`${'x'.repeat(600)},de`, undefined],
])('Accept-Language %j gets %j', (header, locale) => {
  expect(acceptedLocale(header)).toBe(locale);
});
