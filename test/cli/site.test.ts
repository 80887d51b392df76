// `npm run site -- show | set | test-mail | texts` and `npm run preview`, on tables in memory.
import { readFileSync } from 'node:fs';
import { maxTexts } from '../../shared/locales/overrides';
import path from 'node:path';
import { run as preview } from '../../cli/preview';
import { run } from '../../cli/site/run';
import type { Io } from '../../cli/support/program';
import type { Row } from '../../shared/storage/storage';
import { startScriptedSendGrid } from '../fakes/scriptedSendGrid';
import { sampleLogo } from '../support/pageStates';
import { containing, inMemory, matching, type CliResult } from './runCli';

const { cli, folder, table } = inMemory(run);
const site = (argv: readonly string[], env: Io['env'] = {}): Promise<CliResult> => cli(argv, { env });
const row = (): Row | undefined => table('SiteSettings').rows()[0];

const italian = path.join(__dirname, '../../docs/texts-it.json');
const italianTexts = JSON.parse(readFileSync(italian, 'utf8')) as { it: Record<string, string> };
const total = Object.keys(italianTexts.it).length;

it('shows the row, made from the settings if there is none', async () => {
  const shown = await site(['show']);
  expect(shown).toMatchObject({ code: 0, error: '' });
  expect(shown.out).toMatch(/^Site 1\n {2}domain +codalab\.org\n {2}name +CodaLab\n/);
  const json = (await site(['show', '--json'])).json();
  expect(json).toMatchObject({ siteId: '1', domain: 'codalab.org', locale: 'en', problems: [] });
});

it('changes the domain, and says what it was', async () => {
  const changed = await site(['set', 'domain', 'Competitions.CodaLab.org']);
  expect(changed.out).toBe('domain: codalab.org → competitions.codalab.org\n');
  expect(row()).toMatchObject({ domain: 'competitions.codalab.org', name: 'CodaLab' });
  expect((await site(['set', 'domain', 'competitions.codalab.org'])).out).toBe('domain has this value already.\n');
});

it.each([
  ['domain', 'https://codalab.org/'],
  ['name', 'Coda\nLab'],
  ['protocol', 'ftp'],
  ['defaultFromEmail', 'nobody'],
  ['locale', 'klingon language'],
  ['resetUrl', 'javascript:alert({key})'],
])('refuses the %s %j before anything is written', async (column, value) => {
  await site(['show']);
  const before = row();
  const refused = await site(['set', column, value]);
  expect(refused).toMatchObject({ code: 1, out: '' });
  expect(refused.error).toContain(`Refused; nothing was written:\n  ${column} `);
  expect(row()).toEqual(before);
});

it('applies the rules of production outside development', async () => {
  const production = {
    ...{ AZURE_FUNCTIONS_ENVIRONMENT: 'Production', SITE_PROTOCOL: 'https', LOGIN_URL: '' },
    RESET_SIGNING_SECRETS: `k:${Buffer.from(Array.from({ length: 32 }, (_, byte) => 7 * byte)).toString('base64')}`,
    ...{ EMAIL_BACKEND: 'sendgrid', SENDGRID_API_KEY: 'SG.test' },
  };
  await site(['show'], production);
  const refused = await site(['set', 'protocol', 'http'], production);
  expect(refused).toMatchObject({ code: 1, error: containing('protocol is http') });
});

it('empties an optional column, and no other', async () => {
  expect((await site(['set', 'contactEmail', ''])).out).toBe('contactEmail: info@codalab.org → (empty)\n');
  expect((await site(['set', 'name', ''])).code).toBe(1);
  expect((await site(['show'])).code).toBe(0);
});

it('writes nothing in a dry run, and knows its columns', async () => {
  await site(['show']);
  expect((await site(['set', 'name', 'Other', '--dry-run'])).out).toContain('CodaLab → Other (dry run');
  expect(row()).toMatchObject({ name: 'CodaLab' });
  expect(await site(['set', 'nmae', 'x'])).toMatchObject({ code: 2, error: containing('columns are domain, name,') });
});

it('fixes a row with two invalid columns, one after the other', async () => {
  await site(['show']);
  table('SiteSettings').edit('site', '1', { locale: 'not a language', domain: 'a b' });
  expect(await site(['show'])).toMatchObject({ code: 1, error: containing('locale is not') });
  const half = await site(['set', 'locale', 'fr']);
  expect(half).toMatchObject({ code: 0, error: containing('Still wrong: domain ') });
  expect(await site(['set', 'domain', 'codalab.org'])).toMatchObject({ code: 0, error: '' });
  expect((await site(['show'])).code).toBe(0);
});

it('decides by the row as it is after a lost race', async () => {
  await site(['show']);
  table('SiteSettings').intercept('merge', () => {
    table('SiteSettings').edit('site', '1', { name: 'Theirs' });
    return 'stale';
  });
  expect((await site(['set', 'name', 'Ours'])).out).toBe('name: Theirs → Ours\n');
});

