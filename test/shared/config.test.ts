import { createHash, randomBytes } from 'node:crypto';
import { readConfig, sampleSigningSecret, settingNames, type Config } from '../../shared/config';
import { exampleSettings } from '../support/app';

const secret = createHash('sha256').update('a production secret').digest('base64');
const another = createHash('sha256').update('another production secret').digest();
/** What a site on Azure with SendGrid sets. */
const production: Record<string, string> = {
  AzureWebJobsStorage:
    'DefaultEndpointsProtocol=https;AccountName=codalab;AccountKey=AAAA;EndpointSuffix=core.windows.net',
  CODALAB_SITE_DOMAIN: 'codalab.org',
  CODALAB_SITE_NAME: 'CodaLab',
  DEFAULT_FROM_EMAIL: 'info@codalab.org',
  SERVER_EMAIL: 'server@codalab.org',
  EMAIL_BACKEND: 'sendgrid',
  SENDGRID_API_KEY: 'SG.a-secret-api-key',
  RESET_SIGNING_SECRETS: `k1:${secret}`,
};

function configOf(changes: Record<string, string | undefined> = {}, from = production): Config {
  const result = readConfig({ ...from, ...changes });
  if (!result.ok) throw new Error(result.problems.join('; '));
  return result.config;
}
function problemsOf(changes: Record<string, string | undefined>, from = production): readonly string[] {
  const result = readConfig({ ...from, ...changes });
  return result.ok ? [] : result.problems;
}
const namesOf = (problems: readonly string[]): string[] => problems.map((problem) => problem.split(' ')[0] ?? '');

