// The settings: one schema over process.env, checked once, every problem listed by name and never by value. The only reader
// of process.env. `local.settings.json.example` and the README's table show every setting (a test compares them).
import { z } from 'zod';
import { parseAddress } from './address';
import { parseBackendNames } from './mail/backendNames';
import type { EmailSettings } from './mail/emailBackend';
import type { PasswordHasher } from './password/passwordHash';
import type { Rate } from './limits';
import { maxResetKeyTtlMinutes, type ResetKeySettings, type SigningSecret } from './resetKey';
import { defaultResetUrl, siteSchema, type Site } from './site';

/** How our own clients reach Azure Storage; the bindings read the same settings. */
export type StorageSettings =
  | { readonly kind: 'connectionString'; readonly connectionString: string }
  | {
      readonly kind: 'identity';
      readonly tableServiceUri: string;
      readonly queueServiceUri: string;
      /** A user-assigned identity; without it the system-assigned one, or the developer's own sign-in. */
      readonly clientId?: string;
      /** `AzureWebJobsStorage__credential` = `managedidentity`. */
      readonly managedIdentity: boolean;
    };

export interface Config extends ResetKeySettings {
  /** `AZURE_FUNCTIONS_ENVIRONMENT` is `Development`: the dev host and Core Tools set it. */
  readonly development: boolean;
  readonly storage: StorageSettings;
  readonly siteDefaults: Site;
  readonly admins: readonly string[];
  readonly email: EmailSettings;
  readonly password: {
    readonly minLength: number;
    readonly hasher: PasswordHasher;
    /** The base URL of the range API, or undefined when the check is off. */
    readonly pwnedPasswordsUrl?: string;
  };
  readonly limits: { readonly perAddress: Rate | 'off'; readonly perIp: Rate | 'off' };
  readonly trustedProxyHops: number;
  readonly allowedOrigins: readonly string[];
  readonly linksEndpoint: boolean;
  readonly sendgridWebhookPublicKey?: string;
}

/** The secret of `local.settings.json.example`: everybody knows it, so it is refused outside development. */
export const sampleSigningSecret = 'ZGV2ZWxvcG1lbnQgb25seTogdGhpcyBzZWNyZXQgaXMgaW4gdGhlIHJlcG9zaXRvcnk=';

const loopbackUrl = /^http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?(?:\/|$)/;
const isServiceUrl = (text: string): boolean =>
  URL.canParse(text) && (text.startsWith('https://') || loopbackUrl.test(text));

const flag = (fallback: boolean) =>
  z
    .string()
    .optional()
    .transform((text, context) => {
      if (text === undefined) return fallback;
      if (/^(?:true|on|yes|1)$/i.test(text)) return true;
      if (/^(?:false|off|no|0)$/i.test(text)) return false;
      context.addIssue({ code: 'custom', message: 'is neither true nor false' });
      return z.NEVER;
    });

const whole = (fallback: number, min: number, max: number) =>
  z
    .string()
    .default(String(fallback))
    .refine(
      (text) => /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max,
      `is not a whole number from ${min} to ${max}`,
    )
    .transform(Number);

const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== ''),
  );

const signingSecrets = z
  .string({ error: 'is missing' })
  .transform((text, context): ResetKeySettings['signingSecrets'] => {
    const secrets: SigningSecret[] = [];
    for (const item of text.split(',')) {
      const [, kid, base64] = /^\s*([\w-]{1,8}):([A-Za-z0-9+/_-]+={0,2})\s*$/.exec(item) ?? [];
      const secret = Buffer.from(base64 ?? '', 'base64');
      if (
        kid === undefined ||
        secret.length < 32 ||
        secrets.some((other) => other.kid === kid || other.secret.equals(secret))
      ) {
        context.addIssue({
          code: 'custom',
          message: 'is not a list of kid:base64 with different kids (1–8 characters) and secrets of ≥32 bytes',
        });
        return z.NEVER;
      }
      secrets.push({ kid, secret });
    }
    const [first, ...rest] = secrets;
    return first === undefined ? z.NEVER : [first, ...rest];
  });

const unitMs = { s: 1000, m: 60_000, h: 3_600_000 } as const;
const rate = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform((text, context): Rate | 'off' => {
      if (text === 'off') return 'off';
      const [, burst, count, unit] = /^(\d{1,4})\/(\d{1,3})([smh])$/.exec(text) ?? [];
      if (
        Number(burst) >= 1 &&
        Number(burst) <= 1000 &&
        Number(count) >= 1 &&
        (unit === 's' || unit === 'm' || unit === 'h')
      ) {
        return { burst: Number(burst), refillMs: Number(count) * unitMs[unit] };
      }
      context.addIssue({
        code: 'custom',
        message: 'is not like 3/5m (burst up to 1000 / one more per interval in s, m or h)',
      });
      return z.NEVER;
    });

