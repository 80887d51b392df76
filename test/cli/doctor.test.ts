// `npm run site -- doctor`: planted faults, each named with its cure. Checks of storage run on Azurite, the others on tables in memory.
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { checkAccounts, checkDirectory } from '../../cli/doctor/checkAccounts';
import { checkEmail } from '../../cli/doctor/checkEmail';
import { checkSecrets } from '../../cli/doctor/checkSettings';
import { checkSite } from '../../cli/doctor/checkSite';
import type { CheckInput, Finding } from '../../cli/doctor/finding';
import { run } from '../../cli/site/run';
import { seedSampleAccounts } from '../../dev/samples';
import { startSite } from '../../integrations/node-reference/site';
import { StorageUnavailable } from '../../shared/errors';
import { readConfig } from '../../shared/config';
import type { AccountDirectory } from '../../shared/directory/accountDirectory';
import { createHttpDirectory } from '../../shared/directory/httpDirectory';
import {
  createStorageClients,
  outgoingMailQueueName,
  poisonQueueName,
  type StorageClients,
} from '../../shared/storage/storage';
import { startScriptedSendGrid, type ScriptedSendGrid, type SendGridAnswer } from '../fakes/scriptedSendGrid';
import { startScriptedSmtp } from '../fakes/scriptedSmtp';
import { exampleSettings } from '../support/app';
import { siteSecret, startDirectorySite } from '../support/directorySite';
import { emptyStorage } from '../support/storage';
import { containing, matching, memoryStorage, runCli, workFolder, type CliResult, type CliWorld } from './runCli';

const folder = workFolder();
const finding = (fields: Partial<Finding>): Finding => expect.objectContaining(fields) as Finding;
const faultsOf = (findings: readonly Finding[]): Finding[] => findings.filter(({ level }) => level !== 'ok');
const random = (step: number): string =>
  Buffer.from(Array.from({ length: 32 }, (_, index) => (index * step + 200) % 256)).toString('base64');
/** A kid that says its age, as the deployment makes them. */
const fresh = `k${new Date().toISOString().slice(2, 10).replaceAll('-', '')}`;

let sendGrid: ScriptedSendGrid;
beforeAll(async () => {
  sendGrid = await startScriptedSendGrid();
});
afterAll(() => sendGrid.close());
const sendMailScope: SendGridAnswer = { status: 200, body: '{"scopes":["mail.send","user.profile.read"]}' };
const domainOf = (domain: string, valid: boolean): SendGridAnswer => ({
  status: 200,
  body: JSON.stringify([{ domain, valid }]),
});
const production = () => ({
  ...{ AZURE_FUNCTIONS_ENVIRONMENT: 'Production', SITE_PROTOCOL: 'https', LOGIN_URL: '' },
  RESET_SIGNING_SECRETS: `${fresh}:${random(37)}`,
  MAIL_SEALING_SECRETS: `${fresh.replace(/^./, 'm')}:${random(41)}`,
  ...{ EMAIL_BACKEND: 'sendgrid', SENDGRID_API_KEY: 'SG.secret', SENDGRID_API_URL: sendGrid.url },
  SENDGRID_WEBHOOK_PUBLIC_KEY:
    'MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf59w42mP97Z0gAGb9tiGmvFPX6MPGN9Yg9boG4BQW1FwHugh7RkjRDIS41oyhY/ZsQLbA1RWVKTpy1IySgBjfQ==',
});

