// The settings of the account directory and of site events.
import type { ReadableSettings } from './settingsSchema';

/** Where accounts and passwords live. */
export type DirectorySettings =
  | { readonly kind: 'table' }
  | {
      readonly kind: 'http';
      readonly url: string;
      /** `whsec_…`; the first signs. */
      readonly secrets: readonly string[];
      /** What the site gets: a hash in Django's encoding, or the password itself. */
      readonly password: 'encoded' | 'plain';
    };

/** @param problems what is wrong is added here, by name */
export function readDirectory(settings: ReadableSettings, problems: string[]): DirectorySettings {
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
  return { kind: 'http', url, secrets, password: settings.ACCOUNT_DIRECTORY_PASSWORD };
}

/** @param problems what is wrong is added here, by name */
export function readSiteEvents(settings: ReadableSettings, problems: string[]) {
  const { SITE_EVENTS_URL: url, SITE_EVENTS_SECRETS: own, ACCOUNT_DIRECTORY_SECRETS: shared } = settings;
  if (url === undefined) return undefined;
  const secrets = own.length > 0 ? own : shared;
  if (secrets.length === 0) problems.push('SITE_EVENTS_SECRETS is missing: SITE_EVENTS_URL needs it');
  return { url, secrets };
}
