// The edge every trigger shares: services built once, events written to the invocation's log, deadlines, and errors turned into
// answers. Knows the host; knows nothing of the story.
import { AsyncLocalStorage } from 'node:async_hooks';
import type { HttpHandler, HttpRequest, InvocationContext } from '@azure/functions';
import { StorageUnavailable, SiteUnavailable } from '../shared/errors';
import { errorFields, eventLine, type AppEvent } from '../shared/events';
import { problemAnswer, type Answer } from '../shared/http/answer';
import { corsAnswer, withCors } from '../shared/http/cors';
import type { Services } from '../shared/services';

/** The services, built at the first call and kept. */
export type ServicesSource = () => Promise<Services>;

/** Every HTTP call is answered within 5 s, also when storage hangs (design §4): this much is for the storage calls. */
const answerMs = 4000;
/** What a 503 asks for, in its `Retry-After`. */
export const retryAfterSeconds = 10;

const invocation = new AsyncLocalStorage<InvocationContext>();

/** Writes an event into the log of the invocation it belongs to: one JSON string, since the host flattens objects. */
export function emit(event: AppEvent): void {
  const context = invocation.getStore();
  const line = eventLine(event);
  if (context === undefined) process.stdout.write(`${line}\n`);
  else if (event.level === 'error') context.error(line);
  else if (event.level === 'warn') context.warn(line);
  else context.log(line);
}

/** One HTTP call after the edge has done its part. */
export type Endpoint = (services: Services, request: HttpRequest, signal: AbortSignal) => Promise<Answer>;

/** Makes the handler of an HTTP function: CORS, deadline, one event per call, 503 for broken infrastructure, never a stack. */
export function httpEndpoint(name: string, source: ServicesSource, endpoint: Endpoint): HttpHandler {
  return (request, context) =>
    invocation.run(context, async () => {
      const startedAt = performance.now();
      const answer = await answerOf(name, source, endpoint, request);
      const { status } = answer;
      const level = status >= 500 ? 'error' : 'info';
      emit({ event: 'answered', level, call: name, status, latencyMs: Math.round(performance.now() - startedAt) });
      return { ...answer, headers: { ...answer.headers } };
    });
}

async function answerOf(
  name: string,
  source: ServicesSource,
  endpoint: Endpoint,
  request: HttpRequest,
): Promise<Answer> {
  try {
    const services = await source();
    const { allowedOrigins } = services.settings;
    if (request.method === 'OPTIONS') return corsAnswer(request.headers, allowedOrigins);
    const answered = endpoint(services, request, AbortSignal.timeout(answerMs));
    // A front end elsewhere must be able to read a 503, too.
    const answer = await answered.catch((error: unknown) => answerToError(name, error));
    return withCors(answer, request.headers, allowedOrigins);
  } catch (error) {
    return answerToError(name, error);
  }
}

function answerToError(call: string, error: unknown): Answer {
  const code = reportError(call, error);
  return problemAnswer(code, code === 'unavailable' ? { retryAfterSeconds } : {});
}

/** Says in the log what went wrong, in a safe shape. @returns what the caller is told: `unavailable` = try again later */
export function reportError(call: string, error: unknown): 'unavailable' | 'internal_error' {
  if (error instanceof SiteUnavailable) return 'unavailable'; // said by the site source
  if (error instanceof StorageUnavailable) {
    // Azure answers 403 AuthenticationFailed to a request whose clock is more than 15 minutes off.
    const hint = error.code === 'AuthenticationFailed' ? 'check the clock and the storage key' : undefined;
    emit({ event: 'storageUnavailable', level: 'error', call, part: error.part, code: error.code, hint });
    return 'unavailable';
  }
  emit({ event: 'unexpectedError', level: 'error', call, ...errorFields(error) });
  return 'internal_error';
}

/** Makes the handler of a queue or timer function: the same log, and what is thrown is logged in a safe shape. */
export function backgroundTask<T>(
  name: string,
  source: ServicesSource,
  task: (services: Services, input: T) => Promise<void>,
) {
  return (input: T, context: InvocationContext): Promise<void> =>
    invocation.run(context, async () => {
      try {
        await task(await source(), input);
      } catch (error) {
        emit({ event: 'taskFailed', level: 'error', task: name, ...errorFields(error) });
        // Without the cause: the host logs what is thrown, and an SDK's error may hold a request or an address.
        // eslint-disable-next-line preserve-caught-error
        throw new Error(`${name} failed: ${errorFields(error).errorName}`);
      }
    });
}
