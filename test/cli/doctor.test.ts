// `npm run site -- doctor`, against Azurite, a scripted SendGrid and a scripted SMTP server: planted faults, each named with its cure.
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Finding } from '../../cli/doctor/finding';
import { run } from '../../cli/site/run';
import { addressHashOf } from '../../shared/address';
import { createStorageClients, type StorageClients } from '../../shared/services';
import { createAccountsAdmin } from '../../shared/storage/accountsAdmin';
import { createLimitsTable } from '../../shared/storage/limitsTable';
import { outgoingMailQueueName, poisonQueueName } from '../../shared/storage/outgoingMailStorageQueue';
import { probeTable } from '../../shared/storage/storageProbe';
import { seedSampleAccounts } from '../../dev/sampleAccounts';
import { startScriptedSendGrid, type ScriptedSendGrid, type SendGridAnswer } from '../fakes/scriptedSendGrid';
import { startScriptedSmtp } from '../fakes/scriptedSmtp';
import { emptyStorage } from '../support/storage';
import { runCli, workFolder, type CliResult, type CliWorld } from './runCli';

const signal = AbortSignal.timeout(120_000);
const folder = workFolder();
const own = workFolder();
const random = Buffer.from(Array.from({ length: 32 }, (_, index) => (index * 37 + 200) % 256)).toString('base64');
const sample = 'ZGV2ZWxvcG1lbnQgb25seTogdGhpcyBzZWNyZXQgaXMgaW4gdGhlIHJlcG9zaXRvcnk=';
const sendMailScope: SendGridAnswer = {
  status: 200,
  body: JSON.stringify({ scopes: ['mail.send', 'user.profile.read'] }),
};
const domains = (...list: object[]): SendGridAnswer => ({ status: 200, body: JSON.stringify(list) });

