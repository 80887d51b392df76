// Signed JSON calls to the site, by Standard Webhooks (https://www.standardwebhooks.com): account directory and site events.
// The site's own words in an answer never reach a log.
import { Webhook } from 'standardwebhooks';
import { failureBeforeSending } from '../mail/backends/connectionErrors';
import { type Clock, deadline, systemClock } from '../clock';
import type { SendResult } from '../mail/emailBackend';
import { parseJson } from '../outbox/outgoingMail';
import type { SiteEvent } from '../resetDeps';

export interface SignedTarget {
  /** https, or http on loopback. */
  readonly url: string;
  /** `whsec_` and base64; the first signs, so that the site can accept a new secret before it is used. */
  readonly secrets: readonly string[];
}

export interface SignedMessage {
  /** `webhook-id`: the same for every try of a message. */
  readonly id: string;
  /** Signed as `webhook-timestamp`, in whole seconds. */
  readonly at: Date;
  /** JSON; signed byte for byte. */
  readonly body: string;
}

export type SignedAnswer =
  | {
      readonly outcome: 'answered';
      readonly status: number;
      /** The parsed body, or why there is none. */
      readonly body: { readonly json: unknown } | { readonly problem: 'too_large' | 'not_json' };
      readonly retryAfter: string | null;
    }
  /** `timeout`, `connection_lost` (the call may have reached the site), or why there was no connection. */
  | { readonly outcome: 'failed'; readonly reason: string; readonly cause: unknown };

export type SignedPost = (path: string, message: SignedMessage, signal: AbortSignal) => Promise<SignedAnswer>;

const maxAnswerBytes = 64 * 1024;
const loopbackHost = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * A function that posts signed messages below a URL. Redirects are not followed: they would take the message elsewhere.
 * @throws Error for a URL or a secret that the settings should have refused
 */
export function createSignedPost({ url, secrets: [secret] }: SignedTarget): SignedPost {
  const { protocol, hostname } = new URL(url);
  if (protocol !== 'https:' && !(protocol === 'http:' && loopbackHost.test(hostname)))
    throw new Error('A signed call needs https (http on loopback only).');
  if (secret === undefined) throw new Error('A signed call needs a secret.');
  const webhook = new Webhook(secret);
  const base = url.replace(/\/+$/, '');
  return async (path, { id, at, body }, signal) => {
    try {
      const response = await fetch(base + path, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          Accept: 'application/json',
          'webhook-id': id,
          'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
          'webhook-signature': webhook.sign(id, at, body),
        },
        body,
        redirect: 'manual',
        signal,
      });
      const { status, headers } = response;
      return { outcome: 'answered', status, body: await readBody(response), retryAfter: headers.get('retry-after') };
    } catch (cause) {
      const reason = signal.aborted ? 'timeout' : (failureBeforeSending(cause)?.reason ?? 'connection_lost');
      return { outcome: 'failed', reason, cause };
    }
  };
}

type Body = Extract<SignedAnswer, { outcome: 'answered' }>['body'];

async function readBody({ body, headers }: Response): Promise<Body> {
  const stream: AsyncIterable<Uint8Array> | null = body;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of stream ?? []) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > maxAnswerBytes) return { problem: 'too_large' }; // leaving the loop cancels the stream
  }
  if (!/^application\/json\b/i.test(headers.get('content-type') ?? '')) return { problem: 'not_json' };
  const json = parseJson(Buffer.concat(chunks).toString('utf8'));
  return json === undefined ? { problem: 'not_json' } : { json };
}

const misconfiguredStatuses = [401, 403, 404, 405, 407];
const retryStatuses = [408, 409, 425, 429];

/**
 * One send per call of the result, which never throws for what the site answers. Whatever went wrong, another send does no harm: the
 * site drops a repeat by its id.
 */
export function createSiteEventSender(
  settings: SignedTarget & { readonly timeoutMs?: number | undefined },
  clock: Clock = systemClock,
): (event: SiteEvent) => Promise<SendResult> {
  const post = createSignedPost(settings);
  return async ({ id, type, data }) => {
    const at = clock();
    const body = JSON.stringify({ type, timestamp: data['at'] ?? at.toISOString(), data });
    const signal = AbortSignal.any([deadline(), AbortSignal.timeout(settings.timeoutMs ?? 8_000)]);
    const answer = await post('', { id, at, body }, signal);
    const transient = (reason: string, misconfigured: boolean, retryAfterSeconds?: number) =>
      ({ outcome: 'transient', reason, surelyNotAccepted: true, misconfigured, retryAfterSeconds }) as const;
    if (answer.outcome === 'failed') return transient(answer.reason, answer.reason === 'tls');
    const { status, retryAfter } = answer;
    if (status >= 200 && status < 300) return { outcome: 'accepted', backend: 'site' };
    const reason = `site_${status}`;
    if (status >= 500 || retryStatuses.includes(status)) {
      const seconds = /^\d{1,9}$/.test(retryAfter ?? '') ? Math.min(300, Math.max(1, Number(retryAfter))) : undefined;
      return transient(reason, false, seconds);
    }
    if (status < 400 || misconfiguredStatuses.includes(status)) return transient(reason, true);
    return { outcome: 'permanent', reason };
  };
}
