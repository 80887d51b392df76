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

  it.each([5, 1440])('[J8] read a life of %d minutes', (minutes) => {
    expect(configOf({ RESET_KEY_TTL_MINUTES: String(minutes) }).resetKeyTtlMinutes).toBe(minutes);
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

  const reordered = { '+': '-', '/': '_', '=': '' };
  const respelledSample = sampleSigningSecret.replace(/[+/=]/g, (sign) => reordered[sign as keyof typeof reordered]);
  const bad: Record<string, readonly (string | undefined)[]> = {
    RESET_KEY_TTL_MINUTES: ['0', '4', '1441', 'abc', '-1', '1e9', '60.5', '٦٠', '0x3c'], // [J8]
    // [J9]
    RESET_SIGNING_SECRETS: [
      undefined,
      '',
      secret,
      `k1:${Buffer.alloc(31, 1).toString('base64')}`,
      'k1:x',
      `kid-99999:${secret}`,
      `../x:${secret}`,
      `k1:${secret},`,
      `k1:${secret},k1:${another.toString('base64')}`,
      `k1:${secret},k2:${secret}`,
      `k1:${secret},k2:short`,
      `k1:${secret},x:${sampleSigningSecret}`,
      `x:${respelledSample}`,
      `k1:${Buffer.from('changeme'.repeat(4)).toString('base64')}`,
    ],
    MAIL_SEALING_SECRETS: ['k:short'],
    CODALAB_SITE_DOMAIN: [undefined],
    SERVER_EMAIL: ['nobody'],
    PASSWORD_MIN_LENGTH: ['3'],
    PASSWORD_HASHER: ['md5'],
    LINKS_ENDPOINT: ['maybe'],
    // [LG3]
    EMAIL_BACKEND: [undefined, 'console', 'sendgrid,console', 'django.core.mail.backends.console.EmailBackend'],
    LIMIT_PER_ADDRESS: ['off', '3', '0/5m', '3/0m', '1001/1m', '3/5w', '-3/5m', '3/5m,4/5m', '3/5'],
    LIMIT_PER_IP: ['off'],
    LIMIT_PER_ADDRESS_DAY: ['20/day'],
    ALLOWED_ORIGINS: [
      '*',
      'https://www.example.org/',
      'https://www.example.org/path',
      'http://www.example.org',
      'null',
      'https://user@www.example.org',
      'https://WWW.example.org',
    ].map((origin) => `https://good.example,${origin}`),
    SITE_ID: ['1234567', 'a b', '../1', "x' or 1", 'ä', 'a/b', 'a#b'], // [T2]
    SITE_TIME_ZONE: ['Mars/Olympus'],
    ACCOUNT_DIRECTORY: ['ldap'],
    ACCOUNT_DIRECTORY_PASSWORD: ['md5'],
    ACCOUNT_DIRECTORY_SECRETS: [`whsec_${'A'.repeat(31)}`],
    SITE_EVENTS_SECRETS: [`whsec_${'A'.repeat(32)},secret`],
    // All people would share one limit.
    TRUSTED_PROXY_HOPS: ['0', '-1'],
    AzureWebJobsStorage: [undefined, 'AccountName=codalab'],
    // A Key Vault reference that was not resolved.
    SENDGRID_API_KEY: [undefined, '@Microsoft.KeyVault(SecretUri=https://vault.example/secrets/x)'],
  };
  it.each(Object.entries(bad).flatMap(([name, values]) => values.map((value) => [name, value] as const)))(
    'refuse %s %j outside development',
    (name, value) => {
      expect(new Set(namesOf(problemsOf({ [name]: value })))).toEqual(new Set([name]));
    },
  );

  it('report every problem in one run, each by its name', () => {
    const all = Object.fromEntries(Object.entries(bad).map(([name, values]) => [name, values.at(-1)]));
    expect(new Set(namesOf(problemsOf(all)))).toEqual(new Set(Object.keys(bad)));
  });

  it('that are refused outside development may be fit for it', () => {
    expect(exampleSettings['RESET_SIGNING_SECRETS']).toContain(sampleSigningSecret);
    expect(configOf({ EMAIL_BACKEND: 'console', ALLOW_DEV_EMAIL_BACKEND: 'true' }).email.backends).toEqual(['console']);
    expect(configOf({ EMAIL_BACKEND: undefined }, exampleSettings).email.backends).toEqual(['console']);
    expect(configOf({ LIMIT_PER_IP: 'off' }, exampleSettings).limits.perIp).toBe('off');
  });

  it('[D1] read a list of secrets, the first one signing', () => {
    const config = configOf({
      RESET_SIGNING_SECRETS: `new:${another.toString('base64url')}, old:${secret}`,
    });
    expect(config.signingSecrets.map(({ kid }) => kid)).toEqual(['new', 'old']);
    expect(config.signingSecrets[0].secret).toEqual(another);
  });

  it('refuse plain http outside loopback for everything that carries a secret', () => {
    for (const name of ['SENDGRID_API_URL', 'PWNED_PASSWORDS_URL', 'ACCOUNT_DIRECTORY_URL', 'SITE_EVENTS_URL']) {
      expect(namesOf(problemsOf({ [name]: 'http://api.example.org' }))).toEqual([name]);
      expect(namesOf(problemsOf({ [name]: 'http://localhost.evil.example/' }))).toEqual([name]);
      expect(namesOf(problemsOf({ [name]: 'http://127.0.0.1@evil.example/' }))).toEqual([name]);
      const events = { SITE_EVENTS_SECRETS: `whsec_${randomBytes(32).toString('base64')}` };
      expect(problemsOf({ ...events, [name]: 'http://127.0.0.1:4000' })).toEqual([]);
    }
    expect(namesOf(problemsOf({ SITE_PROTOCOL: 'http' }))).toContain('SITE_PROTOCOL'); // [L4]
    expect(namesOf(problemsOf({ RESET_URL: 'http://codalab.org/{key}' }))).toEqual(['RESET_URL']);
    expect(namesOf(problemsOf({ EMAIL_BACKEND: 'smtp' }))).toEqual(['EMAIL_HOST_USER', 'EMAIL_HOST_PASSWORD']);
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
    expect(configOf(http).directory).toMatchObject({ kind: 'http', url, passwordFormat: 'encoded' });
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

  it.each(['WEBSITE_INSTANCE_ID', 'WEBSITE_SITE_NAME'])('refuse the development mode in Azure (%s)', (name) => {
    const problems = problemsOf({ AZURE_FUNCTIONS_ENVIRONMENT: 'Development', [name]: 'x' });
    expect(problems).toContain('AZURE_FUNCTIONS_ENVIRONMENT is Development in Azure: remove it');
  });
});
