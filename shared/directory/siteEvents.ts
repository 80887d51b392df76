// Events to the site (`SITE_EVENTS_URL`), as Standard Webhooks: at least once, each under a stable id.
import { systemClock, type Clock } from '../clock';
import { deadline } from '../deadline';
import { createSignedPost, type SignedTarget } from './signedCall';

export interface SiteEvent {
  /** `webhook-id`: the same for every try, so that the site can drop a repeat. */
  readonly id: string;
  readonly type: 'password.changed' | 'mail.bounced' | 'mail.dropped';
  /** `at` is when it happened, ISO 8601. `password.changed` has `accountId`. */
  readonly data: { readonly at: string; readonly [name: string]: string };
}

/** As `SendResult` of an e-mail backend. `misconfigured`: the URL or the secret is wrong, so somebody has to look at it. */
export type SiteEventOutcome =
  | { readonly outcome: 'accepted' }
  | {
      readonly outcome: 'transient';
      readonly reason: string;
      readonly misconfigured: boolean;
      /** 1–300. */
      readonly retryAfterSeconds: number | undefined;
    }
  | { readonly outcome: 'permanent'; readonly reason: string };

const misconfiguredStatuses = [401, 403, 404, 405, 407];
const retryStatuses = [408, 409, 425, 429];

/** Sends one event once; never throws for what the site answers. */
export async function sendSiteEvent(
  settings: SignedTarget & { readonly timeoutMs?: number | undefined },
  { id, type, data }: SiteEvent,
  clock: Clock = systemClock,
): Promise<SiteEventOutcome> {
  const signal = AbortSignal.any([deadline(), AbortSignal.timeout(settings.timeoutMs ?? 10_000)]);
  const body = JSON.stringify({ type, timestamp: data.at, data });
  const answer = await createSignedPost(settings)('', { id, at: clock(), body }, signal);
  const transient = (reason: string, misconfigured = false, retryAfterSeconds?: number): SiteEventOutcome => ({
    outcome: 'transient',
    reason,
    misconfigured,
    retryAfterSeconds,
  });
  if (answer.outcome === 'failed') return transient(answer.reason, answer.reason === 'tls');
  const { status, retryAfter } = answer;
  if (status >= 200 && status < 300) return { outcome: 'accepted' };
  const reason = `site_${status}`;
  if (status >= 500 || retryStatuses.includes(status)) {
    const seconds = /^\d{1,9}$/.test(retryAfter ?? '') ? Math.min(300, Math.max(1, Number(retryAfter))) : undefined;
    return transient(reason, false, seconds);
  }
  if (status < 400 || misconfiguredStatuses.includes(status)) return transient(reason, true);
  return { outcome: 'permanent', reason };
}
