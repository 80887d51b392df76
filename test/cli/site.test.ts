// `npm run site -- show | set | test-mail`, against Azurite.
import { run } from '../../cli/site/run';
import { createStorageClients } from '../../shared/services';
import type { TableStore } from '../../shared/storage/tableStore';
import { startScriptedSendGrid } from '../fakes/scriptedSendGrid';
import { emptyStorage } from '../support/storage';
import { runCli, workFolder, type CliResult } from './runCli';

const signal = AbortSignal.timeout(60_000);
const folder = workFolder();
const production = {
  AZURE_FUNCTIONS_ENVIRONMENT: 'Production',
  SITE_PROTOCOL: 'https',
  LOGIN_URL: '',
  RESET_SIGNING_SECRETS: `20260101:${Buffer.from(Array.from({ length: 32 }, (_, index) => (index * 37 + 200) % 256)).toString('base64')}`,
  EMAIL_BACKEND: 'sendgrid',
  SENDGRID_API_KEY: 'SG.test',
};

describe('npm run site', () => {
  let connectionString: string;
  let table: TableStore;
  beforeEach(async () => {
    connectionString = emptyStorage();
    table = (await createStorageClients({ kind: 'connectionString', connectionString })).table('SiteSettings');
  });
  const site = (argv: readonly string[], env: Record<string, string> = {}): Promise<CliResult> =>
    runCli(run, connectionString, argv, { cwd: folder.path, env });
  const row = async (): Promise<Record<string, unknown>> => (await table.get('site', '1', signal)) ?? {};
  const edit = async (columns: Record<string, string>): Promise<void> => {
    await table.merge('site', '1', columns, String((await row())['etag']), signal);
  };

  it('shows the row, made from the settings when there is none', async () => {
    const shown = await site(['show']);
    expect(shown).toMatchObject({ code: 0, error: '' });
    expect(shown.out).toMatch(/^Site 1\n {2}domain +codalab\.org\n {2}name +CodaLab\n/);
    expect((await site(['show', '--json'])).json()).toMatchObject({
      siteId: '1',
      domain: 'codalab.org',
      locale: 'en',
      problems: [],
    });
  });

  it('changes the domain, and says what it was', async () => {
    expect((await site(['set', 'domain', 'Competitions.CodaLab.org'])).out).toBe(
      'domain: codalab.org → competitions.codalab.org\n',
    );
    expect(await row()).toMatchObject({ domain: 'competitions.codalab.org', name: 'CodaLab' });
    expect((await site(['set', 'domain', 'competitions.codalab.org'])).out).toBe('domain has this value already.\n');
  });

  it.each([
    ['domain', 'https://codalab.org/'],
    ['domain', 'a b'],
    ['name', ' '],
    ['name', 'Coda\nLab'],
    ['protocol', 'ftp'],
    ['defaultFromEmail', 'nobody'],
    ['locale', 'klingon language'],
    ['resetUrl', '{protocol}://{domain}/reset/'],
    ['resetUrl', 'javascript:alert({key})'],
  ])('refuses the %s %j at edit time, before anything is written', async (column, value) => {
    await site(['show']);
    const before = await row();
    const refused = await site(['set', column, value]);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.error).toContain(`Refused; nothing was written:\n  ${column} `);
    expect(await row()).toEqual(before);
  });

  it('refuses http for a public domain outside development, and says so of the column it comes from', async () => {
    await site(['show'], production);
    const refused = await site(['set', 'protocol', 'http'], production);
    expect(refused).toMatchObject({
      code: 1,
      error: expect.stringContaining('protocol is http, which is for loopback and development only') as string,
    });
  });

  it('empties an optional column, and no other', async () => {
    await site(['show']);
    expect((await site(['set', 'contactEmail', ''])).out).toBe('contactEmail: info@codalab.org → (empty)\n');
    expect((await site(['set', 'name', ''])).code).toBe(1);
    expect((await site(['show'])).code).toBe(0);
  });

  it('writes nothing in a dry run, and knows its columns', async () => {
    await site(['show']);
    expect((await site(['set', 'name', 'Other', '--dry-run'])).out).toContain('CodaLab → Other (dry run');
    expect((await row())['name']).toBe('CodaLab');
    expect(await site(['set', 'nmae', 'x'])).toMatchObject({
      code: 2,
      error: expect.stringContaining('There are: domain, name,') as string,
    });
  });

  it('mends a row that was broken in two columns, one after the other', async () => {
    await site(['show']);
    await edit({ locale: 'not a language', domain: 'a b' });
    const broken = await site(['show']);
    expect(broken).toMatchObject({
      code: 1,
      error: expect.stringContaining('locale is not a BCP 47 language tag.') as string,
    });
    const half = await site(['set', 'locale', 'fr']);
    expect(half).toMatchObject({ code: 0, error: expect.stringContaining('Still wrong: domain ') as string });
    expect(await site(['set', 'domain', 'codalab.org'])).toMatchObject({ code: 0, error: '' });
    expect((await site(['show'])).code).toBe(0);
  });

  it('sends a test mail through the configured backend', async () => {
    const sendGrid = await startScriptedSendGrid();
    const env = { EMAIL_BACKEND: 'sendgrid', SENDGRID_API_KEY: 'SG.test', SENDGRID_API_URL: sendGrid.url };
    sendGrid.script({ status: 202 }, { status: 401 });
    expect(await site(['test-mail', 'operator@codalab.org'], env)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Accepted by sendgrid\./) as string,
    });
    expect(sendGrid.requests[0]?.body).toMatchObject({
      subject: '[CodaLab] Test E-mail',
      personalizations: [{ to: [{ email: 'operator@codalab.org' }] }],
    });
    const refused = await site(['test-mail', 'operator@codalab.org'], env);
    expect(refused).toMatchObject({ code: 1, error: expect.stringContaining('(sendgrid_401)') as string });
    expect(refused.out + refused.error).not.toContain('SG.test');
    await sendGrid.close();
  });

  it('says that the console backend only prints', async () => {
    const printed = await site(['test-mail', 'operator@codalab.org']);
    expect(printed).toMatchObject({
      code: 0,
      out: expect.stringContaining('was not sent: EMAIL_BACKEND is console') as string,
    });
    expect(printed.error).toContain('Subject: [CodaLab] Test E-mail');
    expect((await site(['test-mail', 'nobody'])).code).toBe(2);
  });
});