const url = z.string().refine(isServiceUrl, 'is not an https:// URL (http only on loopback)');
const settingsSchema = z.object({
  AZURE_FUNCTIONS_ENVIRONMENT: z.string().optional(),
  AzureWebJobsStorage: z.string().optional(),
  AzureWebJobsStorage__accountName: z
    .string()
    .regex(/^[a-z0-9]{3,24}$/, 'is not a storage account name')
    .optional(),
  AzureWebJobsStorage__tableServiceUri: url.optional(),
  AzureWebJobsStorage__queueServiceUri: url.optional(),
  AzureWebJobsStorage__credential: z.literal('managedidentity', { error: 'can only be managedidentity' }).optional(),
  AzureWebJobsStorage__clientId: z.string().optional(),
  // Part of the signed key's length budget: `aud` of ≤6 characters keeps every key at ≤255.
  SITE_ID: z
    .string()
    .default('1')
    .refine((text) => /^[A-Za-z0-9-]{1,6}$/.test(text), 'is not 1–6 letters, digits or hyphens'),
  CODALAB_SITE_DOMAIN: z.string().optional(),
  CODALAB_SITE_NAME: z.string().optional(),
  SITE_PROTOCOL: z.string().default('https'),
  SITE_LOCALE: z.string().default('en'),
  RESET_URL: z.string().default(defaultResetUrl),
  LOGIN_URL: z.string().optional(),
  CONTACT_EMAIL: z.string().optional(),
  DEFAULT_FROM_EMAIL: z.string().optional(),
  SERVER_EMAIL: z.string().optional(),
  ADMINS: list.refine(
    (admins) => admins.every((admin) => parseAddress(admin) === admin),
    'is not a comma-separated list of addresses',
  ),
  EMAIL_BACKEND: z.string().optional(),
  EMAIL_HOST: z.string().default('smtp.sendgrid.net'),
  EMAIL_PORT: whole(587, 1, 65_535),
  EMAIL_HOST_USER: z.string().optional(),
  EMAIL_HOST_PASSWORD: z.string().optional(),
  EMAIL_USE_TLS: flag(true),
  EMAIL_USE_SSL: flag(false),
  EMAIL_TIMEOUT: whole(30, 1, 30),
  EMAIL_FILE_PATH: z.string().optional(),
  SENDGRID_API_KEY: z.string().optional(),
  SENDGRID_API_URL: url.default('https://api.sendgrid.com'),
  SENDGRID_WEBHOOK_PUBLIC_KEY: z
    .string()
    .regex(/^[A-Za-z0-9+/=]{40,}$/, 'is not the base64 verification key')
    .optional(),
  ALLOW_DEV_EMAIL_BACKEND: flag(false),
  RESET_SIGNING_SECRETS: signingSecrets,
  RESET_KEY_TTL_MINUTES: whole(60, 5, maxResetKeyTtlMinutes),
  PASSWORD_MIN_LENGTH: whole(15, 8, 64),
  PASSWORD_HASHER: z
    .enum(['argon2id', 'pbkdf2_sha256', 'scrypt'], { error: 'is none of argon2id, pbkdf2_sha256, scrypt' })
    .default('argon2id'),
  PWNED_PASSWORDS: flag(true).optional(),
  PWNED_PASSWORDS_URL: url.default('https://api.pwnedpasswords.com'),
  LIMIT_PER_ADDRESS: rate('3/5m'),
  LIMIT_PER_IP: rate('60/1m'),
  TRUSTED_PROXY_HOPS: whole(1, 0, 10),
  ALLOWED_ORIGINS: list.refine(
    (origins) => origins.every((origin) => isServiceUrl(origin) && new URL(origin).origin === origin),
    'is not a comma-separated list of origins such as https://www.example.org',
  ),
  LINKS_ENDPOINT: flag(false),
});

