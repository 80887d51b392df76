// The `sendgrid` e-mail backend: SendGrid's v3 Mail Send by @sendgrid/mail. One call per send, no retries, a deadline of its own.
// The SDK's errors carry the API key and the whole mail: only their status, code and rate-limit headers are ever read.
import type { MailDataRequired } from '@sendgrid/mail';
import type { Clock } from '../../clock';
import type { EmailBackend, InlineImage, Mail, SendGridSettings, SendResult } from '../emailBackend';
import { asciiDomain, parseMailbox, refuseNonAscii, refuseUnsafeMail } from '../mailHeaders';
import { failureBeforeSending, misconfigured, property } from './connectionErrors';
import { Client, EnvHttpProxyAgent, MailService } from './sendgridSdk';

/** Shortest and longest wait that the provider may ask for. */
const minRetrySeconds = 1;
const maxRetrySeconds = 300;

/**
 * Mail by SendGrid's API. `timeoutMs` bounds one send in total.
 * Outcomes: 202 accepted · 400, 413 and other 4xx permanent · 401, 403, 404 transient and misconfigured · 408, 429, 5xx transient ·
 * no connection transient, surely not accepted · 504, a time-out or a reset later on transient, perhaps accepted.
 */
export function createSendgridBackend(settings: SendGridSettings, clock: Clock): EmailBackend {
  const agent = new EnvHttpProxyAgent({ keepAliveTimeout: 60_000 });
  return {
    name: 'sendgrid',
    async send(mail) {
      const refused = refuseUnsafeMail(mail) ?? refuseNonAscii(mail);
      if (refused) return refused;
      const signal = AbortSignal.timeout(settings.timeoutMs);
      const service = new MailService();
      service.setClient(new OneCallClient(settings, agent, signal));
      try {
        const [answer] = await service.send(toSendGridMail(mail));
        if (answer.statusCode === 202) return { outcome: 'accepted', backend: 'sendgrid' };
        return judgeStatus(answer.statusCode, readRetryAfter(answer.headers, clock()));
      } catch (error) {
        return judgeError(error, signal);
      }
    },
    close: () => agent.close(),
  };
}

/**
 * SendGrid's client on undici instead of axios: a third of the CPU, and it can be told what SendGrid's own settings cannot say. Any
 * status is an answer; redirects are not followed, since one would carry the API key elsewhere.
 */
class OneCallClient extends Client {
  constructor(
    private readonly settings: SendGridSettings,
    private readonly agent: EnvHttpProxyAgent,
    /** Total: DNS, connect, TLS, request and headers. */
    private readonly signal: AbortSignal,
  ) {
    super();
    this.setApiKey(settings.apiKey);
  }

  override async request(call: Parameters<Client['request']>[0]): ReturnType<Client['request']> {
    const { signal, agent } = this;
    const { origin, pathname } = new URL(this.settings.apiUrl);
    // The agent would wait for a connection that is being made.
    const stopped = new Promise<never>((_resolve, reject) =>
      signal.addEventListener('abort', () => reject(new Error('aborted', { cause: signal.reason })), { once: true }),
    );
    const answered = agent.request({
      origin,
      path: pathname.replace(/\/$/, '') + call.url,
      method: 'POST',
      headers: this.createHeaders({ ...(call.headers as Record<string, string> | undefined) }),
      body: JSON.stringify(call.body),
      signal,
    });
    const { statusCode, headers: received, body: answer } = await Promise.race([answered, stopped]);
    // Only the status counts: a body that trickles in must not delay the answer. The signal still cuts one that never ends.
    answer.on('error', () => undefined).resume();
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- the SDK does not export its class
    return [{ statusCode, headers: received, body: {} }, undefined];
  }
}

/** The body of one mail: one personalization, one recipient, nothing that rewrites the link or tracks the reader (G1). */
function toSendGridMail(mail: Mail): MailDataRequired {
  const { name, address } = parseMailbox(mail.from);
  const from = asciiDomain(address);
  return {
    personalizations: [{ to: { email: asciiDomain(mail.to) }, customArgs: { mail_id: mail.id } }],
    from: name === '' ? { email: from } : { email: from, name },
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    ...(mail.inlineImage && { attachments: [toAttachment(mail.inlineImage)] }),
    headers: { 'Message-ID': mail.messageId, 'Auto-Submitted': 'auto-generated', 'Content-Language': mail.locale },
    categories: [mail.category],
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

// In the API's own spelling: the SDK renames the fields of a mail, but not those of an attachment.
const toAttachment = ({ contentId, contentType, fileName, base64 }: InlineImage) => ({
  content: base64,
  type: contentType,
  filename: fileName,
  disposition: 'inline',
  content_id: contentId,
});

/** What an answered status other than 202 means. */
function judgeStatus(status: number, retryAfterSeconds: number | undefined): SendResult {
  const reason = `sendgrid_${status}`;
  // A gateway gave up waiting for a server that may have accepted the mail.
  if (status === 504) return { outcome: 'transient', reason, surelyNotAccepted: false, retryAfterSeconds };
  if (status === 429 || status === 408 || status >= 500)
    return { outcome: 'transient', reason, surelyNotAccepted: true, retryAfterSeconds };
  // Our key (401, 403) or our URL (a redirect, 404, 405, a proxy's 407): the mail waits until the operator has corrected the setting.
  // A 2xx other than 202 is no promise of delivery (200 is sandbox mode, or not SendGrid at all).
  if (status < 400 || [401, 403, 404, 405, 407].includes(status)) return misconfigured(reason);
  return { outcome: 'permanent', reason };
}

/** What a failed call means (attack cases G2 to G7). */
function judgeError(error: unknown, signal: AbortSignal): SendResult {
  if (signal.aborted) return { outcome: 'transient', reason: 'timeout', surelyNotAccepted: false };
  return failureBeforeSending(error) ?? { outcome: 'transient', reason: 'connection_lost', surelyNotAccepted: false };
}

/**
 * Seconds to wait, 1–300: `Retry-After` in whole seconds or as an HTTP date (RFC 9110 §10.2.3), else `X-RateLimit-Reset` in epoch
 * seconds (Twilio SendGrid, "Rate limits"); undefined if neither is there or can be read (G4).
 */
function readRetryAfter(headers: unknown, now: Date): number | undefined {
  const [after, reset] = ['retry-after', 'x-ratelimit-reset'].map((name) => {
    const value = property(headers, name);
    return typeof value === 'string' ? value.trim() : '';
  });
  const nowSeconds = now.getTime() / 1000;
  const isHttpDate = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(after ?? '');
  const candidates = [
    wholeNumber(after),
    isHttpDate ? Date.parse(after ?? '') / 1000 - nowSeconds : NaN,
    wholeNumber(reset) - nowSeconds,
  ];
  const seconds = candidates.find((each) => !Number.isNaN(each));
  return seconds === undefined ? undefined : Math.min(maxRetrySeconds, Math.max(minRetrySeconds, Math.ceil(seconds)));
}

const wholeNumber = (text = ''): number => (/^\d{1,15}$/.test(text) ? Number(text) : NaN);
