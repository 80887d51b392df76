// The site the mails are about: its row in SiteSettings, which operators edit in the portal, checked and cached.
// The only source of every link and sender: never a request.
import * as z from 'zod';
import { parseAddress } from './address';
import { type Clock, deadline, withDeadline } from './clock';
import { builtInLanguages, type Catalog } from './locales';
import { applyTexts, type TextOverride } from './locales/overrides';
import { lookColumns, optionalColumn, withoutBadLook, type SiteLook } from './look';
import { errorFields, type Emit } from './events';
import { SiteUnavailable, StorageUnavailable } from './errors';

/** The columns of the row, also the defaults that the settings give. */
export interface Site extends SiteLook {
  /** `host` or `host:port`, as in Django's Site. */
  readonly domain: string;
  /** The human-readable name, used in the subject. */
  readonly name: string;
  readonly protocol: 'https' | 'http';
  /** `addr@domain` or `Name <addr@domain>`: the sender of mail to people. */
  readonly defaultFromEmail: string;
  /** The sender of mail to `ADMINS`. */
  readonly serverEmail: string;
  /** Where people write for help; shown in the notice and on the pages. */
  readonly contactEmail?: string | undefined;
  readonly loginUrl?: string | undefined;
  /** BCP 47. */
  readonly locale: string;
  /** The link's template with `{protocol}`, `{domain}` and `{key}`. */
  readonly resetUrl: string;
}

/** The row, and the languages with the site's own sentences in them. */
export interface SiteWithTexts extends Site {
  readonly catalog: Catalog;
}

export const defaultResetUrl = '{protocol}://{domain}/accounts/password/reset/key/{key}/';

const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/;
const hostAndPort =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?::\d{1,5})?$/i;
const controlCharacter = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

const words = (maxChars: number) =>
  z
    .string()
    .trim()
    .min(1, 'is empty')
    .max(maxChars, `is longer than ${maxChars} characters`)
    .refine((text) => !controlCharacter.test(text), 'has control characters');

const mailbox = words(300).refine(
  (text) => mailboxAddress(text) !== undefined,
  'is not `addr@domain` or `Name <addr@domain>`',
);
const pageUrl = words(1000).refine(isPageUrl, 'is not an https:// URL without user name and password');

/** The address inside `Name <addr@domain>` or `addr@domain`, or undefined. */
export function mailboxAddress(text: string): string | undefined {
  const inBrackets = /^[^<>]*<([^<>]+)>$/.exec(text.trim())?.[1];
  return parseAddress(inBrackets ?? text);
}

function isPageUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, host, username, password } = new URL(text);
  return (
    username === '' && password === '' && (protocol === 'https:' || (protocol === 'http:' && loopbackHost.test(host)))
  );
}

/**
 * The schema of a site, for the row and for the settings alike.
 * @param development whether plain `http` is allowed for other than loopback domains
 */
export const siteSchema = (development: boolean) =>
  z
    .object({
      domain: words(253)
        .refine(
          (domain) => hostAndPort.test(domain) || loopbackHost.test(domain),
          'is not a host name, with a port if need be',
        )
        // What a script leaves of a missing variable.
        .refine((domain) => !/^(?:undefined|null)$/i.test(domain), 'is not set')
        .transform((domain) => domain.toLowerCase()),
      name: words(100),
      protocol: z.enum(['https', 'http'], { error: 'is neither https nor http' }),
      defaultFromEmail: mailbox,
      serverEmail: mailbox,
      contactEmail: optionalColumn(mailbox),
      loginUrl: optionalColumn(
        development ? words(1000).refine((text) => URL.canParse(text), 'is not a URL') : pageUrl,
      ),
      locale: words(35).refine(isLocale, 'is not a BCP 47 language tag'),
      ...lookColumns,
      resetUrl: words(1000).refine(
        (text) => text.split('{key}').length === 2 && /^(?:\{protocol\}|https?):\/\//.test(text),
        'does not start with {protocol}:// or https:// or does not hold {key} exactly once',
      ),
    })
    .superRefine((site, context) => {
      if (site.protocol === 'http' && !development && !loopbackHost.test(site.domain)) {
        context.addIssue({
          code: 'custom',
          path: ['protocol'],
          message: 'is http, which is for loopback and development only',
        });
      }
      const link = fill(site.resetUrl, site, 'k');
      if (!URL.canParse(link) || new URL(link).username !== '' || (!development && !isPageUrl(link))) {
        context.addIssue({ code: 'custom', path: ['resetUrl'], message: 'does not make an https:// link' });
      }
    });

/** Is this a language tag that the platform's Intl can read? */
export function isLocale(text: string): boolean {
  try {
    return Intl.getCanonicalLocales(text).length === 1;
  } catch {
    return false;
  }
}

const fill = (template: string, site: Pick<Site, 'protocol' | 'domain'>, key: string): string =>
  template.replace(/\{(protocol|domain|key)\}/g, (_all, name: 'protocol' | 'domain' | 'key') =>
    name === 'key' ? key : site[name],
  );

/** The link in the mail, from the site row and the reset key alone. */
export const resetLink = (site: Site, key: string): string => fill(site.resetUrl, site, key);

