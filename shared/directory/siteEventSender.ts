// Events to the site (`SITE_EVENTS_URL`), as Standard Webhooks: at least once, each under a stable id.
import { type Clock, deadline, systemClock } from '../clock';
import type { SendResult } from '../mail/emailBackend';
import type { SiteEvent } from '../resetDeps';
import { createSignedPost, type SignedTarget } from './signedCall';

const misconfiguredStatuses = [401, 403, 404, 405, 407];
const retryStatuses = [408, 409, 425, 429];

/**
 * Makes the sender. One send per call; it never throws for what the site answers. Whatever went wrong, another send does no harm: the
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
    const transient = (reason: string, misconfigured: boolean, retryAfterSeconds?: number): SendResult => {
      return { outcome: 'transient', reason, surelyNotAccepted: true, misconfigured, retryAfterSeconds };
    };
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
