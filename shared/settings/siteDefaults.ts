// The site's defaults from the settings: what seedSite writes where the row has nothing.
import { defaultResetUrl, siteSchema, type Site } from '../site';
import type { ReadableSettings } from './settingsSchema';

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
export function readSiteDefaults(
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
