// Reads a request's body the way the real host hands it to a non-streaming app: by its Content-Length only.
import type { IncomingMessage } from 'node:http';

/** What became of a body. */
export type ReadBody = { outcome: 'read'; body: Buffer } | { outcome: 'tooLarge' } | { outcome: 'aborted' };

/**
 * Reads a body. One without Content-Length (chunked) counts as empty, as on the real host; it is discarded.
 * @param request the request, not yet read.
 * @param maxBytes a longer body is refused by its announced length, before a byte of it is kept.
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<ReadBody> {
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > maxBytes) return { outcome: 'tooLarge' };
  if (length === 0) return { outcome: 'read', body: Buffer.alloc(0) };
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  } catch {
    return { outcome: 'aborted' };
  }
  return { outcome: 'read', body: Buffer.concat(chunks) };
}
