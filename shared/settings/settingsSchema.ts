// Every setting with its type, default and rule. Rules across settings are in the files beside this one.
import * as z from 'zod';
import { parseAddress } from '../address';
import type { Rate } from '../limits';
import { parseVerificationKey } from '../mail/sendgridEvents';
import type { NamedSecret } from '../outbox/outgoingMail';
import { maxResetKeyTtlMinutes, type ResetKeySettings } from '../resetKey';
import { defaultResetUrl } from '../site';

const loopbackUrl = /^http:\/\/(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?(?:\/|$)/;
const isServiceUrl = (text: string): boolean =>
  URL.canParse(text) && (text.startsWith('https://') || loopbackUrl.test(text));

/** A transform: `read` gives undefined for a text that it cannot read. */
const readBy =
  <T>(read: (text: string) => T | undefined, message: string) =>
  (text: string, context: z.RefinementCtx): T => {
    const value = read(text);
    if (value === undefined) context.addIssue({ code: 'custom', message });
    return value ?? z.NEVER;
  };

const toFlag = readBy((text) => {
  if (/^(?:true|on|yes|1)$/i.test(text)) return true;
  return /^(?:false|off|no|0)$/i.test(text) ? false : undefined;
}, 'is neither true nor false');
const flag = (fallback: boolean) => z.string().default(String(fallback)).transform(toFlag);

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

function readSecrets(text: string): ResetKeySettings['signingSecrets'] | undefined {
  const read: NamedSecret[] = [];
  for (const item of text.split(',')) {
    const [, kid, base64 = ''] = /^\s*([\w-]{1,8}):([A-Za-z0-9+/_-]+={0,2})\s*$/.exec(item) ?? [];
    const secret = Buffer.from(base64, 'base64');
    if (kid === undefined || secret.length < 32) return undefined;
    if (read.some((other) => other.kid === kid || other.secret.equals(secret))) return undefined;
    read.push({ kid, secret });
  }
  const [first, ...rest] = read;
  return first && [first, ...rest];
}

const secrets = z
  .string({ error: 'is missing' })
  .transform(
    readBy(readSecrets, 'is not a list of kid:base64 with different kids (1–8 characters) and secrets of ≥32 bytes'),
  );

const unitMs = { s: 1000, m: 60_000, h: 3_600_000 } as const;
const isUnit = (text: string | undefined): text is keyof typeof unitMs => text !== undefined && text in unitMs;

function readRate(text: string): Rate | 'off' | undefined {
  if (text === 'off') return 'off';
  const [, burst, count, unit] = /^(\d{1,4})\/(\d{1,3})([smh])$/.exec(text) ?? [];
  const isInRange = Number(burst) >= 1 && Number(burst) <= 1000 && Number(count) >= 1;
  return isInRange && isUnit(unit) ? { burst: Number(burst), refillMs: Number(count) * unitMs[unit] } : undefined;
}

const rate = (fallback: string) =>
  z
    .string()
    .default(fallback)
    .transform(readBy(readRate, 'is not like 3/5m (burst up to 1000 / one more per interval in s, m or h)'));

const url = z.string().refine(isServiceUrl, 'is not an https:// URL (http only on loopback)');

const webhookSecrets = list.refine(
  (secrets) => secrets.every((secret) => /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/.test(secret)),
  'is not a comma-separated list of secrets such as whsec_… (base64 of ≥24 bytes)',
);

/** All settings. The comments are the README's table (`npm run docs`); a `@default` tag stands for what is not a default of the schema. */
export const settingsSchema = z.object({
  /** `Development` allows the sample secret, `http`, the console backend and limits that are `off`. Core Tools and `npm start` set it. */
  AZURE_FUNCTIONS_ENVIRONMENT: z.string().optional(),
  /** Storage: a connection string, or `UseDevelopmentStorage=true` for Azurite. Instead of it, for access by identity: */
  AzureWebJobsStorage: z.string().optional(),
  /** The name of the storage account. */
  AzureWebJobsStorage__accountName: z
    .string()
    .regex(/^[a-z0-9]{3,24}$/, 'is not a storage account name')
    .optional(),
  /**
   * The URL of its table service.
   * @default from the account name
   */
  AzureWebJobsStorage__tableServiceUri: url.optional(),
  /**
   * The URL of its queue service.
   * @default from the account name
   */
  AzureWebJobsStorage__queueServiceUri: url.optional(),
  /** `managedidentity` in Azure. Without it the developer's own sign-in is used. */
  AzureWebJobsStorage__credential: z.literal('managedidentity', { error: 'can only be managedidentity' }).optional(),
  /** The client id of a user-assigned identity. */
  AzureWebJobsStorage__clientId: z.string().optional(),
  /** The row in `SiteSettings` and the audience of the reset keys: 1–6 letters, digits or hyphens. */
  SITE_ID: z
    .string()
    .default('1')
    // At most 6 characters: the `aud` claim counts towards the limit of 255 characters for a key.
    .refine((text) => /^[A-Za-z0-9-]{1,6}$/.test(text), 'is not 1–6 letters, digits or hyphens'),
  /**
   * The site's domain, in links and in mails.
   * @default required
   */
  CODALAB_SITE_DOMAIN: z.string().optional(),
  /**
   * The site's name, in subjects and on pages.
   * @default required
   */
  CODALAB_SITE_NAME: z.string().optional(),
  /** `http` is accepted for loopback and in development only. */
  SITE_PROTOCOL: z.string().default('https'),
  /** The language if neither the account nor the request names one: `en`, `fr`, `de`, `es`, `zh-Hans`, `ja`, or one of the site's own. */
  SITE_LOCALE: z.string().default('en'),
  /** The time zone of times in mails, such as `Europe/Paris`. */
  SITE_TIME_ZONE: z.string().default('UTC'),
  /** The colour of buttons and links, such as `#0b57d0`. */
  BRAND_COLOR: z.string().optional(),
  /** The logo of pages: a PNG of at most 10 KB as `data:image/png;base64,…`. */
  SITE_LOGO: z.string().optional(),
  /** `true` shows the logo in mails, too. */
  LOGO_IN_MAIL: z.string().optional(),
  /** The template of the link. `…#key={key}` keeps the key out of server logs. */
  RESET_URL: z.string().default(defaultResetUrl),
  /** Where the last page links to. */
  LOGIN_URL: z.string().optional(),
  /** The address for people's questions. */
  CONTACT_EMAIL: z.string().optional(),
  /**
   * The sender of mail to people.
   * @default required
   */
  DEFAULT_FROM_EMAIL: z.string().optional(),
  /**
   * The sender of mail to `ADMINS`.
   * @default required
   */
  SERVER_EMAIL: z.string().optional(),
  /** Addresses of the operators, separated by commas. */
  ADMINS: list.refine(
    (admins) => admins.every((admin) => parseAddress(admin) === admin),
    'is not a comma-separated list of addresses',
  ),
  /** Where accounts and passwords live: `table` (this app's own table) or `http` (the site's database, by three calls). */
  ACCOUNT_DIRECTORY: z.enum(['table', 'http'], { error: 'is neither table nor http' }).default('table'),
  /** The base URL of the site's three calls. Required for `http`. */
  ACCOUNT_DIRECTORY_URL: url.optional(),
  /** The secrets that sign these calls (`whsec_…`, separated by commas; the first signs). Required for `http`. */
  ACCOUNT_DIRECTORY_SECRETS: webhookSecrets,
  /** What the site gets: `encoded` (a hash by `PASSWORD_HASHER`) or `plain` (the password, https only, for sites with rules of their own). */
  ACCOUNT_DIRECTORY_PASSWORD: z
    .enum(['encoded', 'plain'], { error: 'is neither encoded nor plain' })
    .default('encoded'),
  /** Where the site receives events such as `password.changed`. */
  SITE_EVENTS_URL: url.optional(),
  /**
   * The secrets that sign them.
   * @default `ACCOUNT_DIRECTORY_SECRETS`
   */
  SITE_EVENTS_SECRETS: webhookSecrets,
  /**
   * `sendgrid`, `smtp`, `console`, `file`, or two of them in order of preference. Django's dotted names are accepted.
   * @default `console` in development, otherwise required
   */
  EMAIL_BACKEND: z.string().optional(),
  /** The SMTP server. */
  EMAIL_HOST: z.string().default('smtp.sendgrid.net'),
  /** The port of the SMTP server. */
  EMAIL_PORT: whole(587, 1, 65_535),
  /** The SMTP user; `apikey` for SendGrid. */
  EMAIL_HOST_USER: z.string().optional(),
  /** The SMTP password; for SendGrid the API key. */
  EMAIL_HOST_PASSWORD: z.string().optional(),
  /** STARTTLS is required: nothing is sent without it. */
  EMAIL_USE_TLS: flag(true),
  /** TLS from the first byte (port 465). */
  EMAIL_USE_SSL: flag(false),
  /** Seconds for one mail over SMTP, at most 30. Over 8, a mail that is being sent when the app stops may be sent twice. */
  EMAIL_TIMEOUT: whole(8, 1, 30),
  /** The directory of the `file` backend. The console backend keeps copies there, for `/dev/mailbox`. */
  EMAIL_FILE_PATH: z.string().optional(),
  /** For the `sendgrid` backend. It needs the permission "Mail Send" only. */
  SENDGRID_API_KEY: z.string().optional(),
  /** `https://api.eu.sendgrid.com` for EU data residency. */
  SENDGRID_API_URL: url.default('https://api.sendgrid.com'),
  /** The verification key of the signed Event Webhook. Without it every webhook call is refused. */
  SENDGRID_WEBHOOK_PUBLIC_KEY: z
    .string()
    .transform(readBy(parseVerificationKey, 'is not the base64 verification key'))
    .optional(),
  /** Allows `console` and `file` outside development. */
  ALLOW_DEV_EMAIL_BACKEND: flag(false),
  /** Extra lines of the reset mail: `expiry` (until when the link works), `asker` (the network address that asked), or both. */
  MAIL_EXTRA_LINES: list.pipe(z.array(z.enum(['expiry', 'asker'], { error: 'can hold only expiry and asker' }))),
  /** `kid:base64,…` of at least 32 bytes each. The first signs reset keys, all of them verify ([rotation](docs/operations.md#rotating-secrets)). */
  RESET_SIGNING_SECRETS: secrets,
  /**
   * As above, for the encryption of queued mails.
   * @default `RESET_SIGNING_SECRETS`
   */
  MAIL_SEALING_SECRETS: secrets.optional(),
  /** How long a link works: 5–1440 minutes. */
  RESET_KEY_TTL_MINUTES: whole(60, 5, maxResetKeyTtlMinutes),
  /** In code points, 8–64. */
  PASSWORD_MIN_LENGTH: whole(15, 8, 64),
  /** `argon2id`, `pbkdf2_sha256` or `scrypt`, all in Django's encoding. */
  PASSWORD_HASHER: z
    .enum(['argon2id', 'pbkdf2_sha256', 'scrypt'], { error: 'is none of argon2id, pbkdf2_sha256, scrypt' })
    .default('argon2id'),
  /**
   * Refuses passwords known from data breaches.
   * @default `on`, in development `off`
   */
  PWNED_PASSWORDS: z.string().transform(toFlag).optional(),
  /** The range API that is asked. */
  PWNED_PASSWORDS_URL: url.default('https://api.pwnedpasswords.com'),
  /** Mails per address: that many at once, then one per interval. */
  LIMIT_PER_ADDRESS: rate('3/5m'),
  /** Mails per address and UTC day; beyond them one per hour. */
  LIMIT_PER_ADDRESS_DAY: whole(20, 1, 1000),
  /** Requests per client, as `LIMIT_PER_ADDRESS`. */
  LIMIT_PER_IP: rate('60/1m'),
  /** The number of proxies that append to `X-Forwarded-For`: 1 in Azure, plus one for each of your own. */
  TRUSTED_PROXY_HOPS: whole(1, 0, 10),
  /** Origins of front ends that may call from a browser, separated by commas. */
  ALLOWED_ORIGINS: list.refine(
    (origins) => origins.every((origin) => isServiceUrl(origin) && new URL(origin).origin === origin),
    'is not a comma-separated list of origins such as https://www.example.org',
  ),
  /** `on` lets support get links by `POST /api/password-reset/links` with a function key. */
  LINKS_ENDPOINT: flag(false),
});

/** Without required signing secrets: for the rules across settings when some could not be read. */
export const readableSchema = () => settingsSchema.partial({ RESET_SIGNING_SECRETS: true });
export type ReadableSettings = z.infer<ReturnType<typeof readableSchema>>;

export const settingNames: readonly string[] = Object.keys(settingsSchema.shape);