/** The names of all settings, for the tests that compare the example, the README and the Bicep file with the schema. */
export const settingNames: readonly string[] = Object.keys(settingsSchema.shape);

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  /** `NAME what is wrong`, one per problem, without the value. */
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads and checks all settings. @param env `process.env`, or any such map in a test; an empty value counts as not set */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): ConfigResult {
  const given: Record<string, string> = {};
  for (const name of settingNames) {
    const value = env[name]?.trim();
    if (value) given[name] = value;
  }
  const parsed = settingsSchema.safeParse(given);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map(({ path, message }) => `${String(path[0])} ${message}`);
  // The rules across settings are checked on what could be read, so that one run lists every problem.
  const development = given['AZURE_FUNCTIONS_ENVIRONMENT'] === 'Development';
  const site = readSite(given, development, problems);
  if (!parsed.success) return { ok: false, problems: unique(problems) };
  const settings = parsed.data;
  const storage = readStorage(settings, problems);
  const email = readEmail(settings, development, problems);
  checkProduction(settings, development, problems);
  if (problems.length > 0 || site === undefined || storage === undefined || email === undefined) {
    return { ok: false, problems: unique(problems) };
  }
  const pwned = settings.PWNED_PASSWORDS ?? !development;
  return {
    ok: true,
    config: {
      development,
      storage,
      siteDefaults: site,
      siteId: settings.SITE_ID,
      admins: settings.ADMINS,
      email,
      signingSecrets: settings.RESET_SIGNING_SECRETS,
      resetKeyTtlMinutes: settings.RESET_KEY_TTL_MINUTES,
      password: {
        minLength: settings.PASSWORD_MIN_LENGTH,
        hasher: settings.PASSWORD_HASHER,
        ...(pwned && { pwnedPasswordsUrl: settings.PWNED_PASSWORDS_URL }),
      },
      limits: { perAddress: settings.LIMIT_PER_ADDRESS, perIp: settings.LIMIT_PER_IP },
      trustedProxyHops: settings.TRUSTED_PROXY_HOPS,
      allowedOrigins: settings.ALLOWED_ORIGINS,
      linksEndpoint: settings.LINKS_ENDPOINT,
      ...(settings.SENDGRID_WEBHOOK_PUBLIC_KEY !== undefined && {
        sendgridWebhookPublicKey: settings.SENDGRID_WEBHOOK_PUBLIC_KEY,
      }),
    },
  };
}

type Settings = z.infer<typeof settingsSchema>;
const unique = (problems: string[]): string[] => [...new Set(problems)];

const siteColumns = {
  domain: 'CODALAB_SITE_DOMAIN',
  name: 'CODALAB_SITE_NAME',
  protocol: 'SITE_PROTOCOL',
  defaultFromEmail: 'DEFAULT_FROM_EMAIL',
  serverEmail: 'SERVER_EMAIL',
  contactEmail: 'CONTACT_EMAIL',
  loginUrl: 'LOGIN_URL',
  locale: 'SITE_LOCALE',
  resetUrl: 'RESET_URL',
} as const satisfies Record<keyof Site, keyof Settings>;

function readSite(
  given: Record<string, string | undefined>,
  development: boolean,
  problems: string[],
): Site | undefined {
  const fallback: Record<string, string> = { protocol: 'https', locale: 'en', resetUrl: defaultResetUrl };
  const columns = Object.entries(siteColumns).map(([column, name]) => [column, given[name] ?? fallback[column]]);
  const parsed = siteSchema(development).safeParse(Object.fromEntries(columns));
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues) {
    const name = siteColumns[path[0] as keyof Site];
    problems.push(`${name} ${given[name] === undefined ? 'is missing' : message}`);
  }
  return undefined;
}

function readStorage(settings: Settings, problems: string[]): StorageSettings | undefined {
  const connectionString = settings.AzureWebJobsStorage;
  if (connectionString !== undefined) {
    if (connectionString === 'UseDevelopmentStorage=true') {
      return { kind: 'connectionString', connectionString: developmentStorage };
    }
    if (/(?:^|;)AccountName=/i.test(connectionString)) return { kind: 'connectionString', connectionString };
    problems.push('AzureWebJobsStorage is no storage connection string');
    return undefined;
  }
  const account = settings.AzureWebJobsStorage__accountName;
  const uri = (service: 'table' | 'queue', given: string | undefined) =>
    given ?? (account === undefined ? undefined : `https://${account}.${service}.core.windows.net`);
  const tableServiceUri = uri('table', settings.AzureWebJobsStorage__tableServiceUri);
  const queueServiceUri = uri('queue', settings.AzureWebJobsStorage__queueServiceUri);
  if (tableServiceUri === undefined || queueServiceUri === undefined) {
    problems.push(
      'AzureWebJobsStorage is missing: a connection string, or AzureWebJobsStorage__accountName, or both service URIs',
    );
    return undefined;
  }
  const clientId = settings.AzureWebJobsStorage__clientId;
  return {
    kind: 'identity',
    tableServiceUri,
    queueServiceUri,
    managedIdentity: settings.AzureWebJobsStorage__credential === 'managedidentity',
    ...(clientId !== undefined && { clientId }),
  };
}

