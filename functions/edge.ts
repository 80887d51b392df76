// The edge that every trigger shares: events in the invocation's log, deadlines, and errors turned into answers.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { HttpHandler, HttpRequest, InvocationContext } from '@azure/functions';
import { withDeadline } from '../shared/clock';
import { SiteUnavailable, StorageUnavailable } from '../shared/errors';
import { errorFields, type AppEvent } from '../shared/events';
import { type Answer, clientBucket, corsAnswer, problemAnswer, withCors } from '../shared/http/message';
import { acceptedLocale } from '../shared/locales';
import type { Services } from '../shared/services';

/** Every HTTP call is answered within 5 s, also if storage hangs: this much is for the storage calls. */
const answerMs = 4000;
/** What a 503 asks for, in its `Retry-After`. */
export const retryAfterSeconds = 10;

const invocation = new AsyncLocalStorage<InvocationContext>();

/** Runs a handler such that its events go into the log of its invocation. */
export const inInvocation = <T>(context: InvocationContext, task: () => T): T => invocation.run(context, task);

/** Writes an event into the invocation's log, as one JSON string: the host flattens objects, and drops stdout at the shipped level. */
export function emit(event: AppEvent): void {
  const context = invocation.getStore();
  const line = eventLine(event);
  const level = 'level' in event ? event.level : 'info';
  if (context === undefined) process.stderr.write(`${line}\n`);
  else if (level === 'error') context.error(line);
  else if (level === 'warn') context.warn(line);
  else context.log(line);
}

const maxFieldChars = 200;

/** The line of an event: one JSON object, strings cut to 200 characters. JSON escapes whatever could forge a second line. */
export function eventLine(event: AppEvent): string {
  const whole = JSON.stringify(event);
  const line = whole.length > maxFieldChars ? JSON.stringify(event, cut) : whole;
  return line.replace(/[\u007f-\u009f\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

const cut = (_name: string, value: unknown): unknown =>
  typeof value === 'string' && value.length > maxFieldChars ? `${value.slice(0, maxFieldChars)}…` : value;

/** One HTTP call after the edge has done its part. */
export type Endpoint = (request: HttpRequest) => Promise<Answer>;

/** The handler of an HTTP function: CORS, deadline, one event per call, 503 for broken infrastructure, never a stack. */
export function httpEndpoint(name: string, services: Services, endpoint: Endpoint): HttpHandler {
  return (request, context) =>
    inInvocation(context, async () => {
      const startedAt = performance.now();
      const answer = await answerOf(name, services, endpoint, request);
      const { status } = answer;
      const level = status >= 500 ? 'error' : 'info';
      emit({ event: 'answered', level, call: name, status, latencyMs: Math.round(performance.now() - startedAt) });
      return answer;
    });
}

async function answerOf(name: string, services: Services, endpoint: Endpoint, request: HttpRequest): Promise<Answer> {
  const { allowedOrigins } = services.settings;
  if (request.method === 'OPTIONS') return corsAnswer(request.headers, allowedOrigins);
  const answered = withDeadline(answerMs, () => endpoint(request));
  // A front end on another origin must be able to read a 503, too.
  const answer = await answered.catch((error: unknown) => answerToError(name, error));
  return withCors(answer, request.headers, allowedOrigins);
}

function answerToError(call: string, error: unknown): Answer {
  const code = reportError(call, error);
  return problemAnswer(code, code === 'unavailable' ? { retryAfterSeconds } : {});
}

/** Emits what went wrong. @returns what the caller is told: `unavailable` means "try again later" */
export function reportError(call: string, error: unknown): 'unavailable' | 'internal_error' {
  if (error instanceof SiteUnavailable) return 'unavailable'; // reported by the site source
  if (error instanceof StorageUnavailable) {
    // Azure answers 403 AuthenticationFailed to a request whose clock is more than 15 minutes off.
    const hint = error.code === 'AuthenticationFailed' ? 'check the clock and the storage key' : undefined;
    emit({ event: 'storageUnavailable', level: 'error', call, part: error.part, code: error.code, hint });
    return 'unavailable';
  }
  emit({ event: 'unexpectedError', level: 'error', call, ...errorFields(error) });
  return 'internal_error';
}

/** The handler of a queue or timer function: the same log, and what is thrown is logged in a safe shape. */
export function backgroundTask<T>(name: string, task: (input: T) => Promise<void>) {
  return (input: T, context: InvocationContext): Promise<void> =>
    inInvocation(context, async () => {
      try {
        await task(input);
      } catch (error) {
        emit({ event: 'taskFailed', level: 'error', task: name, ...errorFields(error) });
        // Without the cause: the host logs what is thrown, and an SDK's error may hold a request or an address.
        // eslint-disable-next-line preserve-caught-error
        throw new Error(`${name} failed: ${errorFields(error).errorName}`);
      }
    });
}

/** The front limits: what a call is charged to. The pages share them with the API. */
export type FrontLimit = 'request' | 'check' | 'redeem';

/** The requesting client as the trusted hop saw it. */
export const clientOf = ({ settings }: Services, request: HttpRequest): string =>
  clientBucket(request.headers.get('x-forwarded-for'), settings.trustedProxyHops);

/** The language that the browser prefers, of those that the site has. */
export const languageOf = ({ site }: Services, request: HttpRequest): string | undefined =>
  acceptedLocale(request.headers.get('accept-language'), site.catalog());

/**
 * Runs a call under the coarse limit in this process's memory. A call that fails on our side is not charged.
 * @param over what to answer instead, given the seconds to wait
 */
export async function withFrontLimit<T>(
  { ipBuckets }: Pick<Services, 'ipBuckets'>,
  limit: FrontLimit,
  client: string | undefined,
  call: () => Promise<T>,
  over: (waitSeconds: number) => T,
): Promise<T> {
  if (client === undefined) return call();
  const bucket = `${limit}:${client}`;
  const waitSeconds = ipBuckets.take(bucket);
  if (waitSeconds !== undefined) return over(waitSeconds);
  try {
    return await call();
  } catch (error) {
    ipBuckets.refund(bucket);
    throw error;
  }
}
