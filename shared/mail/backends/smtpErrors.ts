// What a failed SMTP send means (attack cases SM1 to SM5). Reads codes, never the server's words.
import type { SendResult, SmtpSettings } from '../emailBackend';
import { nonAsciiLocalPart } from '../mailHeaders';
import { failureBeforeSending, misconfigured, property } from './connectionErrors';

/** Greylisting servers want at least this long between attempts (RFC 6647 §2). */
const minRetrySeconds = 60;

// "Authentication required / mechanism too weak / credentials invalid / encryption required" (RFC 4954 §6).
const authCodes = new Set([530, 534, 535, 538]);
// Nodemailer's timeoutType of everything that comes before the first command of a mail.
const setupTimeouts = new Set<unknown>(['CONNECT_TIMEOUT', 'GREETING_TIMEOUT', 'UPGRADE_TIMEOUT']);
/** Enhanced status codes about us and not about the mail: bad sender (5.1.7, 5.1.8), security or policy (5.7.x) (RFC 3463 §3). */
const aboutUs = /^5\.(?:1\.[78]|7\.\d{1,3})$/;

/** What the server answered, at which command. */
function judgeReply(code: number, enhanced: string | undefined, command: unknown): SendResult {
  const reason = `smtp_${code}`;
  if (authCodes.has(code)) return misconfigured(reason);
  // 503 "bad sequence of commands" is about the session; another one may do.
  if (code < 500 || code === 503)
    return { outcome: 'transient', reason, surelyNotAccepted: true, retryAfterSeconds: minRetrySeconds };
  if (enhanced === '5.6.7') return { outcome: 'permanent', reason: nonAsciiLocalPart }; // RFC 6531 §3.5
  // Relay access denied, sender not owned: Postfix answers so at RCPT, whoever the recipient is.
  if (enhanced !== undefined && aboutUs.test(enhanced)) return { ...misconfigured(reason), maxAttempts: 12 };
  // Refused at RCPT or DATA, or too big (552 answers MAIL FROM too): this mail. Refused earlier: us, whatever the mail.
  const aboutThisMail = command === 'RCPT TO' || command === 'DATA' || code === 552;
  return aboutThisMail ? { outcome: 'permanent', reason } : misconfigured(reason);
}

/** The enhanced status code of a reply such as `554 5.7.1 Relay access denied`. */
function enhancedCode(response: unknown): string | undefined {
  return typeof response === 'string' ? /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1] : undefined;
}

/**
 * The outcome of a nodemailer error.
 * @param bodyStarted some of the mail's body was sent; before that the server cannot have accepted it
 * @param timedOut the send met its deadline
 */
export function judgeSmtpError(
  error: unknown,
  { port, security }: Pick<SmtpSettings, 'port' | 'security'>,
  { bodyStarted, timedOut }: { bodyStarted: boolean; timedOut: boolean },
): SendResult {
  const [code, command] = [property(error, 'code'), property(error, 'command')];
  // The server's own refusal of STARTTLS is a reply too, but what it means is: no TLS, nothing sent (SM3).
  if (code === 'ETLS') return misconfigured('tls');
  const responseCode = property(error, 'responseCode');
  if (typeof responseCode === 'number' && responseCode >= 400)
    return judgeReply(responseCode, enhancedCode(property(error, 'response')), command);
  if (code === 'EAUTH' || code === 'ENOAUTH') return misconfigured('smtp_auth');
  // Found by nodemailer itself: an address SMTP cannot carry, or more octets than the server's SIZE.
  if (code === 'EENVELOPE') return { outcome: 'permanent', reason: 'smtp_envelope' };
  if (code === 'EMESSAGE') return { outcome: 'permanent', reason: 'smtp_size' };
  const before = failureBeforeSending(error);
  if (before) return before;
  const surelyNotAccepted = !bodyStarted || setupTimeouts.has(property(error, 'timeoutType'));
  // A server on port 465 waits for our TLS handshake, and we wait for its greeting (RFC 8314 §3.3).
  if (surelyNotAccepted && port === 465 && security !== 'implicit') return misconfigured('tls_set_email_use_ssl');
  const reason = timedOut || code === 'ETIMEDOUT' ? 'timeout' : 'connection_lost';
  return { outcome: 'transient', reason, surelyNotAccepted };
}