it('sends a test mail through the configured backend', async () => {
  const sendGrid = await startScriptedSendGrid();
  const env = { EMAIL_BACKEND: 'sendgrid', SENDGRID_API_KEY: 'SG.test', SENDGRID_API_URL: sendGrid.url };
  sendGrid.script({ status: 202 }, { status: 401 });
  const sent = await site(['test-mail', 'operator@codalab.org'], env);
  expect([sent.code, sent.out]).toEqual([0, matching(/^Accepted by sendgrid\./)]);
  expect(sendGrid.requests[0]?.body).toMatchObject({
    subject: '[CodaLab] Test E-mail',
    personalizations: [{ to: [{ email: 'operator@codalab.org' }] }],
  });
  const refused = await site(['test-mail', 'operator@codalab.org'], env);
  expect(refused).toMatchObject({ code: 1, error: containing('(sendgrid_401)') });
  expect(refused.out + refused.error).not.toContain('SG.test');
  await sendGrid.close();
});

it('says that the console backend only prints', async () => {
  const printed = await site(['test-mail', 'operator@codalab.org']);
  expect(printed).toMatchObject({ code: 0, out: containing('was not sent: EMAIL_BACKEND is console') });
  expect(printed.error).toContain('Subject: [CodaLab] Test E-mail');
});

