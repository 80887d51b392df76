// The e-mail settings, with Django's names and rules: which backends, and what each of them needs.
import type { BackendName, EmailSettings } from '../mail/emailBackend';
import type { ReadableSettings } from './settingsSchema';

/** Connection, request and answer of one call; SIGTERM leaves 10 s. */
const sendgridTimeoutMs = 8_000;

const backendNames: ReadonlyMap<string, BackendName> = new Map([
  ['sendgrid', 'sendgrid'],
  ['smtp', 'smtp'],
  ['console', 'console'],
  ['file', 'file'],
  ['sendgrid_backend.SendgridBackend', 'sendgrid'], // django-sendgrid-v5
  ['django.core.mail.backends.smtp.EmailBackend', 'smtp'],
  ['django.core.mail.backends.console.EmailBackend', 'console'],
  ['django.core.mail.backends.filebased.EmailBackend', 'file'],
]);

/**
 * Reads `EMAIL_BACKEND`: one name, or several between commas in order of preference.
 * `error` is a sentence for the operator; as every settings error it does not repeat the value.
 */
export function parseBackendNames(text: string): { names: readonly BackendName[] } | { error: string } {
  const parts = text.split(',').map((part) => backendNames.get(part.trim()));
  const names = parts.filter((name) => name !== undefined);
  if (names.length < parts.length) {
    return {
      error: "must be sendgrid, smtp, console or file (or Django's name of one), or several of them between commas",
    };
  }
  if (new Set(names).size < names.length) return { error: 'names the same e-mail backend twice' };
  return { names };
}

/** @param problems what is wrong is added here, by name */
export function readEmail(
  settings: ReadableSettings,
  development: boolean,
  problems: string[],
): EmailSettings | undefined {
  const text = settings.EMAIL_BACKEND ?? (development ? 'console' : undefined);
  if (text === undefined) {
    problems.push('EMAIL_BACKEND is missing: sendgrid, smtp, or sendgrid,smtp');
    return undefined;
  }
  const parsed = parseBackendNames(text);
  if ('error' in parsed) {
    problems.push(`EMAIL_BACKEND ${parsed.error}`);
    return undefined;
  }
  const backends = parsed.names;
  const need = (name: keyof ReadableSettings, wanted: boolean): void => {
    if (wanted && settings[name] === undefined) problems.push(`${name} is missing: EMAIL_BACKEND needs it`);
  };
  const { EMAIL_HOST: host, EMAIL_HOST_USER: user, EMAIL_HOST_PASSWORD: password } = settings;
  const overSmtp = backends.includes('smtp');
  const sendgridSmtp = overSmtp && host.endsWith('.sendgrid.net');
  need('SENDGRID_API_KEY', backends.includes('sendgrid'));
  need('EMAIL_HOST_USER', sendgridSmtp || (overSmtp && password !== undefined));
  need('EMAIL_HOST_PASSWORD', sendgridSmtp || (overSmtp && user !== undefined));
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
  const security = settings.EMAIL_USE_SSL ? 'implicit' : settings.EMAIL_USE_TLS ? 'starttls' : 'none';
  if (overSmtp && security === 'none' && password !== undefined && !isLoopback(host)) {
    problems.push('EMAIL_USE_TLS is off: a password would cross the network in the clear');
  }
  const { SENDGRID_API_KEY: apiKey, SENDGRID_API_URL: apiUrl, EMAIL_PORT: port } = settings;
  return {
    backends,
    sendgrid: apiKey === undefined ? undefined : { apiKey, apiUrl, timeoutMs: sendgridTimeoutMs },
    smtp: overSmtp ? { host, port, user, password, security, timeoutMs: settings.EMAIL_TIMEOUT * 1000 } : undefined,
    filePath: settings.EMAIL_FILE_PATH,
  };
}

const isLoopback = (host: string): boolean => /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/.test(host);
