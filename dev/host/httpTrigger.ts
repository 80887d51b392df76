// HTTP triggers: translates between Node's HTTP messages and the plain data that the real host exchanges with a non-streaming app.
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { bindingOf, log, type FunctionApp, type RegisteredFunction, type RpcHttpRequest } from './functionApp';
import type { Answer, Endpoint, HttpCall } from './httpServer';

const httpTrigger = z.object({
  route: z.string().optional(),
  methods: z.array(z.string().toUpperCase()),
  authLevel: z.string().toLowerCase(),
});

/** The endpoint of a function; none if it has no HTTP trigger. */
export function functionEndpoint(app: FunctionApp, routePrefix: string, fn: RegisteredFunction): Endpoint[] {
  const binding = bindingOf(fn, 'httpTrigger');
  if (!binding) return [];
  const { route = fn.metadata.name, methods, authLevel } = httpTrigger.parse(binding);
  const { name } = fn.metadata;
  const answer = async (call: HttpCall): Promise<Answer> =>
    toAnswer(name, await app.invoke(fn, { data: { http: toRpcHttpRequest(call) } }));
  return [{ path: `${routePrefix}/${route}`, methods, needsKey: authLevel !== 'anonymous', answer }];
}

function toRpcHttpRequest({ request, url, params, body }: HttpCall): RpcHttpRequest {
  // The real host joins repeated headers and parameters with a bare comma.
  const headers: [string, string][] = [];
  for (const [name, values = []] of Object.entries(request.headersDistinct)) headers.push([name, values.join(',')]);
  const query: Record<string, string> = {};
  for (const [name, value] of url.searchParams) {
    query[name] = query[name] === undefined ? value : `${query[name]},${value}`;
  }
  return {
    url: url.href,
    method: request.method ?? 'GET',
    nullableHeaders: nullable([...headers, ['x-forwarded-for', forwardedFor(request)]]),
    nullableParams: nullable(Object.entries(params)),
    nullableQuery: nullable(Object.entries(query)),
    body: body.length > 0 ? { bytes: body } : undefined,
  };
}

const nullable = (values: readonly (readonly [string, string])[]): Record<string, { value: string }> =>
  Object.fromEntries(values.map(([name, value]) => [name, { value }]));

/** On Azure the front end appends the peer, with its port; everything before it was sent by the client. */
function forwardedFor(request: IncomingMessage): string {
  const { remoteAddress = '', remotePort = 0 } = request.socket;
  return [...(request.headersDistinct['x-forwarded-for'] ?? []), `${remoteAddress}:${remotePort}`].join(', ');
}

/** What belongs to the connection is the server's own to set. */
const connectionHeaders = /^(?:connection|keep-alive|transfer-encoding|content-length)$/i;
const responseSchema = z.object({
  http: z.object({
    statusCode: z.coerce.number().int(),
    headers: z.record(z.string(), z.string()).default({}),
    cookies: z.array(z.unknown()).max(0, 'the dev host does not send cookies').optional(),
    body: z.object({ bytes: z.instanceof(Uint8Array) }).nullish(),
  }),
});

/** Reads what the library made of a function's returned value. Nothing returned means 204, as on the real host. */
function toAnswer(name: string, returnValue: unknown): Answer {
  if (returnValue === null || returnValue === undefined) return { status: 204 };
  const response = responseSchema.safeParse(returnValue);
  if (!response.success) {
    log('error', name, `The answer cannot be sent: ${z.prettifyError(response.error)}`);
    return { status: 500 };
  }
  const { statusCode, headers, body } = response.data.http;
  const own = Object.entries(headers).filter(([header]) => !connectionHeaders.test(header));
  return { status: statusCode, headers: Object.fromEntries(own), body: body?.bytes };
}