describe('on Azure Storage', () => {
  let connectionString: string;
  let storage: StorageClients;
  /** What a dev set-up looks like after its first mail. */
  beforeEach(async () => {
    connectionString = emptyStorage();
    storage = createStorageClients({ kind: 'connectionString', connectionString });
    await seedSampleAccounts(storage);
    expect((await site(['show'])).code).toBe(0);
  });
  const site = (argv: readonly string[], world: Partial<CliWorld> = {}): Promise<CliResult> =>
    runCli(run, argv, { cwd: folder.path, ...world, env: { AzureWebJobsStorage: connectionString, ...world.env } });
  const doctor = async (env: CliWorld['env'] = {}, world: Partial<CliWorld> = {}, more: readonly string[] = []) =>
    (await site(['doctor', '--json', ...more], { ...world, env })).json() as Finding[];

  it('finds nothing wrong with a dev set-up', async () => {
    const result = await site(['doctor']);
    expect(result).toMatchObject({ code: 0, error: '' });
    for (const line of result.out.trim().split('\n')) expect(line).toMatch(/^ok {4}/);
    expect(result.out).toMatch(/settings[^]*secrets[^]*tables[^]*queue[^]*clock[^]*site row[^]*accounts[^]*console/);
  });

  it('finds nothing wrong with a production set-up', async () => {
    await storage.table('SiteSettings').merge('site', '1', { protocol: 'https', loginUrl: '' }, '*');
    sendGrid.script(sendMailScope, domainOf('codalab.org', true));
    expect(faultsOf(await doctor(production()))).toEqual([]);
  });

  it('names every wrong setting, and still checks storage', async () => {
    folder.write('other.json', JSON.stringify({ Values: { EMAIL_BAKCEND: 'smtp', FUNCTIONS_WORKER_RUNTIME: 'node' } }));
    const env = { CODALAB_SITE_NAME: undefined, EMAIL_PORT: 'x' };
    const result = await site(['doctor', '--json', '--settings', 'other.json'], { env });
    expect(result.code).toBe(1);
    expect(faultsOf(result.json() as Finding[])).toEqual([
      finding({ level: 'fail', what: matching(/^EMAIL_PORT is not a whole number/) }),
      finding({ level: 'fail', what: 'CODALAB_SITE_NAME is missing.' }),
      finding({
        level: 'warn',
        what: 'EMAIL_BAKCEND is not a setting of this app.',
        cure: containing('EMAIL_BACKEND'),
      }),
    ]);
    expect(result.json()).toContainEqual(finding({ level: 'ok', check: 'tables' }));
  });

  it('names tables and queues that are missing, and does not make them', async () => {
    connectionString = emptyStorage();
    for (let time = 0; time < 2; time++) {
      const faults = faultsOf(await doctor());
      expect(faults).toHaveLength(7);
      for (const what of ['table Limits is missing', 'queue outgoing-mail is missing'])
        expect(faults).toContainEqual(finding({ level: 'fail', what: containing(what) }));
    }
  });

  it.each([
    ['a closed port', /127\.0\.0\.1:\d+/g, '127.0.0.1:1', 'is it running'],
    ['a wrong account key', /AccountKey=[^;]+/, `AccountKey=${random(37)}`, 'key is wrong'],
  ])('names %s, and says nothing of rows that it could not read', async (_what, part, instead, cure) => {
    const faults = faultsOf(await doctor({ AzureWebJobsStorage: connectionString.replace(part, instead) }));
    expect(faults).toEqual(
      ['tables', 'queue'].map((check) => finding({ level: 'fail', check, cure: containing(cure) })),
    );
  });

  it('names messages in the poison queue, messages that nobody handles, and a clock that is off', async () => {
    await (await storage.queue(poisonQueueName)).sendMessage('x');
    const poisoned = { check: 'poison queue', what: containing('1 message'), cure: containing('outbox -- list') };
    expect(faultsOf(await doctor())).toEqual([finding({ level: 'warn', ...poisoned })]);
    await (await storage.queue(outgoingMailQueueName)).sendMessage('x');
    const later = faultsOf(await doctor({}, { now: new Date(Date.now() + 600_000) }));
    expect(later).toContainEqual(finding({ level: 'fail', check: 'queue', what: containing('10 minutes old') }));
    const clock = { check: 'clock', what: matching(/(599|600|601) seconds ahead/) };
    expect(later).toContainEqual(finding({ level: 'warn', ...clock }));
  });

  it('does not judge settings that are not those of the app, with --account', async () => {
    const findings = await doctor({}, { storage }, ['--account', 'codalabstore']);
    expect(findings[0]).toMatchObject({ level: 'ok', check: 'settings', what: containing('/api/health/details') });
    expect(findings).toContainEqual(finding({ level: 'ok', check: 'tables' }));
  });
});

let memory: ReturnType<typeof memoryStorage>;
beforeEach(() => {
  memory = memoryStorage();
});
/** A site row from the settings, in memory. */
function input(env: CliWorld['env'] = {}): CheckInput {
  const settings = readConfig({ ...exampleSettings, ...env });
  if (!settings.ok) throw new Error(settings.problems.join());
  const { development, siteDefaults } = settings.config;
  memory.memory('SiteSettings').edit('site', '1', { ...siteDefaults });
  const clock = (): Date => new Date();
  return { clock, settings, isElsewhere: false, fileSettings: {}, storage: memory, siteId: '1', development };
}