describe('the settings', () => {
  it('of local.settings.json.example are good, and name every setting there is', () => {
    expect(readConfig(exampleSettings)).toMatchObject({ ok: true, config: { development: true } });
    const hostSettings = Object.keys(exampleSettings).filter((name) =>
      /^(?:FUNCTIONS_|AzureFunctionsJobHost__)/.test(name),
    );
    expect(Object.keys(exampleSettings).sort()).toEqual([...settingNames, ...hostSettings].sort());
  });

  it('have the documented defaults', () => {
    expect(configOf()).toMatchObject({
      development: false,
      siteId: '1',
      resetKeyTtlMinutes: 60,
      password: { minLength: 15, hasher: 'argon2id', pwnedPasswordsUrl: 'https://api.pwnedpasswords.com' },
      limits: { perAddress: { burst: 3, refillMs: 300_000, perDay: 20 }, perIp: { burst: 60, refillMs: 60_000 } },
      trustedProxyHops: 1,
      allowedOrigins: [],
      linksEndpoint: false,
      admins: [],
      siteDefaults: { protocol: 'https', locale: 'en' },
    });
  });

  it('ask for breached passwords by default on Azure and not in development', () => {
    const development = { ...exampleSettings, PWNED_PASSWORDS: '' };
    expect(configOf({}, development).password.pwnedPasswordsUrl).toBeUndefined();
    expect(configOf({ PWNED_PASSWORDS: 'on' }, development).password.pwnedPasswordsUrl).toBeDefined();
    expect(configOf({ PWNED_PASSWORDS: 'off' }).password.pwnedPasswordsUrl).toBeUndefined();
  });

  it('count an empty value as not set', () => {
    expect(configOf({ RESET_KEY_TTL_MINUTES: '', SITE_ID: '  ' })).toMatchObject({
      resetKeyTtlMinutes: 60,
      siteId: '1',
    });
  });

  it('report every problem in one run, each by its name', () => {
    const problems = problemsOf({
      AzureWebJobsStorage: undefined,
      CODALAB_SITE_DOMAIN: undefined,
      SERVER_EMAIL: 'nobody',
      EMAIL_BACKEND: 'sendgrid,smtp',
      SENDGRID_API_KEY: undefined,
      RESET_SIGNING_SECRETS: undefined,
      RESET_KEY_TTL_MINUTES: 'abc',
      PASSWORD_MIN_LENGTH: '3',
      LIMIT_PER_IP: 'off',
      LIMIT_PER_ADDRESS: 'lots',
      TRUSTED_PROXY_HOPS: '-1',
      ALLOWED_ORIGINS: '*',
      PASSWORD_HASHER: 'md5',
      LINKS_ENDPOINT: 'maybe',
    });
    expect(namesOf(problems).sort()).toEqual(
      [
        'AzureWebJobsStorage',
        'CODALAB_SITE_DOMAIN',
        'SERVER_EMAIL',
        'SENDGRID_API_KEY',
        'EMAIL_HOST_USER',
        'EMAIL_HOST_PASSWORD',
        'RESET_SIGNING_SECRETS',
        'RESET_KEY_TTL_MINUTES',
        'PASSWORD_MIN_LENGTH',
        'LIMIT_PER_IP',
        'LIMIT_PER_ADDRESS',
        'TRUSTED_PROXY_HOPS',
        'ALLOWED_ORIGINS',
        'PASSWORD_HASHER',
        'LINKS_ENDPOINT',
      ].sort(),
    );
  });

  it('never repeat a value in a problem', () => {
    const canary = 'canary-7f3a';
    const everything = Object.fromEntries(settingNames.map((name) => [name, `${canary}\u0001<${name}>`]));
    const problems = problemsOf(everything, {});
    expect(problems.length).toBeGreaterThan(15);
    expect(problems.join('\n')).not.toContain(canary);
    expect(problemsOf({ RESET_SIGNING_SECRETS: `k1:${canary}` }).join('\n')).not.toContain(canary);
    expect(problemsOf({ AzureWebJobsStorage: canary }).join('\n')).not.toContain(canary);
  });

  it.each(['3600', '0', '4', '1441', 'abc', '-1', '1e9', '60.5', '٦٠', '0x3c', '99999999999'])(
    '[J8] refuse a life of %s minutes',
    (text) => {
      expect(namesOf(problemsOf({ RESET_KEY_TTL_MINUTES: text }))).toEqual(['RESET_KEY_TTL_MINUTES']);
    },
  );

  it.each([
    ['60', 60],
    ['5', 5],
    ['1440', 1440],
  ])('[J8] read the life "%s" as that many minutes', (text, minutes) => {
    expect(configOf({ RESET_KEY_TTL_MINUTES: text }).resetKeyTtlMinutes).toBe(minutes);
  });

  it.each([
    ['absent', undefined],
    ['empty', ''],
    ['"undefined"', 'undefined'],
    ['without a kid', secret],
    ['of 31 bytes', `k1:${Buffer.alloc(31, 1).toString('base64')}`],
    ['of one character', 'k1:x'],
    ['with a kid of nine characters', `kid-99999:${secret}`],
    ['with a kid that is no name', `../x:${secret}`],
    ['followed by nothing', `k1:${secret},`],
    ['twice under one kid', `k1:${secret},k1:${another.toString('base64')}`],
    ['twice the same', `k1:${secret},k2:${secret}`],
    ['followed by a bad one', `k1:${secret},k2:short`],
  ])('[J9] refuse a signing secret %s', (_what, value) => {
    expect(namesOf(problemsOf({ RESET_SIGNING_SECRETS: value }))).toEqual(['RESET_SIGNING_SECRETS']);
  });

  it('[J9] refuse the sample secret outside development, wherever it stands in the list', () => {
    expect(namesOf(problemsOf({ RESET_SIGNING_SECRETS: `x:${sampleSigningSecret}` }))).toEqual([
      'RESET_SIGNING_SECRETS',
    ]);
    const second = `k1:${secret},x:${sampleSigningSecret}`;
    expect(namesOf(problemsOf({ RESET_SIGNING_SECRETS: second }))).toEqual(['RESET_SIGNING_SECRETS']);
    const respelled = sampleSigningSecret.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_');
    expect(namesOf(problemsOf({ RESET_SIGNING_SECRETS: `x:${respelled}` }))).toEqual(['RESET_SIGNING_SECRETS']);
    expect(exampleSettings['RESET_SIGNING_SECRETS']).toContain(sampleSigningSecret);
  });

  it('[D1] read a list of secrets, the first one signing', () => {
    const config = configOf({
      RESET_SIGNING_SECRETS: `new:${another.toString('base64url')}, old:${secret}`,
    });
    expect(config.signingSecrets.map(({ kid }) => kid)).toEqual(['new', 'old']);
    expect(config.signingSecrets[0].secret).toEqual(another);
  });

  it('[LG3] refuse production without a mail provider, and backends that send nothing without a clear word', () => {
    expect(namesOf(problemsOf({ EMAIL_BACKEND: undefined }))).toEqual(['EMAIL_BACKEND']);
    expect(namesOf(problemsOf({ EMAIL_BACKEND: 'console' }))).toEqual(['EMAIL_BACKEND']);
    expect(namesOf(problemsOf({ EMAIL_BACKEND: 'sendgrid,console' }))).toEqual(['EMAIL_BACKEND']);
    expect(namesOf(problemsOf({ EMAIL_BACKEND: 'file', EMAIL_FILE_PATH: '/mail' }))).toEqual(['EMAIL_BACKEND']);
    expect(namesOf(problemsOf({ EMAIL_BACKEND: 'django.core.mail.backends.console.EmailBackend' }))).toEqual([
      'EMAIL_BACKEND',
    ]);
    expect(configOf({ EMAIL_BACKEND: 'console', ALLOW_DEV_EMAIL_BACKEND: 'true' }).email.backends).toEqual(['console']);
    expect(configOf({ EMAIL_BACKEND: undefined }, { ...exampleSettings }).email.backends).toEqual(['console']);
  });

  it('refuse plain http outside loopback for everything that carries a secret', () => {
    for (const name of ['SENDGRID_API_URL', 'PWNED_PASSWORDS_URL', 'ACCOUNT_DIRECTORY_URL', 'SITE_EVENTS_URL']) {
      expect(namesOf(problemsOf({ [name]: 'http://api.example.org' }))).toEqual([name]);
      expect(namesOf(problemsOf({ [name]: 'http://localhost.evil.example/' }))).toEqual([name]);
      expect(namesOf(problemsOf({ [name]: 'http://127.0.0.1@evil.example/' }))).toEqual([name]);
      const events = { SITE_EVENTS_SECRETS: `whsec_${randomBytes(32).toString('base64')}` };
      expect(problemsOf({ ...events, [name]: 'http://127.0.0.1:4000' })).toEqual([]);
    }
    const smtp = { EMAIL_BACKEND: 'smtp', EMAIL_HOST_USER: 'apikey', EMAIL_HOST_PASSWORD: 'x' };
    expect(namesOf(problemsOf({ ...smtp, EMAIL_USE_TLS: 'false' }))).toEqual(['EMAIL_USE_TLS']);
    expect(configOf(smtp).email.smtp).toMatchObject({ security: 'starttls', port: 587, host: 'smtp.sendgrid.net' });
  });

  it('of a directory of the site must be there, and share no secret with reset keys', () => {
    const secret = randomBytes(32).toString('base64');
    const url = 'https://example.org/password-reset';
    const http = {
      ACCOUNT_DIRECTORY: 'http',
      ACCOUNT_DIRECTORY_URL: url,
      ACCOUNT_DIRECTORY_SECRETS: `whsec_${secret}`,
    };
    expect(configOf(http).directory).toMatchObject({ kind: 'http', url, password: 'encoded' });
    expect(problemsOf({ ACCOUNT_DIRECTORY: 'http' })).toEqual([
      'ACCOUNT_DIRECTORY_URL is missing: ACCOUNT_DIRECTORY=http needs it',
      'ACCOUNT_DIRECTORY_SECRETS is missing: ACCOUNT_DIRECTORY=http needs it',
    ]);
    const plain = { ...http, ACCOUNT_DIRECTORY_PASSWORD: 'plain', ACCOUNT_DIRECTORY_URL: 'http://example.org/x' };
    expect(problemsOf(plain)).toEqual(['ACCOUNT_DIRECTORY_URL is not an https:// URL (http only on loopback)']);
    expect(problemsOf({ ...http, RESET_SIGNING_SECRETS: `k:${secret}` })).toEqual([
      'ACCOUNT_DIRECTORY_SECRETS holds a secret of RESET_SIGNING_SECRETS',
    ]);
  });

  it('refuse limits that are off outside development', () => {
    expect(namesOf(problemsOf({ LIMIT_PER_ADDRESS: 'off', LIMIT_PER_IP: 'off' }))).toEqual([
      'LIMIT_PER_ADDRESS',
      'LIMIT_PER_IP',
    ]);
    expect(configOf({ LIMIT_PER_IP: 'off' }, { ...exampleSettings }).limits.perIp).toBe('off');
  });

  it.each(['', '3', '0/5m', '3/0m', '1001/1m', '3/5w', '-3/5m', '3/5m,4/5m', '3/5'])('refuse the limit %j', (text) => {
    const problems = namesOf(problemsOf({ LIMIT_PER_ADDRESS: text }));
    expect(problems).toEqual(text === '' ? [] : ['LIMIT_PER_ADDRESS']);
  });

  it.each([
    ['ACCOUNT_DIRECTORY', 'ldap'],
    ['ACCOUNT_DIRECTORY_PASSWORD', 'md5'],
    ['ACCOUNT_DIRECTORY_SECRETS', `whsec_${'A'.repeat(31)}`],
    ['SITE_EVENTS_SECRETS', `whsec_${'A'.repeat(32)},secret`],
    ['MAIL_SEALING_SECRETS', 'k:short'],
    ['LIMIT_PER_ADDRESS_DAY', '20/day'],
    ['SITE_TIME_ZONE', 'Mars/Olympus'],
  ])('refuse %s %j', (name, value) => {
    expect(namesOf(problemsOf({ [name]: value }))).toEqual([name]);
  });

  it.each([
    ['*'],
    ['https://www.example.org/'],
    ['https://www.example.org/path'],
    ['http://www.example.org'],
    ['null'],
    ['https://user@www.example.org'],
    ['https://WWW.example.org'],
  ])('refuse %s as an allowed origin', (origin) => {
    expect(namesOf(problemsOf({ ALLOWED_ORIGINS: `https://good.example,${origin}` }))).toEqual(['ALLOWED_ORIGINS']);
  });

  it.each(['1234567', 'a b', '../1', "x' or 1", 'ä', 'a/b', 'a#b'])('[T2] refuse %j as SITE_ID', (siteId) => {
    expect(namesOf(problemsOf({ SITE_ID: siteId }))).toEqual(['SITE_ID']);
  });

  it('[L4] refuse a site of plain http, or a link that is none, outside development', () => {
    expect(namesOf(problemsOf({ SITE_PROTOCOL: 'http' }))).toContain('SITE_PROTOCOL');
    for (const link of [
      'javascript:{key}',
      'https://evil@codalab.org/{key}',
      '{protocol}://{domain}/',
      'http://codalab.org/{key}',
    ]) {
      expect(namesOf(problemsOf({ RESET_URL: link }))).toContain('RESET_URL');
    }
  });

  it('take storage by identity, by account name or by both service URIs', () => {
    const identity = { AzureWebJobsStorage: undefined, AzureWebJobsStorage__accountName: 'codalab' };
    expect(configOf(identity).storage).toEqual({
      kind: 'identity',
      tableServiceUri: 'https://codalab.table.core.windows.net',
      queueServiceUri: 'https://codalab.queue.core.windows.net',
      managedIdentity: false,
    });
    expect(
      configOf({ ...identity, AzureWebJobsStorage__credential: 'managedidentity', AzureWebJobsStorage__clientId: 'x' })
        .storage,
    ).toMatchObject({ managedIdentity: true, clientId: 'x' });
    const half = {
      AzureWebJobsStorage: undefined,
      AzureWebJobsStorage__tableServiceUri: 'https://x.table.core.windows.net',
    };
    expect(namesOf(problemsOf(half))).toEqual(['AzureWebJobsStorage']);
  });
});

