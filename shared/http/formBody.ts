// Reads the body of a form at the edge: unknown bytes in, named texts or the reason for a refusal out. Stores nothing.
import type { BodyRequest } from './jsonBody';
import { maxBodyBytes } from './jsonBody';

export type ReadForm =
  | { readonly outcome: 'read'; readonly fields: ReadonlyMap<string, string> }
  /** `notAForm` 415, `formTooLarge` 413, `unreadableForm` 400. */
  | { readonly outcome: 'refused'; readonly problem: 'notAForm' | 'formTooLarge' | 'unreadableForm' };

/**
 * Reads a form. One documented reading: `application/x-www-form-urlencoded` in UTF-8, ≤16 KiB, every field at most once.
 * Strict where `URLSearchParams` is not: bytes that are no UTF-8 are refused, not replaced (a password is hashed as typed).
 * @see URL Standard §5.1 (application/x-www-form-urlencoded parsing)
 */
export async function readFormBody(request: BodyRequest): Promise<ReadForm> {
  const contentType = request.headers.get('content-type') ?? '';
  const isForm = /^application\/x-www-form-urlencoded(?:\s*;\s*charset="?utf-8"?)?\s*$/i.test(contentType);
  if (!isForm || request.headers.get('content-encoding') !== null) return { outcome: 'refused', problem: 'notAForm' };
  if (Number(request.headers.get('content-length')) > maxBodyBytes)
    return { outcome: 'refused', problem: 'formTooLarge' };
  const bytes = await request.arrayBuffer();
  if (bytes.byteLength > maxBodyBytes) return { outcome: 'refused', problem: 'formTooLarge' };
  const fields = parseForm(bytes);
  return fields === undefined ? { outcome: 'refused', problem: 'unreadableForm' } : { outcome: 'read', fields };
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
    return undefined; // no UTF-8 here, or a broken escape there
  }
}

const decode = (text: string): string => decodeURIComponent(text.replace(/\+/g, ' '));
