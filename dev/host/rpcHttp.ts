// Translates between Node's HTTP messages and the plain data the real host exchanges with a non-streaming app.
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { RpcHttpRequest } from './functionApp';
import type { Answer } from './httpServer';

/**
 * An HTTP request as the function gets it.
 * @param target path and query as they came.
 * @param body all of the body, empty for none.
 */
export function toRpcHttpRequest(
  request: IncomingMessage,
  target: string,
  params: Readonly<Record<string, string>>,
  body: Uint8Array,
): RpcHttpRequest {
  return {
    url: `http://${request.headers.host ?? 'localhost'}${target}`,
    method: request.method ?? 'GET',
    nullableHeaders: nullable({ ...joinedHeaders(request), 'x-forwarded-for': forwardedFor(request) }),
    nullableParams: nullable(params),
    nullableQuery: nullable(joinedQuery(target)),
    body: body.length > 0 ? { bytes: body } : undefined,
  };
}

function nullable(values: Readonly<Record<string, string>>): Record<string, { value: string }> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));
}

/** The real host joins the values of a repeated header with a bare comma. */
function joinedHeaders(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headersDistinct).map(([name, values = []]) => [
      name,
      values.join(name === 'cookie' ? '; ' : ','),
    ]),
  );
}

/** On Azure the front end appends the peer, with its port; everything before it was sent by the client. */
function forwardedFor(request: IncomingMessage): string {
  const { remoteAddress = '', remotePort = 0 } = request.socket;
  return [...(request.headersDistinct['x-forwarded-for'] ?? []), `${remoteAddress}:${remotePort}`].join(', ');
}

/** The real host joins repeated parameters with a comma. */
function joinedQuery(target: string): Record<string, string> {
  const query: Record<string, string> = {};
  for (const [name, value] of new URLSearchParams(target.split('?').slice(1).join('?'))) {
    query[name] = query[name] === undefined ? value : `${query[name]},${value}`;
  }
  return query;
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

/**
 * Reads what the library made of a function's returned value. Nothing returned means 204, as on the real host.
 * @throws ZodError if that is no response, or one with cookies.
 */
export function fromRpcHttpResponse(returnValue: unknown): Answer {
  if (returnValue === null || returnValue === undefined) return { status: 204 };
  const { statusCode, headers, body } = responseSchema.parse(returnValue).http;
  const own = Object.entries(headers).filter(([name]) => !connectionHeaders.test(name));
  return { status: statusCode, headers: Object.fromEntries(own), body: body?.bytes };
}
