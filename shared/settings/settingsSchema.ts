// Every setting with its type, default and rule: the one schema. What several settings say together is checked beside it.
import { z } from 'zod';
import { parseAddress } from '../address';
import type { Rate } from '../limits';
import { parseVerificationKey } from '../mail/sendgridEvents';
import { maxResetKeyTtlMinutes, type ResetKeySettings, type SigningSecret } from '../resetKey';
import { defaultResetUrl } from '../site';

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
/** One entry per setting, in the order of the README's table. */
export const settingsSchema = z.object({
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
  EMAIL_TIMEOUT: whole(8, 1, 30),
  EMAIL_FILE_PATH: z.string().optional(),
  SENDGRID_API_KEY: z.string().optional(),
  SENDGRID_API_URL: url.default('https://api.sendgrid.com'),
  SENDGRID_WEBHOOK_PUBLIC_KEY: z
    .string()
    .transform((text, context) => {
      const key = parseVerificationKey(text);
      if (key !== undefined) return key;
      context.addIssue({ code: 'custom', message: 'is not the base64 verification key' });
      return z.NEVER;
    })
    .optional(),
  ALLOW_DEV_EMAIL_BACKEND: flag(false),
  MAIL_EXTRA_LINES: list.pipe(z.array(z.enum(['expiry', 'asker'], { error: 'can hold only expiry and asker' }))),
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

/** The same without the signing secrets being required: for the rules across settings when some could not be read. */
export const readableSchema = settingsSchema.partial({ RESET_SIGNING_SECRETS: true });
export type ReadableSettings = z.infer<typeof readableSchema>;

/** The names of all settings, for the tests that compare the example, the README and the Bicep file with the schema. */
export const settingNames: readonly string[] = Object.keys(settingsSchema.shape);