describe('a check', () => {
  it.each([
    ['text', { RESET_SIGNING_SECRETS: `k:${btoa('this is not random at all, but typed')}` }, 'is text, not random'],
    ['old', { MAIL_SEALING_SECRETS: `20200101:${random(41)}` }, 'secret 20200101 has been in use for more than 400'],
    ['missing', { MAIL_SEALING_SECRETS: '' }, 'MAIL_SEALING_SECRETS is not set'],
  ])('names a secret that is %s, in production only', async (_what, env, what) => {
    const found = await checkSecrets(input({ ...production(), ...env }));
    expect(faultsOf(found)).toEqual([finding({ level: 'warn', what: containing(what) })]);
    expect(JSON.stringify(found)).not.toContain(random(37));
    expect(faultsOf(await checkSecrets(input()))).toEqual([]);
  });

  it.each([
    ['a bad locale', { locale: 'not a language' }, 'fail', 'locale is not a BCP 47 language tag.', 'set locale'],
    ['a language without texts', { locale: 'cy' }, 'warn', 'There are no texts in the language cy', 'texts export cy'],
    ['a bad protocol', { protocol: 'ftp' }, 'fail', 'protocol is neither', 'set protocol'],
    ['a sender elsewhere', { defaultFromEmail: 'a@b.org' }, 'warn', 'sent from another domain', 'set defaultFromEmail'],
  ] as const)('names %s in the site row', async (_what, columns, level, what, cure) => {
    const checked = input(production());
    memory.memory('SiteSettings').edit('site', '1', columns);
    expect(faultsOf(await checkSite(checked))).toEqual([
      finding({ level, what: containing(what), cure: containing(`npm run site -- ${cure}`) }),
    ]);
  });

  it('judges the site row also while SiteTexts is missing, which is another finding', async () => {
    const checked = input(production());
    memory.memory('SiteSettings').edit('site', '1', { defaultFromEmail: 'a@b.org' });
    jest.spyOn(memory.memory('SiteTexts'), 'list').mockImplementation(() => {
      throw new StorageUnavailable('tables', 'TableNotFound');
    });
    expect(faultsOf(await checkSite(checked))).toEqual([finding({ what: containing('sent from another domain') })]);
  });

  it('counts the site’s own texts that are refused or missing, and takes a language of the site’s own', async () => {
    const checked = input(production());
    memory.memory('SiteSettings').edit('site', '1', { locale: 'cy' });
    memory.memory('SiteTexts').edit('cy', 'page.logIn', { text: 'Mewngofnodi' });
    memory.memory('SiteTexts').edit('en', 'page.help', { text: '<b>' });
    expect(faultsOf(await checkSite(checked))).toEqual([
      finding({ what: containing('1 are refused and'), cure: 'npm run site -- texts check' }),
    ]);
  });

  it.each([
    ['an API key that SendGrid refuses', [{ status: 401 }], 'SendGrid refuses SENDGRID_API_KEY (401).'],
    ['an API key that may not send', [{ status: 200, body: '{"scopes":[]}' }], 'SENDGRID_API_KEY may not send mail.'],
    ['a URL that is not SendGrid', [{ status: 200, body: '<html>' }], 'does not answer like SendGrid (200).'],
    ['a SendGrid that does not answer', ['reset'], 'SendGrid cannot be reached (no answer).'],
    ['an unknown domain', [sendMailScope, domainOf('other.org', true)], 'codalab.org is not authenticated'],
    ['missing DNS records', [sendMailScope, domainOf('codalab.org', false)], 'has not verified the DNS records'],
  ] as const)('names %s', async (_fault, answers, what) => {
    sendGrid.script(...answers);
    const found = faultsOf(await checkEmail(input(production())));
    expect(found).toEqual([finding({ level: 'fail', what: containing(what) })]);
    expect(JSON.stringify(found)).not.toContain('SG.secret');
  });

  it('accepts an API key that may only send', async () => {
    sendGrid.script(sendMailScope, { status: 403, body: '{"errors":[{"message":"access forbidden"}]}' });
    expect(faultsOf(await checkEmail(input(production())))).toEqual([]);
  });

  it.each([
    ['nothing', {}, undefined, undefined],
    ['a refused log-in', { EMAIL_HOST_PASSWORD: 'wrong-password' }, 'smtp_535', 'EMAIL_HOST_PASSWORD'],
    ['a server without STARTTLS', { EMAIL_USE_TLS: 'true' }, 'tls', 'STARTTLS'],
    ['a closed port', { EMAIL_PORT: '1' }, 'connection_refused', 'EMAIL_PORT'],
  ])('of SMTP names %s', async (_what, env, reason, cure) => {
    const server = await startScriptedSmtp({ auth: { user: 'right', password: 'right' } });
    const host = { EMAIL_BACKEND: 'smtp', EMAIL_HOST: '127.0.0.1', EMAIL_PORT: String(server.port) };
    const right = { EMAIL_USE_TLS: 'false', EMAIL_HOST_USER: 'right', EMAIL_HOST_PASSWORD: 'right' };
    const found = faultsOf(await checkEmail(input({ ...host, ...right, ...env })));
    const what = containing(`(${reason ?? ''})`);
    expect(found).toEqual(reason === undefined ? [] : [finding({ level: 'fail', what, cure: containing(cure) })]);
    expect(JSON.stringify(found)).not.toContain('wrong-password');
    await server.close();
  });

  it('names a backend that sends nothing, and that no operator gets alerts, in production', async () => {
    const env = { EMAIL_BACKEND: 'console', ALLOW_DEV_EMAIL_BACKEND: 'true', ADMINS: '' };
    expect(faultsOf(await checkEmail(input({ ...production(), ...env })))).toEqual([
      finding({ level: 'fail', check: 'console' }),
      finding({ level: 'warn', check: 'alerts' }),
    ]);
  });

  it('names account rows that the app skips, and that there are none', async () => {
    expect(await checkAccounts(input())).toEqual([
      finding({ level: 'warn', what: containing('There are no accounts') }),
    ]);
    memory.memory('Accounts').edit('a partition', '1', { email: 'edited@portal.org', username: 'x' });
    expect(await checkAccounts(input())).toEqual([finding({ level: 'warn', what: containing('the app skips 1') })]);
  });
});

