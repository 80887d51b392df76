// HTTP messages at the edge: answers, their CORS headers, the bodies of requests (JSON or a form), and the client that sent one.
// One table maps a problem's code to its status and public text. A body comes in as unknown bytes and goes on as typed data or a problem.
import ipaddr from 'ipaddr.js';
import type * as z from 'zod';

/** What an HTTP function answers; fits the response of `@azure/functions`. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** On every answer, so that nothing is kept and nothing is guessed (OWASP HTTP Headers Cheat Sheet). */
export const commonHeaders = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'X-Frame-Options': 'DENY',
  'Strict-Transport-Security': 'max-age=31536000', // browsers ignore it over plain http (RFC 6797 §8.1)
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

/** Status and public text of every problem. */
export const problems = {
  invalid_request: { status: 400, title: 'The request is not valid.' },
  invalid_key: { status: 400, title: 'This reset key is not valid.' },
  forbidden: { status: 403, title: 'This request is not allowed.' },
  expired_key: { status: 410, title: 'This reset key has expired.' },
  used_key: { status: 410, title: 'This reset key has been used already, or the account has changed since.' },
  length_required: { status: 411, title: 'The request needs a Content-Length header.' },
  request_too_large: { status: 413, title: 'The request body is too large.' },
  unsupported_media_type: { status: 415, title: 'The request body must be application/json in UTF-8.' },
  rejected_password: { status: 422, title: 'This password cannot be used.' },
  too_many_requests: { status: 429, title: 'Too many requests. Try again later.' },
  internal_error: { status: 500, title: 'Something went wrong here.' },
  unavailable: { status: 503, title: 'The service is not available just now. Try again later.' },
} as const;

/** The stable `code` of every error answer. */
export type ProblemCode = keyof typeof problems;

export function jsonAnswer(status: number, value: unknown): Answer {
  return { status, headers: { ...commonHeaders, 'Content-Type': 'application/json' }, body: JSON.stringify(value) };
}

/** More about a problem, for the front end's developer and its user. Never quotes what was sent. */
interface ProblemDetails {
  readonly detail?: string | undefined;
  readonly errors?: readonly { readonly code: string; readonly message: string }[];
  /** Seconds, for `Retry-After`. */
  readonly retryAfterSeconds?: number;
}

/** An error answer. @see RFC 9457 */
export function problemAnswer(code: ProblemCode, { detail, errors, retryAfterSeconds }: ProblemDetails = {}): Answer {
  const { status, title } = problems[code];
  return {
    status,
    headers: {
      ...commonHeaders,
      'Content-Type': 'application/problem+json',
      ...(retryAfterSeconds !== undefined && { 'Retry-After': String(Math.max(1, Math.ceil(retryAfterSeconds))) }),
    },
    body: JSON.stringify({ type: 'about:blank', title, status, code, detail, errors }),
  };
}

export type RequestHeaders = { get(name: string): string | null };

/** `permission` is given to listed origins only. */
function corsHeaders(headers: RequestHeaders, allowedOrigins: readonly string[], permission: Record<string, string>) {
  const origin = headers.get('origin');
  return {
    ...(allowedOrigins.length > 0 && { Vary: 'Origin' }),
    ...(origin !== null && allowedOrigins.includes(origin) && { 'Access-Control-Allow-Origin': origin, ...permission }),
  };
}

/** The answer to a preflight: 204, with permission or without. */
export function corsAnswer(headers: RequestHeaders, allowedOrigins: readonly string[]): Answer {
  const permission = {
    'Access-Control-Allow-Methods': 'POST',
    'Access-Control-Allow-Headers': 'Content-Type',
    'Access-Control-Max-Age': '600',
  };
  return { status: 204, headers: { ...commonHeaders, ...corsHeaders(headers, allowedOrigins, permission) } };
}

