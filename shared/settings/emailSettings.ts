// The e-mail settings, Django's names and rules: which backends, and what each of them needs.
import { parseBackendNames } from '../mail/backendNames';
import type { EmailSettings } from '../mail/emailBackend';
import type { ReadableSettings } from './settingsSchema';

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
  const names = parseBackendNames(text);
  if ('error' in names) {
    problems.push(`EMAIL_BACKEND ${names.error}`);
    return undefined;
  }
  const backends = names.names;
  const need = (name: keyof ReadableSettings, wanted: boolean): void => {
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
