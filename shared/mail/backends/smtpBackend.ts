// The `smtp` e-mail backend: nodemailer's connection pool, kept between invocations. TLS is either required and verified, or off.
// Nodemailer's errors quote the server, the address and the log-in: smtpErrors reduces them to codes.
import { connect, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { createTransport, type SMTPPoolOptions } from 'nodemailer';
import type { EmailBackend, SendResult, SmtpSettings } from '../emailBackend';
import {
  asciiDomain,
  isSendGridHost,
  nonAsciiLocalPart,
  parseMailbox,
  refuseNonAscii,
  refuseUnsafeMail,
  toMimeMessage,
} from '../mailHeaders';
import { failureBeforeSending, misconfigured, property } from './connectionErrors';

const maxConnections = 3;
/** Below the minutes after which servers and Azure's outbound NAT drop an idle connection. */
const idleMs = 60_000;

/** The pool's sockets: they hold the process while a mail is on its way, and not while they are idle. */
class PoolSockets {
  private readonly sockets = new Set<Socket>();
  private sending = 0;

  open({ host, port, timeoutMs }: SmtpSettings, connected: (error: Error | null, socket?: Socket) => void): void {
    const socket = connect({ host, port });
    this.sockets.add(socket);
    socket.setTimeout(timeoutMs, () => socket.destroy()); // the send it was opened for has met its deadline by then
    socket.once('close', () => this.sockets.delete(socket)).once('error', connected);
    socket.once('connect', () => {
      socket.off('error', connected).setTimeout(0).removeAllListeners('timeout');
      connected(null, socket);
    });
  }

  async during<T>(send: Promise<T>): Promise<T> {
    this.sending += 1;
    for (const socket of this.sockets) socket.ref();
    try {
      return await send;
    } finally {
      this.sending -= 1;
      if (this.sending === 0) for (const socket of this.sockets) socket.unref();
    }
  }
}

/**
 * Nodemailer's options for one server.
 * @param ca authorities to trust instead of Node's, for tests. Not a setting: operators have NODE_EXTRA_CA_CERTS.
 */
export function smtpOptions({ host, port, user, password, security, timeoutMs }: SmtpSettings, ca?: string) {
  return {
    host,
    port,
    secure: security === 'implicit',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none', // as Django: no TLS means none, so a relay's self-signed STARTTLS does no harm
    tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true, ca },
    auth: user === undefined ? undefined : { user, pass: password ?? '' },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
  } as const;
}

/** The name for EHLO: the sender's domain. Google's relay refuses nodemailer's default, `[127.0.0.1]`, with 421. */
export const ehloName = (from: string): string => asciiDomain(parseMailbox(from).address).split('@')[1] ?? '';

/**
 * Mail by SMTP. `timeoutMs` bounds one send in total, waiting for a free connection included.
 * Outcomes: 250 accepted · 4xx transient, 60 s at least · 5xx for the recipient or the mail permanent · 5xx before that, 5.7.x, log-in
 * and TLS failures transient and misconfigured (nothing was sent) · a connection lost before the body transient, surely not accepted,
 * after it perhaps accepted.
 */
export function createSmtpBackend(settings: SmtpSettings, ca?: string): EmailBackend {
  const sockets = new PoolSockets();
  const forSendGrid = isSendGridHost(settings.host);
  const bodies = new WeakMap<AbortSignal, Readable>();
  let name: string | undefined;
  const options: SMTPPoolOptions & { pool: true } = {
    ...smtpOptions(settings, ca),
    pool: true,
    maxConnections,
    maxMessages: Infinity,
    maxRequeues: 2, // a pooled connection the server had closed; nodemailer repeats only what was not begun
    socketTimeout: Math.max(settings.timeoutMs, 2 * idleMs), // of an idle connection; a send is cut by its deadline long before
    idleTimeout: idleMs,
    socketCloseTimeout: 1_000,
    disableFileAccess: true,
    disableUrlAccess: true,
    getSocket(_options, callback) {
      sockets.open(settings, (error, connection) => {
        if (connection) callback(null, { connection, name });
        else callback(error);
      });
    },
  };
  const pool = createTransport(options);
  // The last plugin before the pool takes the message: it remembers the stream the body is read from, for only once that was read
  // from may the server have the mail. (Nodemailer judges its own repeats in the same way.)
  pool.use('stream', ({ message, data: { signal } }, done) => {
    const createReadStream = message.createReadStream.bind(message);
    message.createReadStream = (streamOptions) => {
      const body = createReadStream(streamOptions);
      if (signal) bodies.set(signal, body);
      return body;
    };
    done();
  });
  return {
    name: 'smtp',
    async send(mail) {
      const refused = refuseUnsafeMail(mail) ?? (forSendGrid ? refuseNonAscii(mail) : undefined);
      if (refused) return refused;
      name = ehloName(mail.from);
      const signal = AbortSignal.timeout(settings.timeoutMs);
      try {
        await sockets.during(pool.sendMail({ ...toMimeMessage(mail, { forSendGrid }), signal }));
        return { outcome: 'accepted', backend: 'smtp' };
      } catch (error) {
        const bodyStarted = bodies.get(signal)?.readableDidRead === true;
        return judgeSmtpError(error, settings, { bodyStarted, timedOut: signal.aborted });
      }
    },
    close() {
      pool.close(); // idle connections at once, a busy one after its mail
      return Promise.resolve();
    },
  };
}

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
 * The outcome of a nodemailer error (attack cases SM1 to SM5). Reads codes, never the server's words.
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
