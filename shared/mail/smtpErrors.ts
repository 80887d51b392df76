// What a failed SMTP send means (attack cases SM1 to SM5). Called by smtpBackend only; reads codes, never the server's words.
import { failureBeforeSending, property } from './connectionErrors';
import type { SendResult } from './emailBackend';

/** Greylisting servers want at least this long between tries (RFC 6647 §2), and a 4xx never needs less. */
const MIN_RETRY_SECONDS = 60;

// "Authentication required / mechanism too weak / credentials invalid / encryption required" (RFC 4954 §6).
const AUTH_CODES = new Set([530, 534, 535, 538]);
// Nodemailer's timeoutType of everything that comes before the first command of a mail.
const SETUP_TIMEOUTS = new Set<unknown>(['CONNECT_TIMEOUT', 'GREETING_TIMEOUT', 'UPGRADE_TIMEOUT']);

/** What the server answered, at which command. */
function judgeReply(code: number, command: unknown): SendResult {
  const transient = { outcome: 'transient', reason: `smtp_${code}`, surelyNotAccepted: true } as const;
  if (AUTH_CODES.has(code)) return { ...transient, misconfigured: true };
  if (code < 500) return { ...transient, retryAfterSeconds: MIN_RETRY_SECONDS };
  // 503 "bad sequence of commands" is about the session; another one may do.
  if (code === 503) return { ...transient, retryAfterSeconds: MIN_RETRY_SECONDS };
  // Refused at RCPT or DATA, or too big (552 answers MAIL FROM too): this mail, for good. Refused earlier: us, whatever the mail.
  const aboutThisMail = command === 'RCPT TO' || command === 'DATA' || code === 552;
  return aboutThisMail ? { outcome: 'permanent', reason: `smtp_${code}` } : { ...transient, misconfigured: true };
}

/**
 * The outcome of a nodemailer error. `bodyStarted` says whether any of the mail's body was sent: if not, the server cannot have
 * accepted it, whatever went wrong; if it was, only an answer tells.
 */
export function judgeSmtpError(error: unknown, bodyStarted: boolean, timedOut: boolean): SendResult {
  const [code, command] = [property(error, 'code'), property(error, 'command')];
  // The server's own refusal of STARTTLS is a reply too, but what it means is: no TLS, nothing sent (SM3).
  if (code === 'ETLS') return { outcome: 'transient', reason: 'tls', surelyNotAccepted: true, misconfigured: true };
  const responseCode = property(error, 'responseCode');
  if (typeof responseCode === 'number' && responseCode >= 400) return judgeReply(responseCode, command);
  if (code === 'EAUTH' || code === 'ENOAUTH') {
    return { outcome: 'transient', reason: 'smtp_auth', surelyNotAccepted: true, misconfigured: true };
  }
  // Found by nodemailer itself: an address SMTP cannot carry, or more octets than the server's SIZE.
  if (code === 'EENVELOPE') return { outcome: 'permanent', reason: 'smtp_envelope' };
  if (code === 'EMESSAGE') return { outcome: 'permanent', reason: 'smtp_size' };
  const before = failureBeforeSending(error);
  if (before) {
    const { reason, misconfigured } = before;
    return { outcome: 'transient', reason, surelyNotAccepted: true, ...(misconfigured ? { misconfigured } : {}) };
  }
  const setupTimeout = SETUP_TIMEOUTS.has(property(error, 'timeoutType'));
  const reason = timedOut || code === 'ETIMEDOUT' ? 'timeout' : 'connection_lost';
  return { outcome: 'transient', reason, surelyNotAccepted: setupTimeout || !bodyStarted };
}
