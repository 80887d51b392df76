// The edge of the pages: the visitor's language, the site, the form, and a page instead of problem+json for whatever goes wrong.
import type { HttpHandler, HttpRequest } from '@azure/functions';
import type { Answer } from '../shared/http/answer';
import { readFormBody } from '../shared/http/formBody';
import { isOwnPost } from '../shared/http/pageOrigin';
import { acceptedLocale, messagesFor } from '../shared/locales';
import { problemPage, type Page, type PageContext } from '../shared/pages/pages';
import type { Asker } from '../shared/resetFlow';
import type { Services } from '../shared/services';
import { resetLink, type Site } from '../shared/site';
import { clientOf, waitSeconds } from './clientOf';
import { httpEndpoint, reportError, retryAfterSeconds, type ServicesSource } from './invocation';

/** One page call. GET and HEAD are the same: the host leaves the body of a HEAD out. */
export interface PageCall {
  readonly services: Services;
  readonly request: HttpRequest;
  readonly signal: AbortSignal;
}

/**
 * Makes the handler of a page function: httpEndpoint, with every error as a page.
 * @param answer decides which page is shown; its language and site are looked up here, once per call and after the work is done
 */
export function pageEndpoint(
  name: string,
  source: ServicesSource,
  answer: (call: PageCall) => Promise<Page | Answer> | Page,
): HttpHandler {
  return httpEndpoint(name, source, async (services, request, signal) => {
    const call = { services, request, signal };
    try {
      const page = await answer(call);
      return typeof page === 'function' ? page(await contextOf(call)) : page;
    } catch (error) {
      const problem = reportError(name, error);
      return problemPage(problem, problem === 'unavailable' ? retryAfterSeconds : undefined)(neutralContext(call));
    }
  });
}

const acceptLanguage = (request: HttpRequest): string | undefined =>
  acceptedLocale(request.headers.get('accept-language'));

/**
 * The visitor's language, else the site's; and the site. What a form asked for has been done by now, so its answer is shown
 * without the site if need be.
 * @throws SiteUnavailable, StorageUnavailable on a GET
 */
async function contextOf(call: PageCall): Promise<PageContext> {
  const { services, request, signal } = call;
  try {
    const site = await services.site.current(signal);
    return { messages: messagesFor(acceptLanguage(request) ?? site.locale), site };
  } catch (error) {
    if (request.method === 'POST') return neutralContext(call);
    throw error;
  }
}

/** Without the site's name: for when there is no good site row. */
function neutralContext({ services, request }: PageCall): PageContext {
  const { locale } = services.settings.siteDefaults;
  return { messages: messagesFor(acceptLanguage(request) ?? locale), site: undefined };
}

/** The coarse limit, charged as the API call of the same name. @returns the 429 page, or undefined when the call may go on */
export function overPageLimit({ services, request }: PageCall, call: 'request' | 'check' | 'redeem'): Page | undefined {
  const seconds = waitSeconds(services, call, clientOf('public', services, request, undefined));
  return seconds === undefined ? undefined : problemPage('too_many_requests', seconds);
}

/** The form of a page POST, or the page that says why it is refused. Nothing else is done before this. */
export async function readPageForm({
  services,
  request,
  signal,
}: PageCall): Promise<ReadonlyMap<string, string> | Page> {
  const ownOrigins = async (): Promise<string[]> => originsOf(await services.site.current(signal));
  if (!(await isOwnPost(request.headers, services.settings.allowedOrigins, ownOrigins))) {
    return problemPage('cross_site');
  }
  const form = await readFormBody(request);
  return form.outcome === 'read' ? form.fields : problemPage(form.problem);
}

/** Where the site and, if it is elsewhere, its reset page live. */
const originsOf = (site: Site): string[] =>
  [`${site.protocol}://${site.domain}`, resetLink(site, 'key')].map((url) => new URL(url).origin);

/** Who asks, for the mail: the client's bucket, and the language of the browser for an account that has none of its own. */
export function requesterOf({ services, request }: PageCall): Asker {
  const client = clientOf('public', services, request, undefined);
  const locale = acceptLanguage(request);
  return { ...(client !== undefined && { client }), ...(locale !== undefined && { locale }) };
}
