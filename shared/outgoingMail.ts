// The messages of the queue `outgoing-mail`: what stands in them, how they are sealed and opened. Schema version 1.
import { z } from 'zod';
import type { SigningSecret } from './resetKey';
import { seal, unseal } from './seal';

export const outgoingMailVersion = 1;

const instant = z.iso.datetime().transform((text) => new Date(text));
const sub = z.string().regex(/^[\w-]{22}$/);
const accountId = z.string().min(1).max(256);
const common = {
  acceptedAt: instant,
  /** The asking client as a bucket name (an IPv4 address or an IPv6 /64); absent for a site's own server without `clientIp`. */
  client: z.string().max(64).optional(),
  /** BCP 47 tag of the request. */
  locale: z.string().max(35).optional(),
};

/** The sealed inside. */
const contentSchema = z.discriminatedUnion('kind', [
  /** Somebody asked for this address. `key` is the reset key issued for it. */
  z.strictObject({ kind: z.literal('resetAddress'), email: z.string().max(254), key: z.string().max(255), ...common }),
  /** A dead link's "send me a new one", or the second of several stored spellings of one address (`charged`). */
  z.strictObject({ kind: z.literal('resetAccount'), sub, accountId, charged: z.boolean().optional(), ...common }),
  /** The notice after a redemption; sent only if the account's `lastResetKeyId` is this one. */
  z.strictObject({ kind: z.literal('passwordChanged'), sub, accountId, resetKeyId: z.string().max(64), ...common }),
  /** The notice after support was given links. */
  z.strictObject({ kind: z.literal('linkIssued'), sub, accountId, ...common }),
]);
export type OutgoingContent = z.infer<typeof contentSchema>;

/** The clear outside. What a newer version adds is kept when its message is put back. */
const envelopeSchema = z.looseObject({
  v: z.int().positive(),
  id: z.string().regex(/^[\w-]{22}$/),
  /** Not part of the seal: bounded, so that nobody who writes to the queue can push it out of reach. */
  attempt: z.int().min(0).max(1000),
  kid: z.string().min(1).max(8),
  sealed: z.string().max(8192),
});
export type OutgoingEnvelope = z.infer<typeof envelopeSchema>;

/** Seals a mail for the queue. @param id the mail's id, 22 base64url characters */
export function sealOutgoingMail(secret: SigningSecret, id: string, content: OutgoingContent): OutgoingEnvelope {
  const inside = JSON.stringify(content);
  const v = outgoingMailVersion;
  return { v, id, attempt: 0, kid: secret.kid, sealed: seal(secret, { v, id }, inside) };
}

export type OpenedMail =
  | { readonly outcome: 'opened'; readonly envelope: OutgoingEnvelope; readonly content: OutgoingContent }
  /** A newer version or a secret we do not have: another instance may open it, put it back. */
  | {
      readonly outcome: 'notYet';
      readonly envelope: OutgoingEnvelope;
      readonly reason: 'newer_version' | 'unknown_kid';
    }
  /** Not ours at all, or tampered with: to the poison queue. */
  | { readonly outcome: 'unreadable' };

/** Opens a message as the queue trigger hands it over: the parsed JSON, or the raw text when it was none. */
export function openOutgoingMail(secrets: readonly SigningSecret[], message: unknown): OpenedMail {
  const parsed = envelopeSchema.safeParse(message);
  if (!parsed.success) return { outcome: 'unreadable' };
  const envelope = parsed.data;
  if (envelope.v > outgoingMailVersion) return { outcome: 'notYet', envelope, reason: 'newer_version' };
  const secret = secrets.find(({ kid }) => kid === envelope.kid);
  if (secret === undefined) return { outcome: 'notYet', envelope, reason: 'unknown_kid' };
  const inside = unseal(secret, envelope, envelope.sealed);
  if (inside === undefined) return { outcome: 'unreadable' };
  try {
    return { outcome: 'opened', envelope, content: contentSchema.parse(JSON.parse(inside)) };
  } catch {
    return { outcome: 'unreadable' };
  }
}

/** The queue itself. Every call throws `StorageUnavailable` when it does not answer. */
export interface OutgoingMailQueue {
  /** Adds a message, invisible for `delaySeconds`. */
  send(envelope: OutgoingEnvelope, delaySeconds: number, signal: AbortSignal): Promise<void>;
  /** Adds a message to the poison queue, where it stays until an operator replays it. */
  poison(message: unknown, signal: AbortSignal): Promise<void>;
}
