// The words of the pages: complete, of one shape in every language, and chosen by what the browser asks for.
import { mailWordsByLocale } from '../../../shared/mail/templates';
import { acceptedLocale, pageWords, pageWordsByLocale } from '../../../shared/pages/words';

/** `ask.title` → sentence, for every sentence of a language. Plural forms count as one, by their `other`. */
function sentences(words: object, prefix = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(words) as [string, unknown][]) {
    const path = `${prefix}${name}`;
    if (typeof value === 'string') found.set(path, value);
    else if (typeof value === 'object' && value !== null) {
      if ('other' in value) found.set(path, String(value.other));
      else for (const [inner, text] of sentences(value, `${path}.`)) found.set(inner, text);
    }
  }
  return found;
}

const placeholders = (text = ''): string[] => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name = '']) => name).sort();
const english = sentences(pageWords('en'));

it('there are the same languages for the pages as for the mails', () => {
  expect([...pageWordsByLocale.keys()].sort()).toEqual([...mailWordsByLocale.keys()].sort());
  expect(pageWordsByLocale.size).toBe(6);
});

describe.each([...pageWordsByLocale.keys()])('the words in %s', (locale) => {
  const words = pageWords(locale);
  const own = sentences(words);

  it('lack nothing, and name the same values as the English ones', () => {
    expect([...own.keys()].sort()).toEqual([...english.keys()].sort());
    for (const [name, text] of own) {
      expect([name, text]).toEqual([name, expect.stringMatching(/^\S([^]*\S)?$/)]);
      expect([name, placeholders(text)]).toEqual([name, placeholders(english.get(name))]);
      expect([name, text.replace(/\{\{\w+\}\}/g, '')]).toEqual([name, expect.not.stringMatching(/[{}<>]/)]);
    }
  });

  it('are translated', () => {
    if (locale === 'en') return;
    const same = [...own].filter(([name, text]) => english.get(name) === text && name !== 'shared.errorTitle');
    expect(same.map(([name]) => name)).toEqual(['dir']);
  });

  it('have every plural form that 1 to 128 needs, each with its number', () => {
    const rules = new Intl.PluralRules(locale);
    const { missing } = words.newPassword;
    for (let count = 1; count <= 128; count++) {
      const form = missing[rules.select(count)];
      expect([count, form]).toEqual([count, expect.stringContaining('{{count}}')]);
    }
  });

  it('keep the visible word in the spoken label of a button (WCAG 2.5.3)', () => {
    const { show, showLabel, hide, hideLabel } = words.newPassword;
    expect(showLabel.toLowerCase()).toContain(show.toLowerCase());
    expect(hideLabel.toLowerCase()).toContain(hide.toLowerCase());
  });
});

it.each([
  ['fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5', 'fr'],
  ['en;q=0.5, ja;q=0.9', 'ja'],
  ['en-GB', 'en'],
  ['zh-CN', 'zh-Hans'],
  ['zh-Hant-TW, de', 'de'],
  ['DE', 'de'],
  ['tlh, x-pig-latin', undefined],
  ['*', undefined],
  ['de;q=0', undefined],
  ['de;q=0, es;q=0.001', 'es'],
  ['', undefined],
  [null, undefined],
  [';;;,,,=;q=2', undefined],
  ['<script>', undefined],
  [`${'x'.repeat(600)},de`, undefined],
])('Accept-Language %j gets %j', (header, locale) => {
  expect(acceptedLocale(header)).toBe(locale);
});
