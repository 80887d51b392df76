// The `smtp` e-mail backend: nodemailer's connection pool, kept between invocations. TLS is either required and verified, or off.
// Nodemailer's errors quote the server, the address and the log-in: smtpErrors reduces them to codes.
import { connect, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { createTransport, type SMTPPoolOptions } from 'nodemailer';
import type { EmailBackend, SmtpSettings } from '../emailBackend';
import { asciiDomain, parseMailbox, refuseNonAscii, refuseUnsafeMail } from '../mailHeaders';
import { isSendGridHost, toMimeMessage } from './mimeMessage';
import { judgeSmtpError } from './smtpErrors';

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
    const failed = (error: Error): void => {
      connected(error);
    };
    socket.setTimeout(timeoutMs, () => socket.destroy()); // the send it was opened for has met its deadline by then
    socket.once('close', () => this.sockets.delete(socket)).once('error', failed);
    socket.once('connect', () => {
      socket.off('error', failed).setTimeout(0).removeAllListeners('timeout');
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
