// The answers of the HTTP functions, as plain data, and the CORS headers on them. One table maps a problem's code to its status and
// public text.

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

const problems = {
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
export const problemOf = (code: ProblemCode): { readonly status: number; readonly title: string } => problems[code];

/** A 2xx answer in JSON. */
export function jsonAnswer(status: number, value: unknown): Answer {
  return { status, headers: { ...commonHeaders, 'Content-Type': 'application/json' }, body: JSON.stringify(value) };
}

/** More about a problem, for the front end's developer and its user. Never quotes what was sent. */
export interface ProblemDetails {
  readonly detail?: string;
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

type Headers = { get(name: string): string | null };

const allowedOrigin = (headers: Headers, allowedOrigins: readonly string[]): string | undefined =>
  allowedOrigins.find((origin) => origin === headers.get('origin'));

/** The answer to a preflight: 204, with permission or without. */
export function corsAnswer(headers: Headers, allowedOrigins: readonly string[]): Answer {
  const origin = allowedOrigin(headers, allowedOrigins);
  const permission =
    origin === undefined
      ? {}
      : {
          'Access-Control-Allow-Origin': origin,
          'Access-Control-Allow-Methods': 'POST',
          'Access-Control-Allow-Headers': 'Content-Type',
          'Access-Control-Max-Age': '600',
        };
  return { status: 204, headers: { ...commonHeaders, ...vary(allowedOrigins), ...permission } };
}

/** Adds the permission to read the answer, for a listed origin. */
export function withCors(answer: Answer, headers: Headers, allowedOrigins: readonly string[]): Answer {
  const origin = allowedOrigin(headers, allowedOrigins);
  const permission =
    origin === undefined
      ? {}
      : {
          'Access-Control-Allow-Origin': origin,
          'Access-Control-Expose-Headers': 'Retry-After',
          'Cross-Origin-Resource-Policy': 'cross-origin',
        };
  return { ...answer, headers: { ...answer.headers, ...vary(allowedOrigins), ...permission } };
}

const vary = (allowedOrigins: readonly string[]) => (allowedOrigins.length > 0 ? { Vary: 'Origin' } : {});