describe('npm run site -- doctor', () => {
  let connectionString: string;
  let storage: StorageClients;
  let sendGrid: ScriptedSendGrid;
  beforeAll(async () => {
    sendGrid = await startScriptedSendGrid();
  });
  afterAll(() => sendGrid.close());
  /** What a dev set-up looks like after its first mail. */
  beforeEach(async () => {
    connectionString = emptyStorage();
    storage = await createStorageClients({ kind: 'connectionString', connectionString });
    await seedSampleAccounts(storage);
    for (const name of ['ResetKeys', 'Limits', 'Deliveries'] as const) await storage.table(name).get('x', 'x', signal);
    await storage.queue(outgoingMailQueueName).createIfNotExists();
    expect((await site(['show'])).code).toBe(0);
  });

  const site = (argv: readonly string[], world: Partial<CliWorld> = {}): Promise<CliResult> =>
    runCli(run, connectionString, argv, { cwd: folder.path, ...world });
  const doctor = async (env: Record<string, string | undefined> = {}, world: Partial<CliWorld> = {}) => {
    const result = await site(['doctor', '--json'], { ...world, env });
    return { ...result, findings: result.json() as Finding[] };
  };
  const production = () => ({
    AZURE_FUNCTIONS_ENVIRONMENT: 'Production',
    SITE_PROTOCOL: 'https',
    LOGIN_URL: '',
    RESET_SIGNING_SECRETS: `20260101:${random}`,
    EMAIL_BACKEND: 'sendgrid',
    SENDGRID_API_KEY: 'SG.secret',
    SENDGRID_API_URL: sendGrid.url,
    SENDGRID_WEBHOOK_PUBLIC_KEY:
      'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf59w42mP97Z0gAGb9tiGmvFPX6MPGN9Yg9boG4BQW1FwHugh7RkjRDIS41oyhY/ZsQLbA1RWVKTpy1IySgBjfQ==',
  });
  /** The one finding that is not well, with its cure; everything else must be well. */
  async function onlyFault(
    env: Record<string, string | undefined> = {},
    world: Partial<CliWorld> = {},
  ): Promise<Finding> {
    const { findings, code } = await doctor(env, world);
    const faults = findings.filter(({ level }) => level !== 'ok');
    expect(faults).toHaveLength(1);
    const [fault] = faults;
    if (fault === undefined) throw new Error('there is no fault');
    expect(fault.cure).toEqual(expect.any(String));
    expect(code).toBe(fault.level === 'fail' ? 1 : 0);
    return fault;
  }
  const editSite = async (columns: Record<string, string>): Promise<void> => {
    const row = await storage.table('SiteSettings').get('site', '1', signal);
    await storage.table('SiteSettings').merge('site', '1', columns, row?.etag ?? '', signal);
  };

  it('finds a healthy dev set-up all green, and leaves it as it was', async () => {
    const result = await site(['doctor']);
    expect(result).toMatchObject({ code: 0, error: '' });
    for (const line of result.out.trim().split('\n')) expect(line).toMatch(/^ok {4}/);
    expect(result.out).toMatch(/settings[^]*tables[^]*queue[^]*clock[^]*site row[^]*accounts[^]*console/);
    await expect(storage.queue(poisonQueueName).getProperties()).rejects.toMatchObject({ code: 'QueueNotFound' });
  });

  it('finds a healthy production set-up all green', async () => {
    await editSite({ protocol: 'https', loginUrl: '' });
    sendGrid.script(sendMailScope, domains({ domain: 'codalab.org', valid: true }));
    expect((await doctor(production())).findings.filter(({ level }) => level !== 'ok')).toEqual([]);
  });

  it('1: names every setting that is missing or wrong, and still looks at storage', async () => {
    const { findings, code } = await doctor({ CODALAB_SITE_NAME: undefined, EMAIL_PORT: 'x' });
    expect(code).toBe(1);
    expect(findings).toContainEqual(expect.objectContaining({ level: 'fail', what: 'CODALAB_SITE_NAME is missing.' }));
    expect(findings).toContainEqual(
      expect.objectContaining({
        level: 'fail',
        what: expect.stringMatching(/^EMAIL_PORT is not a whole number/) as string,
      }),
    );
    expect(findings).toContainEqual(expect.objectContaining({ level: 'ok', check: 'tables' }));
  });

  it('2: a setting that is misspelt in the settings file', async () => {
    own.write(
      'local.settings.json',
      JSON.stringify({ Values: { EMAIL_BAKCEND: 'smtp', FUNCTIONS_WORKER_RUNTIME: 'node' } }),
    );
    expect(await onlyFault({}, { cwd: own.path })).toMatchObject({
      level: 'warn',
      what: 'EMAIL_BAKCEND is no setting of this app.',
    });
  });

  it('3: the sample secret in production', async () => {
    const { findings } = await doctor({ ...production(), RESET_SIGNING_SECRETS: `dev:${sample}` });
    const what = 'RESET_SIGNING_SECRETS holds the sample secret of local.settings.json.example, which everybody knows.';
    expect(findings).toContainEqual(expect.objectContaining({ level: 'fail', check: 'settings', what }));
  });

  it('4: a signing secret that is text, and one that is old', async () => {
    await editSite({ protocol: 'https', loginUrl: '' });
    const text = Buffer.from('this is not random at all, but typed').toString('base64');
    sendGrid.script(sendMailScope, domains({ domain: 'codalab.org', valid: true }));
    expect(await onlyFault({ ...production(), RESET_SIGNING_SECRETS: `20260101:${text}` })).toMatchObject({
      what: expect.stringContaining('is not random') as string,
    });
    sendGrid.script(sendMailScope, domains({ domain: 'codalab.org', valid: true }));
    const old = { ...production(), RESET_SIGNING_SECRETS: `20200101:${random}` };
    expect(await onlyFault(old)).toMatchObject({
      level: 'warn',
      what: 'The secret 20200101 has been signing for more than 400 days.',
    });
  });

  it('5: a table that is missing, without making it', async () => {
    connectionString = emptyStorage();
    storage = await createStorageClients({ kind: 'connectionString', connectionString });
    await seedSampleAccounts(storage);
    const { findings } = await doctor();
    expect(findings).toContainEqual(expect.objectContaining({ level: 'warn', what: 'The table Limits is missing.' }));
    expect(findings).toContainEqual(expect.objectContaining({ level: 'warn', what: 'There is no site row yet.' }));
    expect(findings).toContainEqual(
      expect.objectContaining({ level: 'warn', what: 'The queue outgoing-mail is missing.' }),
    );
    expect(await probeTable(storage.table('Limits'), signal)).toBe('missing');
  });

  it('6: a storage port that is closed', async () => {
    const port = await closedPort();
    const { findings, code } = await doctor({
      AzureWebJobsStorage: connectionString.replace(/127\.0\.0\.1:\d+/g, `127.0.0.1:${port}`),
    });
    expect(code).toBe(1);
    const closed = { level: 'fail', cure: expect.stringContaining('is it running') as string };
    expect(findings).toContainEqual(
      expect.objectContaining({ ...closed, check: 'tables', what: expect.stringContaining('ECONNREFUSED') as string }),
    );
    expect(findings).toContainEqual(expect.objectContaining({ ...closed, check: 'queue' }));
  });

  it('7: an account key that is wrong', async () => {
    const { findings } = await doctor({
      AzureWebJobsStorage: connectionString.replace(/AccountKey=[^;]+/, `AccountKey=${random}`),
    });
    expect(findings).toContainEqual(
      expect.objectContaining({
        level: 'fail',
        check: 'tables',
        cure: expect.stringMatching(/key is wrong|firewall/) as string,
      }),
    );
  });

  it('says nothing of rows that it could not read', async () => {
    const { findings } = await doctor({
      AzureWebJobsStorage: connectionString.replace(/AccountKey=[^;]+/, `AccountKey=${random}`),
    });
    const checks = findings.filter(({ level }) => level !== 'ok').map(({ check }) => check);
    expect(checks).toEqual(['tables', 'queue']);
  });

  it('8: messages in the poison queue', async () => {
    await storage.queue(poisonQueueName).createIfNotExists();
    await storage.queue(poisonQueueName).sendMessage('x');
    const fault = await onlyFault();
    expect(fault).toMatchObject({
      level: 'warn',
      check: 'poison queue',
      what: expect.stringContaining('1 message in outgoing-mail-poison') as string,
    });
    expect(fault.cure).toContain('npm run outbox -- list');
  });

  it('9: nobody takes messages out of the queue', async () => {
    await storage.queue(outgoingMailQueueName).sendMessage('x');
    const later = new Date(Date.now() + 600_000);
    const { findings } = await doctor({}, { now: later });
    expect(findings).toContainEqual(
      expect.objectContaining({
        level: 'fail',
        check: 'queue',
        what: expect.stringMatching(/^Nobody takes messages[^]*10 minutes/) as string,
      }),
    );
  });

  it('10: a clock that is off', async () => {
    expect(await onlyFault({}, { now: new Date(Date.now() - 120_000) })).toMatchObject({
      check: 'clock',
      what: expect.stringMatching(/1(19|20|21) seconds behind/) as string,
    });
  });

  it('11: a bad locale in the site row, and http for a public domain in production', async () => {
    await editSite({ locale: 'not a language' });
    const { findings } = await doctor();
    const fault = findings.find(({ check }) => check === 'site row');
    expect(fault).toMatchObject({ level: 'fail', what: 'locale is not a BCP 47 language tag.' });
    expect(fault?.cure).toContain('npm run site -- set locale');
    await editSite({ locale: 'en' });
    sendGrid.script(sendMailScope, domains({ domain: 'codalab.org', valid: true }));
    const inProduction = (await doctor(production())).findings.filter(({ check }) => check === 'site row');
    expect(inProduction).toContainEqual(
      expect.objectContaining({ level: 'fail', what: expect.stringMatching(/^protocol is http/) as string }),
    );
  });

  it('12: a language without mail words', async () => {
    await editSite({ locale: 'cy' });
    expect(await onlyFault()).toMatchObject({
      level: 'warn',
      what: 'There are no texts in the language cy: mails and pages are in English.',
    });
  });

  it("13: a sender outside the site's domain", async () => {
    await editSite({ defaultFromEmail: 'CodaLab <info@example.com>' });
    expect(await onlyFault()).toMatchObject({
      level: 'warn',
      check: 'sender',
      cure: expect.stringContaining('set defaultFromEmail') as string,
    });
  });

  it.each([
    ['an API key that SendGrid refuses', [{ status: 401 }], 'SendGrid refuses SENDGRID_API_KEY (401).'],
    [
      'an API key that may not send',
      [{ status: 200, body: '{"scopes":["user.profile.read"]}' }],
      'SENDGRID_API_KEY may not send mail.',
    ],
    [
      'a URL that is not SendGrid',
      [{ status: 200, body: '<html>' }],
      'SENDGRID_API_URL does not answer as SendGrid does (200).',
    ],
    ['a SendGrid that does not answer', ['reset'], 'SendGrid cannot be reached (no answer).'],
    [
      "a sender's domain that is not authenticated",
      [sendMailScope, domains({ domain: 'other.org', valid: true })],
      "The sender's domain codalab.org is not authenticated at SendGrid: mail is refused (403), or goes to spam.",
    ],
    [
      "a sender's domain whose DNS records are missing",
      [sendMailScope, domains({ domain: 'codalab.org', valid: false })],
      'SendGrid has not verified the DNS records of codalab.org.',
    ],
  ] as const)('14: %s', async (_fault, answers, what) => {
    await editSite({ protocol: 'https', loginUrl: '' });
    sendGrid.script(...answers);
    const fault = await onlyFault(production());
    expect(fault).toMatchObject({ level: 'fail', what });
    expect(JSON.stringify(fault)).not.toContain('SG.secret');
  });

  it('is content with an API key that may only send', async () => {
    await editSite({ protocol: 'https', loginUrl: '' });
    sendGrid.script(sendMailScope, { status: 403, body: '{"errors":[{"message":"access forbidden"}]}' });
    expect((await doctor(production())).findings.filter(({ level }) => level !== 'ok')).toEqual([]);
  });

  describe('15: SMTP', () => {
    const smtp = (port: number): Record<string, string> => ({
      EMAIL_BACKEND: 'smtp',
      EMAIL_HOST: '127.0.0.1',
      EMAIL_PORT: String(port),
      EMAIL_USE_TLS: 'false',
      EMAIL_HOST_USER: '',
    });

    it('a server that answers is well', async () => {
      const server = await startScriptedSmtp();
      expect((await doctor(smtp(server.port))).findings.filter(({ level }) => level !== 'ok')).toEqual([]);
      await server.close();
    });

    it('a closed port', async () => {
      expect(await onlyFault(smtp(await closedPort()))).toMatchObject({
        level: 'fail',
        what: 'The SMTP server cannot be used (connection_refused).',
        cure: expect.stringContaining('EMAIL_PORT') as string,
      });
    });

    it('a log-in that is refused', async () => {
      const server = await startScriptedSmtp({ auth: { user: 'right', password: 'right' } });
      const env = { ...smtp(server.port), EMAIL_HOST_USER: 'someone', EMAIL_HOST_PASSWORD: 'wrong-password' };
      const fault = await onlyFault(env);
      expect(fault).toMatchObject({
        level: 'fail',
        what: 'The SMTP server cannot be used (smtp_535).',
        cure: expect.stringContaining('EMAIL_HOST_PASSWORD') as string,
      });
      expect(JSON.stringify(fault)).not.toContain('wrong-password');
      await server.close();
    });

    it('no STARTTLS where it is demanded', async () => {
      const server = await startScriptedSmtp();
      expect(await onlyFault({ ...smtp(server.port), EMAIL_USE_TLS: 'true' })).toMatchObject({
        level: 'fail',
        what: 'The SMTP server cannot be used (tls).',
      });
      await server.close();
    });
  });

  it('16: a pretending backend, and nobody to alert, in production', async () => {
    await editSite({ protocol: 'https', loginUrl: '' });
    const { findings } = await doctor({
      ...production(),
      EMAIL_BACKEND: 'console',
      ALLOW_DEV_EMAIL_BACKEND: 'true',
      ADMINS: '',
    });
    expect(findings.filter(({ level }) => level !== 'ok').map(({ level, check }) => [level, check])).toEqual([
      ['fail', 'console'],
      ['warn', 'alerts'],
    ]);
  });

  it('17: nearly all requests from one client', async () => {
    const limits = createLimitsTable(storage.table('Limits'));
    const perIp = { burst: 60, refillMs: 60_000 };
    const now = new Date();
    for (let mail = 0; mail < 25; mail++) {
      await limits.take('ip:10.0.0.1', perIp, `mail-${mail}`, now, signal);
      await limits.take(`address:${mail}`, { burst: 3, refillMs: 300_000 }, `mail-${mail}`, now, signal);
    }
    expect(await onlyFault()).toMatchObject({
      level: 'warn',
      what: expect.stringContaining('(25 of 25)') as string,
      cure: expect.stringContaining('TRUSTED_PROXY_HOPS') as string,
    });
    for (let mail = 0; mail < 25; mail++) await limits.take(`ip:10.0.1.${mail}`, perIp, `other-${mail}`, now, signal);
    expect((await doctor()).findings.every(({ level }) => level === 'ok')).toBe(true);
  });

  it('18: account rows that the app skips, and none at all', async () => {
    const admin = createAccountsAdmin(storage.table('Accounts'));
    const [record] = await admin.findByAddress('someuser@somewhere.com', signal);
    await storage
      .table('Accounts')
      .merge(
        addressHashOf('someuser@somewhere.com'),
        '1',
        { email: 'edited@portal.org' },
        record?.row.etag ?? '',
        signal,
      );
    expect(await onlyFault()).toMatchObject({
      level: 'warn',
      what: 'Of the 6 accounts the app skips 1: their rows are broken.',
    });
    for await (const { sub, id, row } of admin.list(signal))
      await storage.table('Accounts').remove(sub, id, row.etag, signal);
    expect(await onlyFault()).toMatchObject({ level: 'warn', what: 'There are no accounts.' });
  });
});

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
