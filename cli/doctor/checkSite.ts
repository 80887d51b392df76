// Is the site row good, and does it agree with the settings it was once seeded from? Does mail come from the site's own domain?
import type { Config } from '../../shared/config';
import { findLocale } from '../../shared/locales';
import { mailboxAddress, siteSchema, type Site, type SiteRow } from '../../shared/site';
import { createSiteTable } from '../../shared/storage/siteTable';
import { isThere, stateOf } from './checkTables';
import { fail, ok, questionMs, warn, type Check, type Finding, type Patient } from './finding';

const check = 'site row';

export const checkSite: Check = async (patient) => {
  const { settings, development, storage } = patient;
  if ((await stateOf(storage, 'SiteSettings')) === 'failed') return []; // which another check says
  const row = await readRow(patient);
  if (row === undefined) {
    const cure =
      'The timer function seedSite writes it from the settings, hourly, and so does the first mail. By hand: `npm run site -- show`.';
    return [warn(check, 'There is no site row yet.', cure)];
  }
  const parsed = siteSchema(development).safeParse(row);
  if (!parsed.success) {
    return parsed.error.issues.map(({ path, message }) => {
      const column = String(path[0] ?? '');
      return fail(
        check,
        `${column} ${message}.`,
        `npm run site -- set ${column} VALUE (the app goes on with the last good row, if it has one)`,
      );
    });
  }
  const findings = [
    ...languageFindings(parsed.data),
    ...senderFindings(parsed.data, development),
    ...(settings.ok ? differenceFindings(parsed.data, settings.config) : []),
  ];
  return findings.length > 0 ? findings : [ok(check, `The row ${patient.siteId} is good, for ${parsed.data.domain}.`)];
};

/** The row as it is; nothing is written and nothing made. */
export async function readRow(patient: Patient): Promise<SiteRow | undefined> {
  if (!(await isThere(patient, 'SiteSettings'))) return undefined;
  const { storage, siteId } = patient;
  return createSiteTable(storage.table('SiteSettings'), siteId).read(AbortSignal.timeout(questionMs));
}

function languageFindings({ locale }: Site): Finding[] {
  if (findLocale(locale) !== undefined) return [];
  return [
    warn(
      check,
      `There are no texts in the language ${locale}: mails and pages are in English.`,
      'Add a file to shared/locales/, or: npm run site -- set locale en',
    ),
  ];
}

/** Mail for people that does not come from the site's own domain looks like phishing, to them and to spam filters (DMARC alignment). */
function senderFindings({ defaultFromEmail, domain }: Site, development: boolean): Finding[] {
  const from = (mailboxAddress(defaultFromEmail)?.split('@')[1] ?? '').toLowerCase();
  const host = domain.replace(/:\d+$/, '');
  const within = (inner: string, outer: string): boolean => inner === outer || inner.endsWith(`.${outer}`);
  if (within(from, host) || within(host, from) || (development && /^(?:localhost|127\.|\[)/.test(host))) return [];
  return [
    warn(
      'sender',
      `Mail about ${host} is sent from another domain, ${from}: spam filters and people take that for phishing.`,
      `npm run site -- set defaultFromEmail "NAME <info@${host}>"  (and authenticate that domain at the mail provider)`,
    ),
  ];
}

function differenceFindings(site: Site, { siteDefaults }: Config): Finding[] {
  const columns = (Object.keys(siteDefaults) as (keyof Site)[]).filter(
    (column) => siteDefaults[column] !== undefined && siteDefaults[column] !== site[column],
  );
  if (columns.length === 0) return [];
  const what = `The row differs from the settings in ${columns.join(', ')}: the row counts, the settings only fill in what is missing.`;
  return [ok(check, what)];
}