/** The stored row, unchecked: an operator may have written anything. */
export type SiteRow = Readonly<Record<string, unknown>>;

/** The store of the one row. Every call throws `StorageUnavailable`. */
export interface SiteRows {
  read(): Promise<SiteRow | undefined>;
  /** The site's own sentences, from the table SiteTexts. @param most rows; by default one more than the app uses */
  readTexts(most?: number): Promise<readonly TextOverride[]>;
  /** Writes those columns of `defaults` that the row does not have; never changes one that is there. @returns the names written */
  fillIn(defaults: Site): Promise<string[]>;
}

/** The site as the app uses it. */
export interface SiteSource {
  /**
   * The checked row, at most a minute old. A broken edit is reported by an event and the last good row stays in use, also while
   * the table does not answer. An empty table is seeded from the settings.
   * @throws SiteUnavailable if there never was a good row, StorageUnavailable if it cannot be read the first time
   */
  current(): Promise<SiteWithTexts>;
  /** The languages, with the sentences of the site's own, as of the last look: no call, since a request makes only one. */
  catalog(): Catalog;
  /** Seeds what is missing, as CodaLab's initialize.py did. @returns the names of the columns written */
  seed(): Promise<string[]>;
}

const cacheMs = 30_000;
/** A row older than this is not used without waiting for the refresh: the app was idle, and an edit must show within a minute. */
const staleMs = 30_000;
/** A refresh has a deadline of its own: those who wait for it differ in theirs. */
const refreshMs = 3_000;

export function createSiteSource(
  rows: SiteRows,
  defaults: Site,
  development: boolean,
  clock: Clock,
  emit: Emit,
): SiteSource {
  const schema = z.lazy(() => siteSchema(development));
  let good: { readonly site: SiteWithTexts; readonly until: number } | undefined;
  let loading: Promise<SiteWithTexts> | undefined;
  /** Checking thousands of texts takes a while; mostly they are those of the last look. */
  let applied: { readonly of: string; readonly catalog: Catalog } | undefined;
  let reported = '';
  let reportedLook = '';

  const readRow = async (): Promise<Site> => {
    let stored = await rows.read();
    if (stored === undefined) {
      await rows.fillIn(defaults);
      stored = await rows.read();
    }
    const { row, problems } = withoutBadLook(stored ?? {});
    if (problems.length > 0 && problems.join() !== reportedLook) {
      emit({ event: 'siteRowRefused', level: 'error', lastGoodInUse: true, problems });
    }
    reportedLook = problems.join();
    const checked = schema.safeParse(row);
    if (checked.success) return checked.data;
    throw new SiteUnavailable(checked.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`));
  };
  /** Texts are no reason for an outage: without their table, the built-in sentences are used. */
  const readCatalog = async (): Promise<Catalog> => {
    try {
      const texts = await rows.readTexts();
      const unchanged = JSON.stringify(texts);
      if (applied?.of === unchanged) return applied.catalog;
      const { catalog, refused } = applyTexts(builtInLanguages, texts);
      applied = { of: unchanged, catalog };
      const problems = refused.map(({ locale, name, problem }) => `${locale} ${name} ${problem}`);
      if (problems.length > 0 && problems.join() !== reported) {
        emit({ event: 'siteTextsRefused', level: 'error', problems: problems.slice(0, 20) });
      }
      reported = problems.join();
      return catalog;
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
      emit({ event: 'siteTextsRefused', level: 'error', problems: [`the table cannot be read: ${error.code}`] });
      return good?.site.catalog ?? builtInLanguages;
    }
  };
  const read = async (): Promise<SiteWithTexts> => {
    const [site, catalog] = await Promise.all([readRow(), readCatalog()]);
    return { ...site, catalog };
  };
  const refresh = async (): Promise<SiteWithTexts> => {
    try {
      good = { site: await withDeadline(refreshMs, read), until: clock().getTime() + cacheMs };
    } catch (error) {
      const problems = error instanceof SiteUnavailable ? { problems: error.problems } : errorFields(error);
      emit({ event: 'siteRowRefused', level: 'error', lastGoodInUse: good !== undefined, ...problems });
      if (good === undefined) throw error;
      good = { site: good.site, until: clock().getTime() + cacheMs };
    }
    return good.site;
  };
  return {
    current: async () => {
      const now = clock().getTime();
      // A clock that jumped back must not keep an old row for hours.
      if (good !== undefined && now < good.until && good.until - now <= cacheMs) return good.site;
      loading ??= refresh().finally(() => (loading = undefined));
      if (good === undefined || now - good.until > staleMs) return orDeadline(loading);
      loading.catch(() => undefined); // reported by refresh
      return good.site; // at once, while the refresh is on its way
    },
    catalog: () => good?.site.catalog ?? builtInLanguages,
    seed: () => rows.fillIn(defaults),
  };
}

/** The result, or a failure when the caller's own deadline passes first. */
async function orDeadline<T>(result: Promise<T>): Promise<T> {
  const signal = deadline();
  if (signal.aborted) throw new StorageUnavailable('tables', 'timeout');
  const late = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => reject(new StorageUnavailable('tables', 'timeout'));
    signal.addEventListener('abort', onAbort, { once: true });
  });
  return Promise.race([result, late]);
}
