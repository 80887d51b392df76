// Several e-mail backends in order of preference (`EMAIL_BACKEND=sendgrid,smtp`). Called by createBackend.
// The next one is asked only when the one before surely has not the mail: otherwise somebody would get it twice.
import { LRUCache } from 'lru-cache';
import type { EmailBackend, SendResult } from './emailBackend';

/** What is worth an event: a backend failed and the next one was asked. Holds no address and no provider text. */
export interface FallbackEvent {
  readonly event: 'emailBackendFallback';
  readonly mailId: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly misconfigured: boolean;
}

/** Mails remembered by which backend may have them: an instance has far fewer on the way. */
const MAX_UNSURE = 1_000;

/**
 * One backend made of several. After an unsure result (time-out, connection lost once the body was out) the mail stays with that
 * backend: this instance remembers it by mail id, and its Message-ID makes the one possible repeat recognisable.
 * If all surely failed, the result is the last one's, with the shortest wait any asked for and `misconfigured` if any was.
 */
export function createFallbackBackend(
  backends: readonly EmailBackend[],
  log?: (event: FallbackEvent) => void,
): EmailBackend {
  const unsure = new LRUCache<string, string>({ max: MAX_UNSURE });
  return {
    name: backends.map(({ name }) => name).join(','),
    async send(mail) {
      const mayHaveIt = unsure.get(mail.id);
      const candidates = mayHaveIt === undefined ? backends : backends.filter(({ name }) => name === mayHaveIt);
      const failures: (SendResult & { outcome: 'transient' })[] = [];
      for (const [index, backend] of candidates.entries()) {
        const result = await backend.send(mail);
        if (result.outcome !== 'transient') {
          unsure.delete(mail.id);
          return result;
        }
        if (!result.surelyNotAccepted) {
          unsure.set(mail.id, backend.name);
          return result;
        }
        failures.push(result);
        const next = candidates[index + 1];
        const { reason, misconfigured = false } = result;
        if (next)
          log?.({
            event: 'emailBackendFallback',
            mailId: mail.id,
            from: backend.name,
            to: next.name,
            reason,
            misconfigured,
          });
      }
      return summary(failures);
    },
    async close() {
      await Promise.all(backends.map((backend) => backend.close()));
    },
  };
}

function summary(failures: readonly (SendResult & { outcome: 'transient' })[]): SendResult {
  const waits = failures.flatMap(({ retryAfterSeconds }) => retryAfterSeconds ?? []);
  return {
    outcome: 'transient',
    reason: failures.at(-1)?.reason ?? 'no_backend',
    surelyNotAccepted: true,
    ...(failures.some(({ misconfigured }) => misconfigured) ? { misconfigured: true } : {}),
    ...(waits.length > 0 ? { retryAfterSeconds: Math.min(...waits) } : {}),
  };
}
