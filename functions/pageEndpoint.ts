// The edge of the pages: the visitor's language, the site, the form, and a page instead of problem+json for whatever goes wrong.
import type { HttpHandler, HttpRequest } from '@azure/functions';
import type { Answer } from '../shared/http/answer';
import { readFormBody } from '../shared/http/formBody';
import { isOwnPost } from '../shared/http/pageOrigin';
import { problemPage, type PageContext } from '../shared/pages/pages';
import { acceptedLocale, pageWords } from '../shared/pages/words';
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

/** Makes the handler of a page function: httpEndpoint, with every error as a page. */
export function pageEndpoint(
  name: string,
  source: ServicesSource,
  page: (call: PageCall) => Promise<Answer>,
): HttpHandler {
  return httpEndpoint(name, source, async (services, request, signal) => {
    try {
      return await page({ services, request, signal });
    } catch (error) {
      return errorPage(name, neutralContext(services, request), error);
    }
  });
}

function errorPage(call: string, context: PageContext, error: unknown): Answer {
  return reportError(call, error) === 'unavailable'
    ? problemPage(context, 'unavailable', retryAfterSeconds)
    : problemPage(context, 'internalError');
}

const acceptLanguage = (request: HttpRequest): string | undefined =>
  acceptedLocale(request.headers.get('accept-language'));

/** Without the site's name: for when there is no good site row. */
function neutralContext({ settings }: Services, request: HttpRequest): PageContext {
  return { words: pageWords(acceptLanguage(request) ?? settings.siteDefaults.locale), site: undefined };
}

/** The visitor's language, else the site's; and the site. @throws SiteUnavailable, StorageUnavailable */
export async function contextOf({ services, request, signal }: PageCall): Promise<PageContext> {
  const site = await services.site.current(signal);
  return { words: pageWords(acceptLanguage(request) ?? site.locale), site };
}

/** The coarse limit, charged as the API call of the same name. @returns the 429 page, or undefined when the call may go on */
export function overPageLimit(page: PageCall, call: 'request' | 'check' | 'redeem'): Promise<Answer> | undefined {
  const { services, request } = page;
  const seconds = waitSeconds(services, call, clientOf('public', services, request, undefined));
  if (seconds === undefined) return undefined;
  return contextOf(page)
    .catch(() => neutralContext(services, request))
    .then((context) => problemPage(context, 'tooManyRequests', seconds));
}

/** The form of a page POST, or the page that says why it is refused. Nothing else is done before this. */
export async function readPageForm(
  page: PageCall,
): Promise<ReadonlyMap<string, string> | { readonly refused: Answer }> {
  const { services, request, signal } = page;
  const ownOrigins = async (): Promise<string[]> => originsOf(await services.site.current(signal));
  if (!(await isOwnPost(request.headers, services.settings.allowedOrigins, ownOrigins))) {
    return { refused: problemPage(await contextOf(page), 'crossSite') };
  }
  const form = await readFormBody(request);
  return form.outcome === 'read' ? form.fields : { refused: problemPage(await contextOf(page), form.problem) };
}

/** Where the site and, if it is elsewhere, its reset page live. */
const originsOf = (site: Site): string[] =>
  [`${site.protocol}://${site.domain}`, resetLink(site, 'key')].map((url) => new URL(url).origin);

/** Who asks, for the mail: the client's bucket, and the language of the browser for an account that has none of its own. */
export function askerOf({ services, request }: PageCall): Asker {
  const client = clientOf('public', services, request, undefined);
  const locale = acceptLanguage(request);
  return { ...(client !== undefined && { client }), ...(locale !== undefined && { locale }) };
}
