// SendGrid's signed Event Webhook: verifies the signature over the raw bytes, then reads the events.
import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { domainToASCII, domainToUnicode } from 'node:url';
import * as z from 'zod';
import { addressHashOf } from '../address';
import type { MailReport, ProviderState } from '../outbox/deliveries';
import { parseJson } from '../outbox/outgoingMail';

/** SendGrid retries for a day; an hour of grace for its queue. */
const maxAgeMs = 25 * 3_600_000;
const maxFutureMs = 5 * 60_000;

/** The verification key of SendGrid's Event Webhook settings: a P-256 public key, base64 of its DER. @returns undefined for anything else */
export function parseVerificationKey(base64: string): KeyObject | undefined {
  try {
    const key = createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Whether SendGrid signed this body for us, within the last 25 hours.
 * @param publicKey undefined refuses everything
 * @param timestamp epoch seconds, as in the header
 * @see https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/getting-started-event-webhook-security-features
 */
export function isGenuine(
  publicKey: KeyObject | undefined,
  body: Buffer,
  signature: string | null,
  timestamp: string | null,
  now: Date,
): boolean {
  if (publicKey === undefined || signature === null || timestamp === null || !/^\d{1,12}$/.test(timestamp))
    return false;
  const ageMs = now.getTime() - Number(timestamp) * 1000;
  if (ageMs > maxAgeMs || ageMs < -maxFutureMs) return false;
  return verify('sha256', Buffer.concat([Buffer.from(timestamp), body]), publicKey, Buffer.from(signature, 'base64'));
}

const states: Readonly<Record<string, ProviderState>> = {
  deferred: 'deferred',
  delivered: 'delivered',
  dropped: 'dropped',
  bounce: 'bounced',
  spamreport: 'spamReported',
};

const mailId = z.string().regex(/^[\w-]{22}$/);
const eventSchema = z.lazy(() =>
  z.object({
    email: z.string(),
    event: z.string(),
    timestamp: z.number().positive(),
    /** With `bounce`: `bounce`, or `blocked` for a refusal that says nothing of the address. */
    type: z.string().optional(),
    /** Custom args stand flat beside the event's own fields; older accounts send them nested. */
    mail_id: mailId.optional(),
    unique_args: z.object({ mail_id: mailId }).optional(),
  }),
);

/** The reports in a body; events that are not about our mails, or say nothing of delivery, are left out. */
export function readReports(body: Buffer): MailReport[] {
  const events = z.array(z.unknown()).safeParse(parseJson(body.toString('utf8')));
  if (!events.success) return [];
  return events.data.flatMap((event) => {
    const parsed = eventSchema.safeParse(event);
    if (!parsed.success) return [];
    const { email, event: name, type, timestamp, mail_id, unique_args } = parsed.data;
    const mailId = mail_id ?? unique_args?.mail_id;
    const state = name === 'bounce' && type === 'blocked' ? 'blocked' : states[name];
    if (mailId === undefined || state === undefined) return [];
    return [{ addressHashes: addressHashesOf(email), mailId, state, at: new Date(timestamp * 1000) }];
  });
}

/** SendGrid knows the punycode form of an international domain: hashes of the address as reported, and with its domain in each form. */
function addressHashesOf(email: string): string[] {
  const at = email.lastIndexOf('@') + 1;
  const [local, domain] = [email.slice(0, at), email.slice(at)];
  const forms = [email, local + domainToUnicode(domain), local + domainToASCII(domain)];
  return [...new Set(forms.map(addressHashOf))];
}
