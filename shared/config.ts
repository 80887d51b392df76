// The settings: read once from process.env, every problem listed by name and never by value. The only reader of process.env.
// The schema is in settings/; `local.settings.json.example`, the README's table and infra/ hold every setting (a test compares).
import type { KeyObject } from 'node:crypto';
import type { z } from 'zod';
import type { SignedTarget } from './directory/signedCall';
import type { EmailSettings } from './mail/emailBackend';
import type { PasswordHasher } from './password/passwordHash';
import type { ResetSettings } from './resetDeps';
import { readEmail } from './settings/emailSettings';
import { readableSchema, type ReadableSettings, settingNames, settingsSchema } from './settings/settingsSchema';
import { readStorage, type StorageSettings } from './settings/storageSettings';
import { defaultResetUrl, type Site, siteSchema } from './site';

export { settingNames } from './settings/settingsSchema';
export type { StorageSettings } from './settings/storageSettings';

/** zod would compile a parser, which pays from the second use on. */
const parsedOnce = { jitless: true } as const;

export interface Config extends ResetSettings {
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
    readonly pwnedPasswordsUrl: string | undefined;
  };
  readonly trustedProxyHops: number;
  readonly allowedOrigins: readonly string[];
  readonly linksEndpoint: boolean;
  readonly sendgridWebhookPublicKey: KeyObject | undefined;
  readonly directory: DirectorySettings;
  /** Where site events go, or undefined. */
  readonly siteEvents: SignedTarget | undefined;
}

/** The secret of `local.settings.json.example`: everybody knows it, so it is refused outside development. */
export const sampleSigningSecret = 'ZGV2ZWxvcG1lbnQgb25seTogdGhpcyBzZWNyZXQgaXMgaW4gdGhlIHJlcG9zaXRvcnk=';

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  /** `NAME what is wrong`, one per problem, without the value; and the storage settings, if they are good. */
  | { readonly ok: false; readonly problems: readonly string[]; readonly storage?: StorageSettings | undefined };

/** Reads and checks all settings. @param env `process.env`, or any such map in a test; an empty value counts as not set */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): ConfigResult {
  const given: Record<string, string> = {};
  const unresolved: string[] = [];
  for (const name of settingNames) {
    const value = env[name]?.trim();
    if (value?.startsWith('@Microsoft.KeyVault(') === true)
      unresolved.push(`${name} is a Key Vault reference that was not resolved`);
    else if (value) given[name] = value;
  }
  const parsed = settingsSchema.safeParse(given, parsedOnce);
  const problems = [...unresolved];
  if (!parsed.success) {
    problems.push(...parsed.error.issues.map(({ path, message }) => `${String(path[0])} ${message}`));
  }
  // The rules across settings are checked on what could be read, so that one run lists every problem.
  const development = given['AZURE_FUNCTIONS_ENVIRONMENT'] === 'Development';
  if (development && (env['WEBSITE_INSTANCE_ID'] ?? env['WEBSITE_SITE_NAME']) !== undefined) {
    problems.push('AZURE_FUNCTIONS_ENVIRONMENT is Development in Azure: remove it');
  }
  const site = readSiteDefaults(given, development, problems);
  const readable = parsed.success ? parsed.data : withoutFailed(given, parsed.error);
  const failedStorage = problems.some((problem) => problem.startsWith('AzureWebJobsStorage'));
  const storage = failedStorage ? undefined : readStorage(readable, problems);
  const email = readEmail(readable, development, problems);
  const { MAIL_SEALING_SECRETS: sealing = [], RESET_SIGNING_SECRETS: signing = [] } = readable;
  if (sealing.some((own) => signing.some(({ kid, secret }) => kid === own.kid && !secret.equals(own.secret)))) {
    problems.push('MAIL_SEALING_SECRETS and RESET_SIGNING_SECRETS have the same kid for different secrets');
  }
  const directory = readDirectory(readable, problems);
  const siteEvents = readSiteEvents(readable, problems);
  checkProduction(readable, development, problems);
  if (!parsed.success || problems.length > 0 || site === undefined || storage === undefined || email === undefined) {
    return { ok: false, problems: [...new Set(problems)], storage };
  }
  const settings = parsed.data;
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
        pwnedPasswordsUrl: pwned ? settings.PWNED_PASSWORDS_URL : undefined,
      },
      // Without secrets of their own, messages are sealed as before: with the signing secret.
      sealingSecrets: settings.MAIL_SEALING_SECRETS ?? settings.RESET_SIGNING_SECRETS,
      limits: {
        perAddress:
          settings.LIMIT_PER_ADDRESS === 'off'
            ? 'off'
            : { ...settings.LIMIT_PER_ADDRESS, perDay: settings.LIMIT_PER_ADDRESS_DAY },
        perIp: settings.LIMIT_PER_IP,
      },
      directory,
      siteEvents,
      trustedProxyHops: settings.TRUSTED_PROXY_HOPS,
      allowedOrigins: settings.ALLOWED_ORIGINS,
      linksEndpoint: settings.LINKS_ENDPOINT,
      mailExtraLines: settings.MAIL_EXTRA_LINES,
      sendgridWebhookPublicKey: settings.SENDGRID_WEBHOOK_PUBLIC_KEY,
    },
  };
}

