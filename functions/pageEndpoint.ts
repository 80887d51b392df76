// The edge of the pages: the visitor's language, the site, the form, and a page instead of problem+json for whatever goes wrong.
import type { HttpHandler, HttpRequest } from '@azure/functions';
import { type Answer, readFormBody, type RequestHeaders } from '../shared/http/message';
import { messagesFor } from '../shared/locales';
import { type Page, type PageContext, problemPage } from '../shared/pages/pages';
import type { Requester } from '../shared/resetDeps';
import type { Services } from '../shared/services';
import { resetLink, type Site } from '../shared/site';
import {
  clientOf,
  type FrontLimit,
  httpEndpoint,
  languageOf,
  reportError,
  retryAfterSeconds,
  withFrontLimit,
} from './edge';

/** One page call. GET and HEAD are the same: the host leaves the body of a HEAD out. */
export interface PageRequest {
  readonly services: Services;
  readonly request: HttpRequest;
}

/** Decides which page a call gets. */
export type AnswerPage = (call: PageRequest) => Promise<Page | Answer> | Page | Answer;

/**
 * Makes the handler of a page function: httpEndpoint, with every error as a page.
 * @param answer decides which page is shown; its language and site are looked up here, once per call and after the work is done
 */
export function pageEndpoint(name: string, services: Services, answer: AnswerPage): HttpHandler {
  return httpEndpoint(name, services, async (request) => {
    const call = { services, request };
    try {
      const page = await answer(call);
      return typeof page === 'function' ? page(await contextOf(call)) : page;
    } catch (error) {
      const problem = reportError(name, error);
      return problemPage(problem, problem === 'unavailable' ? retryAfterSeconds : undefined)(neutralContext(call));
    }
  });
}

/**
 * The visitor's language, else the site's; and the site. What a form asked for has been done by now, so its answer is shown
 * without the site if need be.
 * @throws SiteUnavailable, StorageUnavailable on a GET
 */
async function contextOf(call: PageRequest): Promise<PageContext> {
  const { services, request } = call;
  try {
    const site = await services.site.current();
    return { messages: messagesFor(languageOf(services, request) ?? site.locale, site.catalog), site };
  } catch (error) {
    if (request.method === 'POST') return neutralContext(call);
    throw error;
  }
}

/** Without the site's name: for when there is no good site row. */
function neutralContext({ services, request }: PageRequest): PageContext {
  const locale = languageOf(services, request) ?? services.settings.siteDefaults.locale;
  return { messages: messagesFor(locale, services.site.catalog()), site: undefined };
}

/** Runs a call under the front limit that the API call of the same name has; over it, the 429 page. */
export function withPageLimit(
  { services, request }: PageRequest,
  limit: FrontLimit,
  run: () => Promise<Page | Answer>,
): Promise<Page | Answer> {
  const over = (seconds: number) => problemPage('too_many_requests', seconds);
  return withFrontLimit(services, limit, clientOf(services, request), run, over);
}

/** The form of a page POST, or the page that says why it is refused. Nothing else is done before this. */
export async function readPageForm({ services, request }: PageRequest): Promise<ReadonlyMap<string, string> | Page> {
  const ownOrigins = async (): Promise<string[]> => originsOf(await services.site.current());
  if (!(await isOwnPost(request.headers, services.settings.allowedOrigins, ownOrigins))) {
    return problemPage('cross_site');
  }
  const form = await readFormBody(request);
  return form.outcome === 'read' ? form.fields : problemPage(form.problem);
}

/** Where the site and, if it is elsewhere, its reset page live. */
const originsOf = (site: Site): string[] =>
  [`${site.protocol}://${site.domain}`, resetLink(site, 'key')].map((url) => new URL(url).origin);

/** Who makes the request: the client's bucket, and the language of the browser for an account that has none of its own. */
export function requesterOf({ services, request }: PageRequest): Requester {
  return { client: clientOf(services, request), locale: languageOf(services, request) };
}

/**
 * May this page POST go on? Only our own forms may. There is no cookie to abuse; this keeps other sites from making a visitor's browser
 * request mails or use a link (Fetch Metadata, OWASP CSRF Prevention Cheat Sheet). `Sec-Fetch-Site` decides if the browser sends it. Older
 * browsers send `Origin`: `null` from our own form (its page has the policy `no-referrer`), so only another site's origin is refused.
 * Without either header it is no browser.
 * @param ownOrigins the site's origins, read only when an `Origin` has to be compared
 */
export async function isOwnPost(
  headers: RequestHeaders,
  allowedOrigins: readonly string[],
  ownOrigins: () => Promise<readonly string[]>,
): Promise<boolean> {
  const fetchSite = headers.get('sec-fetch-site')?.toLowerCase();
  if (fetchSite === 'cross-site') return false;
  if (fetchSite === 'same-origin' || fetchSite === 'none') return true;
  // `same-site` may be any other host of the domain.
  const origin = headers.get('origin');
  if (origin === null || origin === 'null' || allowedOrigins.includes(origin)) return true;
  return (await ownOrigins()).includes(origin);
}

/**
 * Is this GET loaded by another site's page (an image, a frame) instead of visited? Such a page could use up the visitor's limit
 * unnoticed.
 */
export function isEmbedded(headers: RequestHeaders): boolean {
  const destination = headers.get('sec-fetch-dest');
  return (
    headers.get('sec-fetch-site')?.toLowerCase() === 'cross-site' && destination !== null && destination !== 'document'
  );
}