/** What `UseDevelopmentStorage=true` stands for: Azurite's published account; data-tables does not know the short form for http. */
const developmentStorage = [
  'DefaultEndpointsProtocol=http',
  'AccountName=devstoreaccount1',
  'AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
  'BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1',
  'QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1',
  'TableEndpoint=http://127.0.0.1:10002/devstoreaccount1',
].join(';');

function readEmail(settings: Settings, development: boolean, problems: string[]): EmailSettings | undefined {
  const text = settings.EMAIL_BACKEND ?? (development ? 'console' : undefined);
  if (text === undefined) {
    problems.push('EMAIL_BACKEND is missing: sendgrid, smtp, or sendgrid,smtp');
    return undefined;
  }
  const names = parseBackendNames(text);
  if ('error' in names) {
    problems.push(`EMAIL_BACKEND ${names.error}`);
    return undefined;
  }
  const backends = names.names;
  const need = (name: keyof Settings, wanted: boolean): void => {
    if (wanted && settings[name] === undefined) problems.push(`${name} is missing: EMAIL_BACKEND needs it`);
  };
  const overSmtp = backends.includes('smtp');
  const sendgridSmtp = overSmtp && settings.EMAIL_HOST.endsWith('.sendgrid.net');
  need('SENDGRID_API_KEY', backends.includes('sendgrid'));
  need('EMAIL_HOST_USER', sendgridSmtp || (overSmtp && settings.EMAIL_HOST_PASSWORD !== undefined));
  need('EMAIL_HOST_PASSWORD', sendgridSmtp || (overSmtp && settings.EMAIL_HOST_USER !== undefined));
  need('EMAIL_FILE_PATH', backends.includes('file'));
  if (
    !development &&
    !settings.ALLOW_DEV_EMAIL_BACKEND &&
    backends.some((name) => name === 'console' || name === 'file')
  ) {
    problems.push(
      'EMAIL_BACKEND console and file send nothing: they need ALLOW_DEV_EMAIL_BACKEND=true outside development',
    );
  }
  // Django's rule: the two are mutually exclusive. TLS is on by default here, so only an explicit `true` clashes.
  const implicit = settings.EMAIL_USE_SSL;
  if (
    overSmtp &&
    !implicit &&
    !settings.EMAIL_USE_TLS &&
    settings.EMAIL_HOST_PASSWORD !== undefined &&
    !isLoopback(settings.EMAIL_HOST)
  ) {
    problems.push('EMAIL_USE_TLS is off: a password would cross the network in the clear');
  }
  const security = implicit ? 'implicit' : settings.EMAIL_USE_TLS ? 'starttls' : 'none';
  return {
    backends,
    ...(settings.SENDGRID_API_KEY !== undefined && {
      sendgrid: { apiKey: settings.SENDGRID_API_KEY, apiUrl: settings.SENDGRID_API_URL, timeoutMs: 10_000 },
    }),
    ...(overSmtp && {
      smtp: {
        host: settings.EMAIL_HOST,
        port: settings.EMAIL_PORT,
        security,
        timeoutMs: settings.EMAIL_TIMEOUT * 1000,
        ...(settings.EMAIL_HOST_USER !== undefined && { user: settings.EMAIL_HOST_USER }),
        ...(settings.EMAIL_HOST_PASSWORD !== undefined && { password: settings.EMAIL_HOST_PASSWORD }),
      },
    }),
    ...(settings.EMAIL_FILE_PATH !== undefined && { filePath: settings.EMAIL_FILE_PATH }),
  };
}

const isLoopback = (host: string): boolean => /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/.test(host);

function checkProduction(settings: Settings, development: boolean, problems: string[]): void {
  if (development) return;
  const sample = Buffer.from(sampleSigningSecret, 'base64');
  if (settings.RESET_SIGNING_SECRETS.some(({ secret }) => secret.equals(sample))) {
    problems.push(
      'RESET_SIGNING_SECRETS holds the sample secret of local.settings.json.example, which everybody knows',
    );
  }
  for (const name of ['LIMIT_PER_ADDRESS', 'LIMIT_PER_IP'] as const) {
    if (settings[name] === 'off') problems.push(`${name} can be off in development only`);
  }
}
