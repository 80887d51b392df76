// The `sendgrid` e-mail backend: SendGrid's v3 Mail Send by @sendgrid/mail. One call per send, no retries, a deadline of its own.
// The SDK's errors carry the API key and the whole mail: only their status, code and rate-limit headers are ever read.
import { Readable } from 'node:stream';
import { type MailDataRequired, MailService } from '@sendgrid/mail';
import { failureBeforeSending, property } from './connectionErrors';
import type { EmailBackend, EmailSettings, Mail, SendResult } from './emailBackend';
import { parseMailbox, refuseUnsafeMail } from './mailHeaders';
import { retryAfterSeconds } from './retryAfter';

type SendGridSettings = NonNullable<EmailSettings['sendgrid']>;

/** The body of one mail: one personalization, one recipient, nothing that rewrites the link or follows the reader (G1). */
function toSendGridMail(mail: Mail): MailDataRequired {
  const { name, address } = parseMailbox(mail.from);
  return {
    personalizations: [{ to: { email: mail.to } }],
    from: name === '' ? { email: address } : { email: address, name },
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    headers: { 'Message-ID': mail.messageId, 'Auto-Submitted': 'auto-generated', 'Content-Language': mail.locale },
    categories: [mail.category],
    customArgs: { mail_id: mail.id },
    trackingSettings: {
      clickTracking: { enable: false, enableText: false },
      openTracking: { enable: false },
      subscriptionTracking: { enable: false },
      ganalytics: { enable: false },
    },
    // Unsubscribe *groups* apply only to a mail that names one, and this one does not; the global list is bypassed here.
    // Bounce and spam-report lists still hold: bypassing them too would cost the site its reputation.
    mailSettings: { bypassUnsubscribeManagement: { enable: true }, footer: { enable: false } },
  };
}

/**
 * A fresh service, so that its deadline is this send's alone and the module's singleton stays untouched.
 * The SDK hands `defaultRequest` to axios as it is, and offers no typed way to give axios more than a URL.
 */
function serviceFor({ apiKey, apiUrl }: SendGridSettings, signal: AbortSignal): MailService {
  const service = new MailService();
  service.setApiKey(apiKey);
  const defaultRequest = property(property(service, 'client'), 'defaultRequest');
  if (typeof defaultRequest !== 'object' || defaultRequest === null)
    throw new Error('@sendgrid/mail has changed: no defaultRequest');
  Object.assign(defaultRequest, {
    baseUrl: apiUrl, // after setApiKey, which resets it
    signal, // total: DNS, connect, TLS, request and headers; axios's own `timeout` starts anew with every byte
    maxRedirects: 0, // a redirect would carry the API key elsewhere
    responseType: 'stream', // the status is all we need: a body that trickles in holds nobody up, and its text is never read
  });
  return service;
}

/** The HTTP status an SDK error stands for: a ResponseError's `code`, or the `response.status` of an axios error (a redirect). */
function statusOf(error: unknown): number | undefined {
  const status = [property(error, 'code'), property(property(error, 'response'), 'status')].find(
    (each) => typeof each === 'number',
  );
  return typeof status === 'number' ? status : undefined;
}

/** What an answered status other than 202 means. */
function judgeStatus(status: number, retryAfter: number | undefined): SendResult {
  const reason = `sendgrid_${status}`;
  const transient = { outcome: 'transient', reason, surelyNotAccepted: true } as const;
  const wait = retryAfter === undefined ? {} : { retryAfterSeconds: retryAfter };
  if (status === 429 || status === 408 || status >= 500) return { ...transient, ...wait };
  // Our key (401, 403) or our URL (a redirect, 404, 405, a proxy's 407): right again once the operator mends it, so nothing is lost.
  // A 2xx other than 202 is no promise of delivery (200 is sandbox mode, or not SendGrid at all).
  if (status < 400 || [401, 403, 404, 405, 407].includes(status)) return { ...transient, misconfigured: true };
  return { outcome: 'permanent', reason };
}

/** What a failed call means (attack cases G2 to G7). */
function judgeError(error: unknown, signal: AbortSignal, now: Date): SendResult {
  const status = statusOf(error);
  if (status !== undefined) {
    const headers = property(property(error, 'response'), 'headers');
    return judgeStatus(
      status,
      retryAfterSeconds((name) => property(headers, name), now),
    );
  }
  if (signal.aborted) return { outcome: 'transient', reason: 'timeout', surelyNotAccepted: false };
  const before = failureBeforeSending(error);
  if (!before) return { outcome: 'transient', reason: 'connection_lost', surelyNotAccepted: false };
  const { reason, misconfigured } = before;
  return { outcome: 'transient', reason, surelyNotAccepted: true, ...(misconfigured ? { misconfigured } : {}) };
}

/** Reads a body away unseen, so that the connection can serve the next mail; the deadline still cuts one that never ends. */
function discard(body: unknown): void {
  if (body instanceof Readable) body.on('error', () => undefined).resume();
}

/**
 * Mail by SendGrid's API. `timeoutMs` bounds one send in total.
 * Outcomes: 202 accepted · 400, 413 and other 4xx permanent · 401, 403, 404 transient and misconfigured · 408, 429, 5xx transient ·
 * no connection transient, surely not accepted · a time-out or reset later on transient, perhaps accepted.
 */
export function createSendgridBackend(settings: SendGridSettings, now = () => new Date()): EmailBackend {
  return {
    name: 'sendgrid',
    async send(mail) {
      const refused = refuseUnsafeMail(mail);
      if (refused) return refused;
      const signal = AbortSignal.timeout(settings.timeoutMs);
      try {
        const [response] = await serviceFor(settings, signal).send(toSendGridMail(mail));
        discard(response.body);
        return response.statusCode === 202
          ? { outcome: 'accepted', backend: 'sendgrid' }
          : judgeStatus(response.statusCode, undefined);
      } catch (error) {
        discard(property(property(error, 'response'), 'body') ?? property(property(error, 'response'), 'data'));
        return judgeError(error, signal, now());
      }
    },
    close: () => Promise.resolve(),
  };
}