it('takes a logo as a file, says which colour is near enough, and stores what the app reads', async () => {
  folder.write('logo.png', Buffer.from(sampleLogo.split(',')[1] ?? '', 'base64'));
  expect((await site(['set', 'logo', 'logo.png'])).out).toMatch(
    /^logo: \(empty\) → data:image\/png;base64,.{18}… \(\d+ characters\)\n$/,
  );
  await site(['set', 'logoInMail', 'true']);
  const refused = await site(['set', 'brandColor', '#ffcc00']);
  const nearest = /brandColor has a contrast of .* the nearest colour that has it is (#[\da-f]{6})/.exec(refused.error);
  expect(row()).toMatchObject({ logo: sampleLogo, logoInMail: 'true' });
  expect((await site(['set', 'brandColor', nearest?.[1] ?? ''])).code).toBe(0);
  expect((await site(['set', 'logo', 'none.png'])).error).toMatch(/^There is no file/);
});

describe('npm run site -- texts', () => {
  const texts = (argv: readonly string[], stdin?: string): Promise<CliResult> => cli(['texts', ...argv], { stdin });
  const rows = () =>
    table('SiteTexts')
      .rows()
      .map(({ partitionKey, rowKey, text }) => [partitionKey, rowKey, text]);

  it('sets, lists and unsets a text', async () => {
    const set = (locale: string) => texts(['set', locale, 'passwordReset.thanks', 'See you soon!']);
    expect(await set('EN')).toMatchObject({ code: 0, out: 'Written. Takes effect within a minute.\n' });
    expect(rows()).toEqual([['en', 'passwordReset.thanks', 'See you soon!']]);
    expect((await set('en')).out).toBe('This is the text already.\n');
    expect((await texts(['list', 'en'])).out).toMatch(/^en +passwordReset\.thanks +See you soon!$/m);
    const all = (await texts(['list', '--all', '--json'])).json();
    expect(all).toContainEqual({ locale: 'en', name: 'passwordReset.thanks', text: 'See you soon!' });
    expect(all).toContainEqual({ locale: 'fr', name: 'page.logIn', text: 'Se connecter' });
    expect((await texts(['unset', 'en', 'passwordReset.thanks'])).out).toMatch(/^Removed 1 text\./);
    expect(rows()).toEqual([]);
  });

  it.each([
    [['en', 'passwordReset.usernameReminder', 'Your name.'], 'en passwordReset.usernameReminder lacks {{username}}'],
    [['en', 'passwordReset.thanks', 'Go to https://evil.example'], 'en passwordReset.thanks has a link'],
    [['en', 'passwordReset.thank', 'Thanks!'], 'is for no message: is passwordReset.thanks meant?'],
    [['english', 'page.help', 'Help'], 'english is not a language tag such as it or pt-BR.'],
  ])('refuses %j before anything is written', async (argv, problem) => {
    const refused = await texts(['set', ...argv]);
    expect(refused).toMatchObject({ out: '', error: containing(problem) });
    expect(refused.code).toBeGreaterThan(0);
    expect(rows()).toEqual([]);
  });

  it('reaches every row, also where there are more than the app reads', async () => {
    for (let index = 0; index <= maxTexts; index++) table('SiteTexts').edit('de', `x${index}`, { text: 'x' });
    table('SiteTexts').edit('fr', 'page.logIn', { text: 'x' });
    expect((await texts(['unset', 'fr', 'page.logIn'])).out).toMatch(/^Removed 1 text\./);
    expect((await texts(['unset', 'de', '--all'])).out).toMatch(/^Removed 4,001 texts\./);
    expect(rows()).toEqual([]);
  });

  it('changes and removes the row that the portal has under another spelling of the tag', async () => {
    table('SiteTexts').edit('zh-hans', 'page.logIn', { text: 'old' });
    await texts(['set', 'zh-Hans', 'page.logIn', 'new']);
    expect(rows()).toEqual([['zh-hans', 'page.logIn', 'new']]);
    table('SiteTexts').edit('not a tag', 'page.logIn', { text: 'x' });
    await texts(['unset', 'zh-Hans', '--all']);
    await texts(['unset', 'not a tag', 'page.logIn']);
    expect(rows()).toEqual([]);
  });

  it('adds a language by a file, whose check is clean', async () => {
    expect((await texts(['import', italian, '--dry-run'])).out).toMatch(/dry run/);
    expect(rows()).toEqual([]);
    expect(await texts(['import', italian])).toMatchObject({ code: 0, error: '' });
    expect((await texts(['import', italian])).out).toMatch(`Written: 0 texts, unchanged: ${total}.`);
    const clean = `${total} texts: none is refused, and none is missing.\n`;
    expect(await texts(['check'])).toMatchObject({ code: 0, out: clean });
    expect((await texts(['export', 'it'])).json()).toEqual(italianTexts);
    expect((await texts(['export', 'it', '--all'])).json()).toEqual(italianTexts);
  });

  it('names what a language lacks, what the app refuses, and what looks forgotten', async () => {
    const lacking = ['checkInbox.again', 'newPassword.missing.one'];
    const some = Object.fromEntries(Object.entries(italianTexts.it).filter(([name]) => !lacking.includes(name)));
    const file = JSON.stringify({ it: { ...some, 'page.logIn': 'Log in', 'newPassword.show': 'Fai vedere' } });
    const imported = await texts(['import', '-'], file);
    expect(imported.out).toContain(`Missing in it, so in English: ${lacking.join(', ')}\n`);
    table('SiteTexts').edit('de', 'page.help', { text: '<b>Hilfe</b>' });
    expect(await texts(['check'])).toMatchObject({
      code: 1,
      out: `de page.help has HTML: it is not used
it checkInbox.again is missing: it is in English
it newPassword.missing.one is missing: it is in English
it page.logIn is the same as in English
it newPassword.showLabel lacks the words of newPassword.show
`,
      error: 'Refused: 1, missing: 2.\n',
    });
    await texts(['set', 'it-CH', 'page.help', 'Aiuto?']);
    expect(await texts(['check', 'it-CH'])).toMatchObject({ code: 0 });
    expect((await texts(['list', 'de'])).out).toMatch(/page\.help +\(not used: has HTML\)/);
    const json = (await texts(['check', 'de', '--json'])).json();
    expect(json).toMatchObject({ refused: [{ name: 'page.help' }], missing: [] });
  });

  it('writes nothing of a file that has anything wrong, and names it all', async () => {
    const bad = { it: { ...italianTexts.it, 'page.help': '<b>', 'mail.contact': 'Scrivi.' } };
    const refused = await texts(['import', '-'], JSON.stringify(bad));
    expect(refused.error).toBe(`Refused; nothing was written:
  it mail.contact lacks {{contactEmail}}
  it page.help has HTML
`);
    for (const content of ['{', '[]', '{"it": {"page.help": 7}}', '{"not a tag": {}}']) {
      expect((await texts(['import', '-'], content)).code).toBeGreaterThan(0);
    }
    expect((await texts(['import', 'none.json'])).error).toMatch(/^There is no file/);
    expect(rows()).toEqual([]);
  });

  it('starts a translation from the texts of the nearest language', async () => {
    const polish = (await texts(['export', 'pl', '--all'])).json() as { pl: Record<string, string> };
    expect(polish.pl).toMatchObject({
      'page.logIn': 'Log in',
      'newPassword.missing.few': '{{count}} more characters',
      'newPassword.missing.many': '{{count}} more characters',
    });
    expect((await texts(['export', 'de-CH', '--all'])).json()).toMatchObject({ 'de-CH': { 'page.logIn': 'Anmelden' } });
    expect((await texts(['check', 'pl'])).error).toMatch(/^There are no texts in pl\./);
  });
});

describe('npm run preview', () => {
  const read = (name: string): string => readFileSync(path.join(folder.path, 'mails', name), 'utf8');

  it('shows the site’s own look and texts, and those of a file', async () => {
    await site(['set', 'name', 'Lab of Codes']);
    await site(['set', 'brandColor', '#1a7f37']);
    await site(['texts', 'set', 'fr', 'passwordReset.thanks', 'À bientôt !']);
    const shown = await cli(['--out', 'mails', '--texts', italian], {}, preview);
    expect(shown).toMatchObject({ code: 0, error: '' });
    expect(read('fr.password-reset.txt')).toMatch(/^Subject: \[Lab of Codes\][^]*\n\nÀ bientôt !\n$/);
    expect(read('it.password-changed.html')).toContain('#1a7f37');
    expect(read('index.html')).toContain('it.password-reset-several.html');
  });

  it('shows a sample site where there is none', async () => {
    const shown = await cli(['--out', 'mails'], {}, preview);
    expect(shown).toMatchObject({ code: 0, error: matching(/^Shown for the sample site/) });
    expect(read('en.password-reset.txt')).toContain('Subject: [CodaLab] Password Reset E-mail');
  });
});
