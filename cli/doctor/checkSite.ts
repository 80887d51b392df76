// Is the site row valid, does it agree with the settings, does mail come from the site's domain, and are its texts in use?
import { StorageUnavailable } from '../../shared/errors';
import type { Config } from '../../shared/config';
import { builtInLanguages, findLocale } from '../../shared/locales';
import { applyTexts } from '../../shared/locales/overrides';
import { mailboxAddress, siteSchema, type Site, type SiteRow } from '../../shared/site';
import { createSiteTable } from '../../shared/storage/siteTable';
import { fail, ok, warn, type Check, type CheckInput, type Finding } from './finding';

const check = 'site row';

export const checkSite: Check = async (input) => {
  const { settings, development, siteId } = input;
  const row = await readRow(input);
  if (row === undefined) {
    const cure = 'The app writes it from its settings with the first mail. By hand: `npm run site -- show`.';
    return [warn(check, 'There is no site row yet.', cure)];
  }
  const parsed = siteSchema(development).safeParse(row);
  if (!parsed.success) {
    return parsed.error.issues.map(({ path, message }) => {
      const column = String(path[0] ?? '');
      const cure = `npm run site -- set ${column} VALUE (the app keeps using the last valid row, if it has one)`;
      return fail(check, `${column} ${message}.`, cure);
    });
  }
  const findings = [
    ...(await textFindings(input, parsed.data)),
    ...senderFindings(parsed.data, development),
    ...(settings.ok ? differenceFindings(parsed.data, settings.config) : []),
  ];
  return findings.length > 0 ? findings : [ok(check, `The row ${siteId} is valid, for ${parsed.data.domain}.`)];
};

const siteTable = ({ storage, siteId }: CheckInput) =>
  createSiteTable(storage.table('SiteSettings'), storage.table('SiteTexts'), siteId);

export const readRow = (input: CheckInput): Promise<SiteRow | undefined> => siteTable(input).read();

async function textFindings(input: CheckInput, { locale }: Site): Promise<Finding[]> {
  const texts = await siteTable(input)
    .readTexts()
    .catch((error: unknown) => {
      if (error instanceof StorageUnavailable && error.code === 'TableNotFound') return []; // reported by `tables`
      throw error;
    });
  const { catalog, refused, missing } = applyTexts(builtInLanguages, texts);
  const findings: Finding[] = [];
  if (findLocale(locale, catalog) === undefined) {
    const problem = `There are no texts in the language ${locale}: mails and pages are in English.`;
    const cure = `npm run site -- texts export ${locale} --all, or: npm run site -- set locale en`;
    findings.push(warn(check, problem, cure));
  }
  const lacking = [...missing.values()].flat().length;
  if (refused.length + lacking > 0) {
    const problem = `Of the site's own texts ${refused.length} are refused and ${lacking} are missing.`;
    findings.push(warn('site texts', problem, 'npm run site -- texts check'));
  }
  return findings;
}

/** Mail that does not come from the site's own domain looks like phishing, to people and to spam filters (DMARC alignment). */
function senderFindings({ defaultFromEmail, domain }: Site, development: boolean): Finding[] {
  const from = (mailboxAddress(defaultFromEmail)?.split('@')[1] ?? '').toLowerCase();
  const host = domain.replace(/:\d+$/, '');
  const within = (inner: string, outer: string): boolean => inner === outer || inner.endsWith(`.${outer}`);
  if (within(from, host) || within(host, from) || (development && /^(?:localhost|127\.|\[)/.test(host))) return [];
  const what = `Mail about ${host} is sent from another domain, ${from}: spam filters may take it for phishing.`;
  return [warn('sender', what, `npm run site -- set defaultFromEmail "NAME <info@${host}>"`)];
}

function differenceFindings(site: Site, { siteDefaults }: Config): Finding[] {
  const columns = (Object.keys(siteDefaults) as (keyof Site)[]).filter(
    (column) => siteDefaults[column] !== undefined && siteDefaults[column] !== site[column],
  );
  if (columns.length === 0) return [];
  const what = `The row differs from the settings in ${columns.join(', ')}: the row is used, the settings only fill in what is missing.`;
  return [ok(check, what)];
}
