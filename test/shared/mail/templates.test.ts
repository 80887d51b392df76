// Which language a tag gets, and what every language file keeps.
import { mailWords, mailWordsByLocale, resolveLocale } from '../../../shared/mail/templates';

const available = ['en', 'fr', 'pt', 'zh-Hans', 'ja'];

it.each([
  ['en', 'en'],
  ['EN', 'en'],
  ['fr', 'fr'],
  ['fr-CA', 'fr'],
  ['FR-ca', 'fr'],
  ['en-GB', 'en'],
  ['pt-BR', 'pt'],
  ['zh', 'zh-Hans'],
  ['zh-CN', 'zh-Hans'],
  ['zh-hans-SG', 'zh-Hans'],
  ['zh-TW', 'en'],
  ['zh-Hant', 'en'],
  ['ja-JP-u-ca-japanese', 'ja'],
  ['de', 'en'],
  ['', 'en'],
  ['not a tag', 'en'],
  ['fr_CA', 'en'],
  ['__proto__', 'en'],
  ['x'.repeat(10_000), 'en'],
])('%j gets %s', (tag, locale) => {
  expect(resolveLocale(tag, available)).toBe(locale);
});

function sentences(words: object): string[] {
  return Object.values(words).flatMap((value: unknown) =>
    typeof value === 'string' ? [value] : typeof value === 'object' && value !== null ? sentences(value) : [],
  );
}

const tagsOf = (sentence: string) => (sentence.match(/\{\{[^}]*\}\}/g) ?? []).sort();

describe.each([...mailWordsByLocale.keys()])('the words in %s', (locale) => {
  it('name the values the English ones name, and never unescaped', () => {
    const [own, english] = [sentences(mailWords(locale)), sentences(mailWords('en'))];
    expect(own.map(tagsOf)).toEqual(english.map(tagsOf));
    expect(own.join('')).not.toMatch(/\{\{[{&#^>!=]/);
  });

  it('are said by their own tag, and no sentence is empty or ends in blanks', () => {
    expect(mailWords(locale).locale).toBe(locale);
    for (const sentence of sentences(mailWords(locale))) expect(sentence).toMatch(/^\S([^]*\S)?$/);
  });
});