/** Adds the permission to read the answer, for a listed origin. */
export function withCors(answer: Answer, headers: RequestHeaders, allowedOrigins: readonly string[]): Answer {
  const permission = {
    'Access-Control-Expose-Headers': 'Retry-After',
    'Cross-Origin-Resource-Policy': 'cross-origin',
  };
  return { ...answer, headers: { ...answer.headers, ...corsHeaders(headers, allowedOrigins, permission) } };
}

/** What is needed of a request; `@azure/functions`' HttpRequest is one. */
interface BodyRequest {
  readonly headers: RequestHeaders;
  arrayBuffer(): Promise<ArrayBuffer>;
}

export const maxBodyBytes = 16 * 1024;

/** The bytes of a body, or undefined if they are too many: unread if `Content-Length` says so. */
export async function readBytes(request: BodyRequest, maxBytes: number): Promise<ArrayBuffer | undefined> {
  if (Number(request.headers.get('content-length')) > maxBytes) return undefined;
  const bytes = await request.arrayBuffer();
  return bytes.byteLength > maxBytes ? undefined : bytes;
}

/** This media type in UTF-8. JSON has no charset parameter (RFC 8259 §11); `utf-8` is common and harmless, any other is refused. */
const inUtf8 = (type: string): RegExp => new RegExp(`^${type}(?:\\s*;\\s*charset="?utf-8"?)?\\s*$`, 'i');
const jsonType = inUtf8('application/json');
const formType = inUtf8('application/x-www-form-urlencoded');

const isOfType = ({ headers }: BodyRequest, type: RegExp): boolean =>
  type.test(headers.get('content-type') ?? '') && headers.get('content-encoding') === null;

type ReadBody<T> =
  { readonly outcome: 'read'; readonly body: T } | { readonly outcome: 'refused'; readonly answer: Answer };

/**
 * Reads and validates a body. One documented reading: UTF-8 without BOM, no content encoding, a JSON object with exactly the
 * fields of the schema; of a duplicate field the last one counts (ECMA-404 leaves it open, V8 does so).
 * @returns 415 for anything but `application/json`, 413 over 16 KiB, 400 `invalid_request` for the rest; nothing is quoted back
 */
export async function readJsonBody<T>(request: BodyRequest, schema: z.ZodType<T>): Promise<ReadBody<T>> {
  const refuse = (code: ProblemCode, detail?: string) =>
    ({ outcome: 'refused', answer: problemAnswer(code, { detail }) }) as const;
  if (!isOfType(request, jsonType)) return refuse('unsupported_media_type');
  const bytes = await readBytes(request, maxBodyBytes);
  if (bytes === undefined) return refuse('request_too_large');
  // The Functions host passes a body on only if the request has a Content-Length; a chunked one arrives empty.
  if (bytes.byteLength === 0 && request.headers.get('transfer-encoding') !== null) {
    return refuse('length_required', chunkedDetail);
  }
  const value = parseJson(bytes);
  if (typeof value === 'string') return refuse('invalid_request', value);
  const parsed = schema.safeParse(value);
  if (parsed.success) return { outcome: 'read', body: parsed.data };
  const field = String(parsed.error.issues[0]?.path[0] ?? '');
  return refuse(
    'invalid_request',
    /^[a-zA-Z]{1,20}$/.test(field)
      ? `The field "${field}" is missing or not as documented.`
      : 'The fields of the body are not as documented.',
  );
}

const chunkedDetail =
  'A chunked body does not reach this function: send Content-Length (in .NET, LoadIntoBufferAsync before PostAsync).';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const surrogateEscape = /\\u[dD]/;

/** @returns the value, or what is wrong with the bytes */
function parseJson(bytes: ArrayBuffer): Record<string, unknown> | string {
  try {
    const text = utf8.decode(bytes);
    // A lone surrogate escape is valid JSON but not valid text: such a string can be neither hashed nor mailed.
    if (surrogateEscape.test(text) && hasLoneSurrogate(text)) {
      return 'A string of the body holds half of a character (a lone surrogate).';
    }
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : 'The body is not a JSON object.';
  } catch {
    return 'The body is not JSON in UTF-8.';
  }
}