describe('an operator’s slip does not fail open', () => {
  const problemsOf = (env: Record<string, string>): readonly string[] => {
    const read = readConfig({ ...production, ...env });
    return read.ok ? [] : read.problems;
  };

  it('refuses the development mode in Azure', () => {
    for (const name of ['WEBSITE_INSTANCE_ID', 'WEBSITE_SITE_NAME']) {
      const problems = problemsOf({ AZURE_FUNCTIONS_ENVIRONMENT: 'Development', [name]: 'x' });
      expect(problems).toContain('AZURE_FUNCTIONS_ENVIRONMENT is Development in Azure: remove it');
    }
  });

  it('refuses a signing secret that is a word again and again', () => {
    const changeme = Buffer.from('changeme'.repeat(4)).toString('base64');
    expect(problemsOf({ RESET_SIGNING_SECRETS: `k1:${changeme}` })).toEqual([
      'RESET_SIGNING_SECRETS holds a secret that is not random',
    ]);
  });

  it('refuses a Key Vault reference that was not resolved', () => {
    const reference = '@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/x)';
    expect(problemsOf({ SENDGRID_API_KEY: reference })).toContain(
      'SENDGRID_API_KEY is a Key Vault reference that was not resolved',
    );
  });

  it('refuses to trust no hop in production: all people would share one limit', () => {
    expect(problemsOf({ TRUSTED_PROXY_HOPS: '0' })).toEqual([
      'TRUSTED_PROXY_HOPS can be 0 in development only: all people would share one limit',
    ]);
  });

  it('refuses a connection string without a key', () => {
    expect(problemsOf({ AzureWebJobsStorage: 'AccountName=codalab' })).toEqual([
      'AzureWebJobsStorage is no storage connection string',
    ]);
  });
});