describe('the doctor asks the account directory, and', () => {
  const closers: (() => void)[] = [];
  afterAll(() => closers.forEach((close) => close()));
  const settings: Parameters<typeof checkDirectory>[1] = { passwordFormat: 'encoded', hasher: 'argon2id' };
  const directoryAt = (url: string, secrets = [siteSecret], now = new Date()): AccountDirectory =>
    createHttpDirectory(
      { url, secrets, timeoutMs: 1000 },
      () => undefined,
      () => now,
    );

  it.each(['encoded', 'plain'] as const)(
    'finds nothing wrong with a good one (%s), nor changes anything',
    async (passwordFormat) => {
      const { directory, seed, site } = await startDirectorySite(passwordFormat);
      closers.push(() => site.close());
      await seed([{ id: '1', email: 'nobody@example.org', username: 'x', password: 'x', isActive: true }]);
      const rows = site.db.all('SELECT * FROM users');
      expect(await checkDirectory(directory, { ...settings, passwordFormat })).toMatchObject([{ level: 'ok' }]);
      expect(site.db.all('SELECT * FROM users')).toEqual(rows);
    },
  );

  it('finds it by the settings', async () => {
    const url = { ACCOUNT_DIRECTORY: 'http', ACCOUNT_DIRECTORY_URL: 'http://127.0.0.1:1' };
    expect(await checkAccounts(input({ ...url, ACCOUNT_DIRECTORY_SECRETS: siteSecret }))).toEqual([
      finding({ level: 'fail', what: containing('cannot be reached (connection') }),
    ]);
  });

  const siteUrl = async (): Promise<string> => {
    const site = await startSite({ database: ':memory:', secrets: [siteSecret], passwordFormat: 'encoded' });
    closers.push(() => site.close());
    return `${site.url}/password-reset`;
  };
  const urlOf = async (listener: RequestListener): Promise<string> => {
    const server = createServer(listener);
    closers.push(() => server.close().closeAllConnections());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  };
  const unknownSecret = `whsec_${'A'.repeat(43)}=`;
  const nobody: RequestListener = (_, response) =>
    response.setHeader('Content-Type', 'application/json').end('{"accounts":[]}');

  it.each<
    readonly [string, string, () => Promise<string>, Partial<typeof settings> & { secrets?: string[]; now?: Date }]
  >([
    ['a hash that the site cannot verify', 'scrypt', siteUrl, { hasher: 'scrypt' }],
    ['passwords where the site takes hashes', 'ACCOUNT_DIRECTORY_PASSWORD', siteUrl, { passwordFormat: 'plain' }],
    ['a secret that the site does not have', 'signature', siteUrl, { secrets: [unknownSecret] }],
    ['a clock that is off', 'clock', siteUrl, { now: new Date(Date.now() - 400_000) }],
    ['a redirect', 'redirect', () => urlOf((_, response) => response.writeHead(301, { Location: '/' }).end()), {}],
    ['a page', 'not that of an account directory', () => urlOf((_, response) => response.end('<p>')), {}],
    ['an error', '500', () => urlOf((_, response) => response.writeHead(500).end()), {}],
    ['silence', 'in time', () => urlOf(() => undefined), {}],
    ['a site that sets the password of nobody', 'does not exist', () => urlOf(nobody), {}],
  ])('names %s', async (_fault, what, url, { secrets, now, ...more }) => {
    const found = await checkDirectory(directoryAt(await url(), secrets, now), { ...settings, ...more });
    expect(found).toEqual([finding({ level: 'fail', what: containing(what), cure: matching(/./) })]);
  });
});
