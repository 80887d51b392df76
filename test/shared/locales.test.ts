// The languages: of one shape, and chosen by a tag or by what the browser prefers.
import { acceptedLocale, builtInLanguages, findLocale, messagesFor, type Catalog } from '../../shared/locales';
import {
  applyTexts,
  flattenMessages,
  maxTexts,
  messageNames,
  textProblem,
  type TextOverride,
} from '../../shared/locales/overrides';
import { renderPasswordReset } from '../../shared/mail/renderMail';
import { codalab } from './mail/sampleMail';

const english = flattenMessages(messagesFor('en'));

describe.each([...builtInLanguages.keys()])('the messages in %s', (locale) => {
  const messages = messagesFor(locale);

  it('name the same values as the English ones, and hold no markup', () => {
    const own = flattenMessages(messages);
    expect([...own.keys()].sort()).toEqual(messageNames(locale).sort());
    for (const [name, text] of own) {
      expect([name, textProblem(locale, name, text)]).toEqual([name, undefined]);
      expect([name, text]).toEqual([name, text.trim()]);
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
    const same = [...flattenMessages(messagesFor(locale))].filter(([name, text]) => english.get(name) === text);
    expect(same.map(([name]) => name).filter((name) => name !== 'page.errorTitle')).toEqual([]);
  },
);

const catalog: Catalog = new Map(['en', 'fr', 'pt', 'zh-Hans', 'ja'].map((tag) => [tag, messagesFor('en')]));

it.each([
  ['FR-ca', 'fr'],
  ['pt-BR', 'pt'],
  ['zh', 'zh-Hans'],
  ['zh-hans-SG', 'zh-Hans'],
  ['zh-Hant', undefined],
  ['ja-JP-u-ca-japanese', 'ja'],
  ['de', undefined],
  ['', undefined],
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
  ['de;q=0, es;q=0.001', 'es'],
  ['', undefined],
  [null, undefined],
  [';;;,,,=;q=2', undefined],
  [`${'x'.repeat(600)},de`, undefined],
])('Accept-Language %j gets %j', (header, locale) => {
  expect(acceptedLocale(header)).toBe(locale);
});

const apply = (...rows: [locale: string, name: string, text: string][]) =>
  applyTexts(
    builtInLanguages,
    rows.map(([locale, name, text]): TextOverride => ({ locale, name, text })),
  );

describe('the texts of a site', () => {
  it('replace single sentences, and nothing else', () => {
    const { catalog, refused } = apply(
      ['en', 'passwordReset.thanks', 'See you soon at the lab!'],
      ['EN', 'forgotPassword.button', 'Go'],
      ['zh-hans', 'newPassword.missing.other', '还差 {{ count }} 个'],
    );
    expect(refused).toEqual([]);
    expect([...catalog.keys()]).toEqual([...builtInLanguages.keys()]);
    const own = messagesFor('en', catalog);
    expect(own.forgotPassword).toEqual({ ...messagesFor('en').forgotPassword, button: 'Go' });
    expect(messagesFor('zh-CN', catalog).newPassword.missing).toEqual({ other: '还差 {{count}} 个' });
    expect(messagesFor('en').passwordReset.thanks).toBe('Thanks for using our site!');
    const accounts = [{ username: 'someuser', link: 'https://codalab.org/' }];
    expect(renderPasswordReset({ site: { ...codalab, catalog }, accounts }).text).toMatch(
      /See you soon at the lab!\n$/,
    );
  });

  it('add a language, in English where it lacks something', () => {
    const { catalog, missing, refused } = apply(
      ['it', 'forgotPassword.title', 'Reimposta la password'],
      ['it', 'newPassword.missing.one', 'Manca {{count}} carattere'],
      ['he', 'page.logIn', 'התחברות'],
    );
    expect(refused).toEqual([]);
    expect(acceptedLocale('it-CH,de', catalog)).toBe('it');
    const { locale, dir, forgotPassword, newPassword } = messagesFor('it-IT', catalog);
    expect([locale, dir, messagesFor('he', catalog).dir]).toEqual(['it', 'ltr', 'rtl']);
    expect([forgotPassword.title, forgotPassword.email]).toEqual(['Reimposta la password', 'Email address']);
    expect(newPassword.missing).toEqual({ one: 'Manca {{count}} carattere', other: '{{count}} more characters' });
    expect([...missing.keys()]).toEqual(['it', 'he']);
    expect(missing.get('it')).toHaveLength(messageNames('it').length - 2);
    expect(missing.get('it')).toEqual(expect.arrayContaining(['newPassword.missing.other', 'passwordReset.subject']));
    expect(missing.get('it')).not.toContain('forgotPassword.title');
  });

  it('ask for every plural form of a language', () => {
    const forms = messageNames('pl').filter((name) => name.startsWith('newPassword.missing.'));
    expect(forms.map((name) => name.split('.')[2]).sort()).toEqual(['few', 'many', 'one', 'other']);
  });

  it.each([
    ['HTML', 'en', 'forgotPassword.intro', 'Click <a href=x>here</a>', 'has HTML'],
    ['no placeholder', 'en', 'passwordReset.usernameReminder', 'Your username.', 'lacks {{username}}'],
    ['an unknown placeholder', 'en', 'page.help', 'Help {{link}}', 'has a placeholder that'],
    ['a section', 'en', 'page.help', '{{#mail}}x{{/mail}}', 'has braces'],
    ['an unescaped placeholder', 'en', 'passwordReset.usernameReminder', '{{{username}}}', 'has braces'],
    ['other delimiters', 'en', 'page.help', '{{=<% %>=}}', 'has HTML'],
    ['a link', 'en', 'passwordReset.thanks', 'https://evil.example/reset', 'has a link'],
    ['a short host name', 'en', 'passwordReset.thanks', 'Go to t.co/x', 'has a link'],
    ['a megabyte', 'en', 'page.help', 'x'.repeat(1_000_000), 'has more than 2000'],
    ['reordered text', 'en', 'page.help', 'Help \u202egnp', 'has control'],
    ['blanks', 'en', 'page.help', ' ', 'is empty'],
    ['an unknown message', 'en', '__proto__', 'x', 'is for no message'],
    ['the tag of a language', 'en', 'locale', 'fr', 'is for no message'],
    ['a plural form that is not there', 'ja', 'newPassword.missing.one', '{{count}}', 'is for no message'],
  ])('with %s change nothing', (_what, locale, name, text, problem) => {
    const { catalog, refused } = apply([locale, name, text]);
    expect(catalog).toEqual(builtInLanguages);
    expect(refused).toEqual([{ locale, name, problem: expect.stringContaining(problem) }]);
  });

  it('show no more of a bad key than an event may hold', () => {
    expect(apply(['not a tag', 'a\nb', 'x']).refused).toEqual([
      { locale: '?', name: '?', problem: 'is for no language tag' },
    ]);
  });

  it('of a regional variant are laid over its language', () => {
    const { catalog, missing } = applyTexts(builtInLanguages, [
      { locale: 'pt-BR', name: 'page.help', text: 'Precisa de ajuda?' },
      { locale: 'de-CH', name: 'newPassword.show', text: 'Zeigen' },
      { locale: 'pt', name: 'page.logIn', text: 'Entrar' },
    ]);
    expect([...missing.keys()]).toEqual(['pt']);
    expect(messagesFor('de-CH', catalog)).toMatchObject({ locale: 'de-CH', page: messagesFor('de').page });
    expect(messagesFor('de-AT', catalog)).toBe(messagesFor('de'));
    expect(messagesFor('pt-BR', catalog).page).toMatchObject({ help: 'Precisa de ajuda?', logIn: 'Entrar' });
  });

  it('beyond a number are ignored, which is said', () => {
    const text = { locale: 'en', name: 'page.help', text: 'Help?' };
    const { catalog, refused } = applyTexts(builtInLanguages, [
      ...Array.from({ length: maxTexts }, () => text),
      { ...text, text: 'Too late' },
    ]);
    expect(messagesFor('en', catalog).page.help).toBe('Help?');
    expect(refused).toEqual([
      expect.objectContaining({ problem: expect.stringContaining('more than 4000') as string }),
    ]);
  });
});
