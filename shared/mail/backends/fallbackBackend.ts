// Several e-mail backends in order of preference (`EMAIL_BACKEND=sendgrid,smtp`). The next one is only tried if the previous one surely
// did not accept the mail: otherwise the recipient could get it twice.
import { LRUCache } from 'lru-cache';
import type { EmailBackend, SendResult } from '../emailBackend';
import { nonAsciiLocalPart } from '../mailHeaders';

/** A backend failed and the next one was tried. Holds no address and no provider text. */
export interface FallbackEvent {
  readonly event: 'emailBackendFallback';
  readonly mailId: string;
  readonly from: string;
  readonly to: string;
  readonly reason: string;
  readonly misconfigured: boolean;
}

type Failure = Exclude<SendResult, { outcome: 'accepted' }>;

/** Far more mails than an instance has in flight. */
const maxUnsure = 1_000;

/**
 * One backend made of several. After an unsure result (time-out, connection lost once the body was out) the mail stays with that
 * backend: this instance remembers it by mail id, and its Message-ID makes the one possible repeat recognisable.
 * If all surely failed, the result is the last one's, with the shortest wait any asked for and `misconfigured` if any was.
 */
export function createFallbackBackend(
  backends: readonly EmailBackend[],
  log?: (event: FallbackEvent) => void,
): EmailBackend {
  const unsure = new LRUCache<string, string>({ max: maxUnsure });
  return {
    name: backends.map(({ name }) => name).join(','),
    async send(mail) {
      const mayHaveIt = unsure.get(mail.id);
      const candidates = mayHaveIt === undefined ? backends : backends.filter(({ name }) => name === mayHaveIt);
      const failures: Failure[] = [];
      for (const [index, backend] of candidates.entries()) {
        const result = await backend.send(mail);
        if (result.outcome === 'accepted' || !mayTryNext(result)) {
          if (result.outcome === 'transient') unsure.set(mail.id, backend.name);
          else unsure.delete(mail.id);
          return result;
        }
        failures.push(result);
        const next = candidates[index + 1];
        if (next === undefined) continue;
        log?.({
          event: 'emailBackendFallback',
          mailId: mail.id,
          from: backend.name,
          to: next.name,
          reason: result.reason,
          misconfigured: result.outcome === 'transient' && result.misconfigured === true,
        });
      }
      return summary(failures);
    },
    async close() {
      await Promise.all(backends.map((backend) => backend.close()));
    },
  };
}

/** SendGrid takes no address with a non-ASCII local part; an SMTP server with SMTPUTF8 does. */
const mayTryNext = (result: Failure): boolean =>
  result.outcome === 'transient' ? result.surelyNotAccepted : result.reason === nonAsciiLocalPart;

function summary(failures: readonly Failure[]): SendResult {
  const transient = failures.filter((failure) => failure.outcome === 'transient');
  const last = transient.at(-1) ?? failures.at(-1);
  if (last?.outcome === 'permanent') return last;
  const waits = transient.flatMap(({ retryAfterSeconds }) => retryAfterSeconds ?? []);
  return {
    outcome: 'transient',
    reason: last?.reason ?? 'no_backend',
    surelyNotAccepted: true,
    misconfigured: transient.some(({ misconfigured }) => misconfigured) || undefined,
    maxAttempts: transient.every(({ maxAttempts }) => maxAttempts !== undefined) ? last?.maxAttempts : undefined,
    retryAfterSeconds: waits.length > 0 ? Math.min(...waits) : undefined,
  };
}
