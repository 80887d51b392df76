// SendGrid's signed Event Webhook: is it genuine, and what does it say of our mails? The raw bytes are verified, then read.
import { EventWebhook } from '@sendgrid/eventwebhook';
import { z } from 'zod';
import { addressHashOf } from '../address';
import type { ProviderReport, ProviderState } from '../deliveries';

/** SendGrid retries for a day; an hour of grace for its queue. */
const maxAgeMs = 25 * 3_600_000;
const maxFutureMs = 5 * 60_000;

/**
 * Was this body signed by SendGrid for us, of late?
 * @param publicKey base64, from SendGrid's Event Webhook settings; undefined refuses everything
 * @param timestamp epoch seconds, as in the header
 * @see https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
 */
export function isGenuine(
  publicKey: string | undefined,
  body: Buffer,
  signature: string | null,
  timestamp: string | null,
  now: Date,
): boolean {
  if (publicKey === undefined || signature === null || timestamp === null || !/^\d{1,12}$/.test(timestamp))
    return false;
  const ageMs = now.getTime() - Number(timestamp) * 1000;
  if (ageMs > maxAgeMs || ageMs < -maxFutureMs) return false;
  try {
    const webhook = new EventWebhook();
    return webhook.verifySignature(webhook.convertPublicKeyToECDSA(publicKey), body, signature, timestamp);
  } catch {
    return false; // the library throws for a garbage signature and for a garbage key
  }
}

const states: Readonly<Record<string, ProviderState>> = {
  deferred: 'deferred',
  delivered: 'delivered',
  dropped: 'dropped',
  bounce: 'bounced',
  spamreport: 'spamReported',
};

const mailId = z.string().regex(/^[\w-]{22}$/);
const eventSchema = z.object({
  email: z.string(),
  event: z.string(),
  timestamp: z.number().positive(),
  /** Custom args stand flat beside the event's own fields; older accounts send them nested. */
  mail_id: mailId.optional(),
  unique_args: z.object({ mail_id: mailId }).optional(),
});

/** A report about one mail of ours. */
export interface MailReport extends ProviderReport {
  readonly sub: string;
  readonly mailId: string;
}

/** The reports in a body; events that are not about our mails, or say nothing of delivery, are left out. */
export function readReports(body: Buffer): MailReport[] {
  const events = z.array(z.unknown()).safeParse(parse(body));
  if (!events.success) return [];
  return events.data.flatMap((event) => {
    const parsed = eventSchema.safeParse(event);
    if (!parsed.success) return [];
    const { email, event: name, timestamp, mail_id, unique_args } = parsed.data;
    const id = mail_id ?? unique_args?.mail_id;
    const state = states[name];
    if (id === undefined || state === undefined) return [];
    return [{ sub: addressHashOf(email), mailId: id, state, at: new Date(timestamp * 1000) }];
  });
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
