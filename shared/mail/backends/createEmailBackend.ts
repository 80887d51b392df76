// Builds the e-mail backend the settings ask for. A client library is loaded with the first mail, not with the app: a cold start that
// only answers HTTP calls evaluates neither nodemailer nor @sendgrid/mail.
import { LRUCache } from 'lru-cache';
import { type Clock, systemClock } from '../../clock';
import type { Emit } from '../../events';
import type { BackendName, EmailBackend, EmailSettings, SendResult } from '../emailBackend';
import { nonAsciiLocalPart } from '../mailHeaders';

/** What the backends need besides their settings. */
interface EmailBackendServices {
  /** Where the console backend prints instead of the standard output. */
  readonly write?: ((text: string) => void) | undefined;
  readonly emit?: Emit | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * The backend of `settings.backends`, in that order if there are several.
 * @throws if there are none, or one lacks its settings, which the settings schema rules out
 */
export function createEmailBackend(settings: EmailSettings, services: EmailBackendServices): EmailBackend {
  const [first, ...others] = settings.backends.map((name) => lazyBackend(name, loader(name, settings, services)));
  if (!first) throw new Error('no e-mail backend is set');
  return others.length === 0 ? first : createFallbackBackend([first, ...others], services.emit);
}

type Load = () => Promise<EmailBackend>;

function loader(
  name: BackendName,
  settings: EmailSettings,
  { write, clock = systemClock }: EmailBackendServices,
): Load {
  const required = <T>(setting: T | undefined): T => {
    if (setting === undefined) throw new Error(`the ${name} e-mail backend has no settings`);
    return setting;
  };
  switch (name) {
    case 'sendgrid': {
      const sendgrid = required(settings.sendgrid);
      return async () => (await import('./sendgridBackend')).createSendgridBackend(sendgrid, clock);
    }
    case 'smtp': {
      const smtp = required(settings.smtp);
      return async () => (await import('./smtpBackend')).createSmtpBackend(smtp);
    }
    case 'file': {
      const directory = required(settings.filePath);
      return async () => (await import('./developmentBackends')).createFileBackend({ directory, clock });
    }
    case 'console': {
      const loadKeep = settings.filePath === undefined ? undefined : loader('file', settings, { write, clock });
      return async () =>
        (await import('./developmentBackends')).createConsoleBackend({ write, clock, keep: await loadKeep?.() });
    }
  }
}

/** A backend whose module is loaded by its first `send`. */
function lazyBackend(name: BackendName, load: Load): EmailBackend {
  let loading: Promise<EmailBackend> | undefined;
  return {
    name,
    async send(mail) {
      loading ??= load();
      return (await loading).send(mail);
    },
    async close() {
      await (await loading)?.close();
    },
  };
}

type Failure = Exclude<SendResult, { outcome: 'accepted' }>;

/** Far more mails than an instance has in flight. */
const maxUnsure = 1_000;

/**
 * One backend made of several (`EMAIL_BACKEND=sendgrid,smtp`). The next one is only tried if the previous one definitely did not accept
 * the mail: otherwise the recipient could get it twice. After an unsure result (time-out, connection lost once the body was out) the mail
 * stays with that backend: this instance remembers it by mail id, and its Message-ID makes the one possible repeat recognisable.
 * If none accepted it, the result is the last one's, with the shortest wait that any asked for, and `misconfigured` if any was.
 */
export function createFallbackBackend(backends: readonly EmailBackend[], emit?: Emit): EmailBackend {
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
        emit?.({
          event: 'emailBackendFallback',
          level: 'warn',
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
