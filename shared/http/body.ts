// Reads a body at the edge, JSON or a form: unknown bytes in, typed data or a problem out. Stores nothing, works on ≤16 KiB.
import type * as z from 'zod';
import { type Answer, problemAnswer } from './answer';

/** What is needed of a request; `@azure/functions`' HttpRequest is one. */
export interface BodyRequest {
  readonly headers: { get(name: string): string | null };
  arrayBuffer(): Promise<ArrayBuffer>;
}

export const maxBodyBytes = 16 * 1024;
const chunkedDetail =
  'A chunked body does not reach this function: send Content-Length (in .NET, LoadIntoBufferAsync before PostAsync).';

/** The Functions host passes a body on only if the request has a Content-Length; a chunked one arrives empty. */
const isChunked = (request: BodyRequest, bytes: ArrayBuffer): boolean =>
  bytes.byteLength === 0 && request.headers.get('transfer-encoding') !== null;

export type ReadBody<T> =
  { readonly outcome: 'read'; readonly body: T } | { readonly outcome: 'refused'; readonly answer: Answer };

/**
 * Reads and validates a body. One documented reading: UTF-8 without BOM, no content encoding, a JSON object with exactly the
 * fields of the schema; of a duplicate field the last one counts (ECMA-404 leaves it open, V8 does so).
 * @returns 415 for anything but `application/json`, 413 over 16 KiB, 400 `invalid_request` for the rest; nothing is quoted back
 */
export async function readJsonBody<T extends z.ZodType>(
  request: BodyRequest,
  schema: T,
): Promise<ReadBody<z.output<T>>> {
  const refuse = (answer: Answer): ReadBody<z.output<T>> => ({ outcome: 'refused', answer });
  if (!isJson(request.headers.get('content-type')) || request.headers.get('content-encoding') !== null) {
    return refuse(problemAnswer('unsupported_media_type'));
  }
  if (Number(request.headers.get('content-length')) > maxBodyBytes) return refuse(problemAnswer('request_too_large'));
  const bytes = await request.arrayBuffer();
  if (bytes.byteLength > maxBodyBytes) return refuse(problemAnswer('request_too_large'));
  if (isChunked(request, bytes)) return refuse(problemAnswer('length_required', { detail: chunkedDetail }));
  const value = parseJson(bytes);
  if (typeof value === 'string') return refuse(problemAnswer('invalid_request', { detail: value }));
  const parsed = schema.safeParse(value);
  if (parsed.success) return { outcome: 'read', body: parsed.data };
  const field = String(parsed.error.issues[0]?.path[0] ?? '');
  const known = /^[a-zA-Z]{1,20}$/.test(field) ? field : undefined;
  const detail =
    known === undefined
      ? 'The fields of the body are not as documented.'
      : `The field "${known}" is missing or not as documented.`;
  return refuse(problemAnswer('invalid_request', { detail }));
}

/** @see RFC 8259 §11: JSON has no charset parameter; `utf-8` is common and harmless, any other is refused. */
function isJson(contentType: string | null): boolean {
  return /^application\/json(?:\s*;\s*charset="?utf-8"?)?\s*$/i.test(contentType ?? '');
}

/** @returns the value, or what is wrong with the bytes */
function parseJson(bytes: ArrayBuffer): Record<string, unknown> | string {
  let illFormed = 0;
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    // A lone surrogate escape is valid JSON but not valid text: such a string can be neither hashed nor mailed.
    const value: unknown = JSON.parse(text, (_name, item: unknown) => {
      if (typeof item === 'string' && !item.isWellFormed()) illFormed += 1;
      return item;
    });
    if (illFormed > 0) return 'A string of the body holds half of a character (a lone surrogate).';
    return isObject(value) ? value : 'The body is not a JSON object.';
  } catch {
    return 'The body is not JSON in UTF-8.';
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export type ReadForm =
  | { readonly outcome: 'read'; readonly fields: ReadonlyMap<string, string> }
  /** `not_a_form` 415, `form_too_large` 413, `unreadable_form` 400. */
  | { readonly outcome: 'refused'; readonly problem: 'not_a_form' | 'form_too_large' | 'unreadable_form' };

/**
 * Reads a form. One documented reading: `application/x-www-form-urlencoded` in UTF-8, ≤16 KiB, every field at most once.
 * Stricter than `URLSearchParams`: invalid UTF-8 is refused, not replaced (a password is hashed as typed).
 * @see URL Standard §5.1 (application/x-www-form-urlencoded parsing)
 */
export async function readFormBody(request: BodyRequest): Promise<ReadForm> {
  const contentType = request.headers.get('content-type') ?? '';
  const isForm = /^application\/x-www-form-urlencoded(?:\s*;\s*charset="?utf-8"?)?\s*$/i.test(contentType);
  if (!isForm || request.headers.get('content-encoding') !== null) return { outcome: 'refused', problem: 'not_a_form' };
  if (Number(request.headers.get('content-length')) > maxBodyBytes)
    return { outcome: 'refused', problem: 'form_too_large' };
  const bytes = await request.arrayBuffer();
  if (bytes.byteLength > maxBodyBytes) return { outcome: 'refused', problem: 'form_too_large' };
  const fields = parseForm(bytes);
  return fields === undefined ? { outcome: 'refused', problem: 'unreadable_form' } : { outcome: 'read', fields };
}

function parseForm(bytes: ArrayBuffer): Map<string, string> | undefined {
  const fields = new Map<string, string>();
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    for (const pair of text.split('&').filter((part) => part !== '')) {
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
