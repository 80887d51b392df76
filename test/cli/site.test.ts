// `npm run site -- show | set | test-mail`.
import { run } from '../../cli/site/run';
import type { Io } from '../../cli/support/program';
import type { Row } from '../../shared/storage/storage';
import { startScriptedSendGrid } from '../fakes/scriptedSendGrid';
import { memoryStorage, runCli, workFolder, type CliResult } from './runCli';

const folder = workFolder();
const containing = (text: string): string => expect.stringContaining(text) as string;
let storage: ReturnType<typeof memoryStorage>;
beforeEach(() => {
  storage = memoryStorage();
});
const site = (argv: readonly string[], env: Io['env'] = {}): Promise<CliResult> =>
  runCli(run, argv, { cwd: folder.path, env, storage });
const row = (): Row | undefined => storage.memory('SiteSettings').rows()[0];

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
    ...{
      RESET_SIGNING_SECRETS: `k:${Buffer.from(Array.from({ length: 32 }, (_, byte) => 7 * byte)).toString('base64')}`,
    },
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
  storage.memory('SiteSettings').edit('site', '1', { locale: 'not a language', domain: 'a b' });
  expect(await site(['show'])).toMatchObject({ code: 1, error: containing('locale is not') });
  const half = await site(['set', 'locale', 'fr']);
  expect(half).toMatchObject({ code: 0, error: containing('Still wrong: domain ') });
  expect(await site(['set', 'domain', 'codalab.org'])).toMatchObject({ code: 0, error: '' });
  expect((await site(['show'])).code).toBe(0);
});

it('decides by the row as it is after a lost race', async () => {
  await site(['show']);
  storage.memory('SiteSettings').intercept('merge', () => {
    storage.memory('SiteSettings').edit('site', '1', { name: 'Theirs' });
    return 'stale';
  });
  expect((await site(['set', 'name', 'Ours'])).out).toBe('name: Theirs → Ours\n');
});

it('sends a test mail through the configured backend', async () => {
  const sendGrid = await startScriptedSendGrid();
  const env = { EMAIL_BACKEND: 'sendgrid', SENDGRID_API_KEY: 'SG.test', SENDGRID_API_URL: sendGrid.url };
  sendGrid.script({ status: 202 }, { status: 401 });
  const sent = await site(['test-mail', 'operator@codalab.org'], env);
  expect([sent.code, sent.out]).toEqual([0, expect.stringMatching(/^Accepted by sendgrid\./)]);
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
