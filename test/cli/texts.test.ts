// `npm run site -- texts …`, on tables in memory.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { run as preview } from '../../cli/preview';
import { run } from '../../cli/site/run';
import { sampleLogo } from '../support/pageStates';
import { memoryStorage, runCli, workFolder, type CliResult } from './runCli';

const folder = workFolder();
const italian = path.join(__dirname, '../../docs/texts-it.json');
const italianTexts = JSON.parse(readFileSync(italian, 'utf8')) as { it: Record<string, string> };
const total = Object.keys(italianTexts.it).length;

describe('npm run site -- texts', () => {
  let storage: ReturnType<typeof memoryStorage>;
  beforeEach(() => (storage = memoryStorage()));
  const texts = (argv: readonly string[], stdin?: string): Promise<CliResult> =>
    runCli(run, ['texts', ...argv], { cwd: folder.path, storage, stdin });
  const rows = () =>
    storage
      .memory('SiteTexts')
      .rows()
      .map(({ partitionKey, rowKey, text }) => [partitionKey, rowKey, text]);

  it('sets, lists and unsets a text', async () => {
    expect(await texts(['set', 'EN', 'passwordReset.thanks', 'See you soon!'])).toMatchObject({
      code: 0,
      out: 'Written. Takes effect within a minute.\n',
    });
    expect(rows()).toEqual([['en', 'passwordReset.thanks', 'See you soon!']]);
    expect((await texts(['set', 'en', 'passwordReset.thanks', 'See you soon!'])).out).toBe(
      'This is the text already.\n',
    );
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
    expect(refused).toMatchObject({ out: '', error: expect.stringContaining(problem) as string });
    expect(refused.code).toBeGreaterThan(0);
    expect(rows()).toEqual([]);
  });

  it('changes and removes the row that the portal has under another spelling of the tag', async () => {
    const table = storage.memory('SiteTexts');
    table.edit('zh-hans', 'page.logIn', { text: 'old' });
    await texts(['set', 'zh-Hans', 'page.logIn', 'new']);
    expect(rows()).toEqual([['zh-hans', 'page.logIn', 'new']]);
    table.edit('not a tag', 'page.logIn', { text: 'x' });
    await texts(['unset', 'zh-Hans', '--all']);
    await texts(['unset', 'not a tag', 'page.logIn']);
    expect(rows()).toEqual([]);
  });

  it('adds a language by a file, whose check is clean', async () => {
    expect((await texts(['import', italian, '--dry-run'])).out).toMatch(/dry run/);
    expect(rows()).toEqual([]);
    expect(await texts(['import', italian])).toMatchObject({ code: 0, error: '' });
    expect((await texts(['import', italian])).out).toMatch(`Written: 0 texts, unchanged: ${total}.`);
    expect(await texts(['check'])).toMatchObject({
      code: 0,
      out: `${total} texts: none is refused, and none is missing.\n`,
    });
    expect((await texts(['export', 'it'])).json()).toEqual(italianTexts);
    expect((await texts(['export', 'it', '--all'])).json()).toEqual(italianTexts);
  });

  it('names what a language lacks, what the app refuses, and what looks forgotten', async () => {
    const lacking = ['checkInbox.again', 'newPassword.missing.one'];
    const some = Object.fromEntries(Object.entries(italianTexts.it).filter(([name]) => !lacking.includes(name)));
    const file = JSON.stringify({ it: { ...some, 'page.logIn': 'Log in', 'newPassword.show': 'Fai vedere' } });
    expect((await texts(['import', '-'], file)).out).toMatch(
      /Missing in it, so in English: checkInbox\.again, newPassword\.missing\.one\n$/,
    );
    storage.memory('SiteTexts').edit('de', 'page.help', { text: '<b>Hilfe</b>' });
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
    expect((await texts(['check', 'de', '--json'])).json()).toMatchObject({
      refused: [{ name: 'page.help' }],
      missing: [],
    });
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

describe('npm run site -- set', () => {
  it('takes a logo as a file, says which colour is near enough, and stores what the app reads', async () => {
    const storage = memoryStorage();
    const site = (...argv: string[]) => runCli(run, argv, { cwd: folder.path, storage });
    writeFileSync(path.join(folder.path, 'logo.png'), Buffer.from(sampleLogo.split(',')[1] ?? '', 'base64'));
    expect((await site('set', 'logo', 'logo.png')).out).toMatch(
      /^logo: \(empty\) → data:image\/png;base64,.{18}… \(\d+ characters\)\n$/,
    );
    await site('set', 'logoInMail', 'true');
    const refused = await site('set', 'brandColor', '#ffcc00');
    expect(refused.error).toMatch(/brandColor has a contrast of .* the nearest colour that has it is #[\da-f]{6}/);
    const [row] = storage.memory('SiteSettings').rows();
    expect(row).toMatchObject({ logo: sampleLogo, logoInMail: 'true' });
    expect((await site('set', 'brandColor', /#[\da-f]{6}(?=\s*$)/.exec(refused.error)?.[0] ?? '')).code).toBe(0);
    expect((await site('set', 'logo', 'none.png')).error).toMatch(/^There is no file/);
  });
});

describe('npm run preview', () => {
  const read = (name: string): string => readFileSync(path.join(folder.path, 'mails', name), 'utf8');

  it('shows the site’s own look and texts, and those of a file', async () => {
    const storage = memoryStorage();
    const cli = (command: typeof run, ...argv: string[]) => runCli(command, argv, { cwd: folder.path, storage });
    await cli(run, 'set', 'name', 'Lab of Codes');
    await cli(run, 'set', 'brandColor', '#1a7f37');
    await cli(run, 'texts', 'set', 'fr', 'passwordReset.thanks', 'À bientôt !');
    expect(await cli(preview, '--out', 'mails', '--texts', italian)).toMatchObject({ code: 0, error: '' });
    expect(read('fr.password-reset.txt')).toMatch(/^Subject: \[Lab of Codes\][^]*\n\nÀ bientôt !\n$/);
    expect(read('it.password-changed.html')).toContain('#1a7f37');
    expect(read('index.html')).toContain('it.password-reset-several.html');
  });

  it('shows a sample site where there is none', async () => {
    const shown = await runCli(preview, ['--out', 'mails'], { cwd: folder.path, storage: memoryStorage() });
    expect(shown).toMatchObject({ code: 0, error: expect.stringMatching(/^Shown for the sample site/) as string });
    expect(read('en.password-reset.txt')).toContain('Subject: [CodaLab] Password Reset E-mail');
  });
});
