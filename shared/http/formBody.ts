// Reads the body of a form at the edge: unknown bytes in, named texts or the reason for a refusal out. Stores nothing.
import type { BodyRequest } from './jsonBody';
import { maxBodyBytes } from './jsonBody';

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
