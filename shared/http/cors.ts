// Cross-origin calls of a site's front end: our own allow-list, so that Azure's portal setting is not needed. Without a listed
// origin no CORS header is ever sent. @see Fetch Standard §3.3 (CORS protocol)
import { commonHeaders, type Answer } from './answer';

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