/** The settings that could be read, the others at their defaults; only the signing secrets have none. */
function withoutFailed(given: Readonly<Record<string, string>>, { issues }: z.ZodError): ReadableSettings {
  const failed = new Set(issues.map(({ path }) => String(path[0])));
  return readableSchema().parse(Object.fromEntries(Object.entries(given).filter(([name]) => !failed.has(name))));
}

function checkProduction(settings: ReadableSettings, development: boolean, problems: string[]): void {
  if (development) return;
  const sample = Buffer.from(sampleSigningSecret, 'base64');
  for (const name of ['RESET_SIGNING_SECRETS', 'MAIL_SEALING_SECRETS'] as const) {
    if (settings[name]?.some(({ secret }) => secret.equals(sample))) {
      problems.push(`${name} holds the sample secret of local.settings.json.example, which is public`);
    }
    // 32 random bytes have about 30 different ones; a repeated word has few.
    if (settings[name]?.some(({ secret }) => new Set(secret).size < 16)) {
      problems.push(`${name} holds a secret that is not random`);
    }
  }
  if (settings.TRUSTED_PROXY_HOPS === 0) {
    problems.push('TRUSTED_PROXY_HOPS can be 0 in development only: all people would share one limit');
  }
  for (const name of ['LIMIT_PER_ADDRESS', 'LIMIT_PER_IP'] as const) {
    if (settings[name] === 'off') problems.push(`${name} can be off in development only`);
  }
}

/** Where accounts and passwords live. */
type DirectorySettings =
  | { readonly kind: 'table' }
  /** `passwordFormat`: what the site gets, a hash in Django's encoding or the password itself. */
  | (SignedTarget & { readonly kind: 'http'; readonly passwordFormat: 'encoded' | 'plain' });

/** @param problems what is wrong is added here, by name */
function readDirectory(settings: ReadableSettings, problems: string[]): DirectorySettings {
  if (settings.ACCOUNT_DIRECTORY === 'table') return { kind: 'table' };
  const {
    ACCOUNT_DIRECTORY_URL: url = '',
    ACCOUNT_DIRECTORY_SECRETS: secrets,
    RESET_SIGNING_SECRETS: signing,
  } = settings;
  const isReported = (name: string) => problems.some((problem) => problem.startsWith(`${name} `));
  for (const name of ['ACCOUNT_DIRECTORY_URL', 'ACCOUNT_DIRECTORY_SECRETS'] as const)
    if (!settings[name]?.length && !isReported(name))
      problems.push(`${name} is missing: ACCOUNT_DIRECTORY=http needs it`);
  // A leaked signing secret must give no access to the directory.
  const isShared = (text: string) => signing?.some(({ secret }) => secret.equals(Buffer.from(text.slice(6), 'base64')));
  if (secrets.some(isShared)) problems.push('ACCOUNT_DIRECTORY_SECRETS holds a secret of RESET_SIGNING_SECRETS');
  return { kind: 'http', url, secrets, passwordFormat: settings.ACCOUNT_DIRECTORY_PASSWORD };
}

/** @param problems what is wrong is added here, by name */
function readSiteEvents(settings: ReadableSettings, problems: string[]): SignedTarget | undefined {
  const { SITE_EVENTS_URL: url, SITE_EVENTS_SECRETS: own, ACCOUNT_DIRECTORY_SECRETS: shared } = settings;
  if (url === undefined) return undefined;
  const secrets = own.length > 0 ? own : shared;
  if (secrets.length === 0) problems.push('SITE_EVENTS_SECRETS is missing: SITE_EVENTS_URL needs it');
  return { url, secrets };
}

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
  brandColor: 'BRAND_COLOR',
  logo: 'SITE_LOGO',
  logoInMail: 'LOGO_IN_MAIL',
  timeZone: 'SITE_TIME_ZONE',
} as const satisfies Record<keyof Site, keyof ReadableSettings>;

/** @param problems what is wrong is added here, by name */
function readSiteDefaults(
  given: Record<string, string | undefined>,
  development: boolean,
  problems: string[],
): Site | undefined {
  const fallback: Record<string, string> = { protocol: 'https', locale: 'en', resetUrl: defaultResetUrl };
  const columns = Object.entries(siteColumns).map(([column, name]) => [column, given[name] ?? fallback[column]]);
  const parsed = siteSchema(development).safeParse(Object.fromEntries(columns), parsedOnce);
  if (parsed.success) return parsed.data;
  for (const { path, message } of parsed.error.issues) {
    const name = siteColumns[path[0] as keyof Site];
    problems.push(`${name} ${given[name] === undefined ? 'is missing' : message}`);
  }
  return undefined;
}
