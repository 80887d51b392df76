// Translates between Node's HTTP messages and the plain data the real host exchanges with a non-streaming app.
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { RpcHttpRequest } from './coreApi';

/**
 * An HTTP request as the function gets it.
 * @param request the request; its header `host` must be checked already.
 * @param target path and query as they came.
 * @param params the route's parameters.
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
    ...(body.length > 0 && { body: { bytes: body } }),
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
  const peer = `${remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`;
  return [...(request.headersDistinct['x-forwarded-for'] ?? []), peer].join(', ');
}

/** The real host joins repeated parameters with a comma, ignoring the case of their names. */
function joinedQuery(target: string): Record<string, string> {
  const start = target.indexOf('?');
  const values = new Map<string, { name: string; value: string }>();
  for (const [name, value] of new URLSearchParams(start < 0 ? '' : target.slice(start))) {
    const earlier = values.get(name.toUpperCase());
    values.set(name.toUpperCase(), {
      name: earlier?.name ?? name,
      value: earlier ? `${earlier.value},${value}` : value,
    });
  }
  return Object.fromEntries([...values.values()].map(({ name, value }) => [name, value]));
}

const nullableOf = <T extends z.ZodType>(value: T) => z.object({ value }).optional();
const cookieSchema = z.object({
  name: z.string(),
  value: z.string(),
  domain: nullableOf(z.string()),
  path: nullableOf(z.string()),
  expires: nullableOf(z.object({ seconds: z.number() })),
  secure: nullableOf(z.boolean()),
  httpOnly: nullableOf(z.boolean()),
  sameSite: z.enum(['none', 'lax', 'strict', 'explicitNone']).optional(),
  maxAge: nullableOf(z.number()),
});
const responseSchema = z.object({
  http: z.object({
    statusCode: z.coerce.number().int(),
    headers: z.record(z.string(), z.string()).default({}),
    cookies: z.array(cookieSchema).default([]),
    body: z.object({ bytes: z.instanceof(Uint8Array) }).nullish(),
  }),
});

/** What goes back to the client. */
export interface PlainResponse {
  status: number;
  headers: Record<string, string | string[]>;
  body: Uint8Array;
}

/** An answer without headers and body. */
export function emptyAnswer(status: number): PlainResponse {
  return { status, headers: {}, body: new Uint8Array() };
}

/**
 * Reads what the library made of a function's returned value. Nothing returned means 204, as on the real host.
 * @throws ZodError if the library answered with something else than a response.
 */
export function fromRpcHttpResponse(returnValue: unknown): PlainResponse {
  if (returnValue === null || returnValue === undefined) return emptyAnswer(204);
  const { statusCode, headers, cookies, body } = responseSchema.parse(returnValue).http;
  const setCookie = [
    ...(headers['set-cookie'] === undefined ? [] : [headers['set-cookie']]),
    ...cookies.map(cookieText),
  ];
  return {
    status: statusCode,
    headers: { ...headers, ...(setCookie.length > 0 && { 'set-cookie': setCookie }) },
    body: body?.bytes ?? new Uint8Array(),
  };
}

function cookieText(cookie: z.infer<typeof cookieSchema>): string {
  const sameSite = { none: undefined, lax: 'lax', strict: 'strict', explicitNone: 'none' }[cookie.sameSite ?? 'none'];
  return [
    `${cookie.name}=${encodeURIComponent(cookie.value)}`,
    cookie.expires && `expires=${new Date(cookie.expires.value.seconds * 1000).toUTCString()}`,
    cookie.maxAge && `max-age=${cookie.maxAge.value}`,
    cookie.domain && `domain=${cookie.domain.value}`,
    `path=${cookie.path?.value ?? '/'}`,
    cookie.secure?.value && 'secure',
    sameSite && `samesite=${sameSite}`,
    cookie.httpOnly?.value && 'httponly',
  ]
    .filter((part) => typeof part === 'string')
    .join('; ');
}