function hasLoneSurrogate(text: string): boolean {
  let illFormed = 0;
  JSON.parse(text, (_name, item: unknown) => {
    if (typeof item === 'string' && !item.isWellFormed()) illFormed += 1;
    return item;
  });
  return illFormed > 0;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

type ReadForm =
  | { readonly outcome: 'read'; readonly fields: ReadonlyMap<string, string> }
  /** `not_a_form` 415, `form_too_large` 413, `unreadable_form` 400. */
  | { readonly outcome: 'refused'; readonly problem: 'not_a_form' | 'form_too_large' | 'unreadable_form' };

/**
 * Reads a form. One documented reading: `application/x-www-form-urlencoded` in UTF-8, ≤16 KiB, every field at most once.
 * Stricter than `URLSearchParams`: invalid UTF-8 is refused, not replaced (a password is hashed as typed).
 * @see URL Standard §5.1 (application/x-www-form-urlencoded parsing)
 */
export async function readFormBody(request: BodyRequest): Promise<ReadForm> {
  if (!isOfType(request, formType)) return { outcome: 'refused', problem: 'not_a_form' };
  const bytes = await readBytes(request, maxBodyBytes);
  if (bytes === undefined) return { outcome: 'refused', problem: 'form_too_large' };
  const fields = parseForm(bytes);
  return fields === undefined ? { outcome: 'refused', problem: 'unreadable_form' } : { outcome: 'read', fields };
}

function parseForm(bytes: ArrayBuffer): Map<string, string> | undefined {
  const fields = new Map<string, string>();
  try {
    for (const pair of utf8
      .decode(bytes)
      .split('&')
      .filter((part) => part !== '')) {
      const [name = '', ...rest] = pair.split('=');
      const decodedName = decode(name);
      if (fields.has(decodedName)) return undefined;
      fields.set(decodedName, decode(rest.join('=')));
    }
    return fields;
  } catch {
    return undefined; // invalid UTF-8, or a broken escape
  }
}

const decode = (text: string): string => decodeURIComponent(text.replace(/\+/g, ' '));

/** All clients without a readable address share this bucket: no address is no way around a limit. */
export const unknownClient = 'unknown';

/**
 * The bucket of the requesting client from `X-Forwarded-For`. Only the entry that the outermost trusted proxy wrote counts; the
 * client can put anything to its left.
 * @param forwardedFor the header's value; several headers come joined by commas
 * @param trustedHops `TRUSTED_PROXY_HOPS`: 1 behind Azure's front end; 0 trusts no header at all
 * @returns an IPv4 address, an IPv6 /64, or `unknown`
 */
export function clientBucket(forwardedFor: string | null, trustedHops: number): string {
  if (forwardedFor === null || trustedHops === 0) return unknownClient;
  return bucketOf(forwardedFor.split(',').at(-trustedHops) ?? '');
}

/**
 * The bucket of one address, with or without a port. IPv6 counts by its /64 (RFC 6177); IPv4-mapped and 6to4 addresses (RFC 3056)
 * count as the IPv4 address in them.
 */
export function bucketOf(entry: string): string {
  const text = entry.trim();
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1];
  const withPort = /^([\d.]+):\d{1,5}$/.exec(text)?.[1];
  const address = bracketed ?? withPort ?? text;
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return address;
  if (!ipaddr.IPv6.isValid(address) || address.includes('%')) return unknownClient;
  const ipv6 = ipaddr.IPv6.parse(address);
  if (ipv6.isIPv4MappedAddress()) return ipv6.toIPv4Address().toString();
  if (ipv6.range() === '6to4') return new ipaddr.IPv4(ipv6.toByteArray().slice(2, 6)).toString();
  const network = ipv6.parts.slice(0, 4).map((part) => part.toString(16));
  return `${network.join(':')}::/64`;
}
