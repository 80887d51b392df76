// The messages of the queue `outgoing-mail`: a clear envelope around a sealed JSON object, whose meaning the outbox does not know.
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { seal, unseal, type NamedSecret } from './seal';

/** The newest version that this code reads. Version 1 has mails only; version 2 adds site events. */
export const messageVersion = 2;

/** The clear outside. What a newer version adds is kept when its message is put back. */
const envelopeSchema = z.looseObject({
  v: z.int().positive(),
  id: z.string().regex(/^[\w-]{22}$/),
  /** Not part of the seal: bounded, so that nobody who writes to the queue can push it out of reach. */
  attempt: z.int().min(0).max(1000),
  kid: z.string().min(1).max(8),
  sealed: z.string().max(8192),
});
export type Envelope = z.infer<typeof envelopeSchema>;

/** The queue. Every call throws `StorageUnavailable` if it does not answer. */
export interface OutgoingMailQueue {
  /** Adds a message, invisible for `delaySeconds`. */
  send(envelope: Envelope, delaySeconds: number): Promise<void>;
  /** Adds a message to the poison queue, where it stays until an operator replays it. */
  poison(message: unknown): Promise<void>;
}

/** `MAIL_SEALING_SECRETS`, or the signing secrets where it is not set; the first seals. */
export interface SealSettings {
  readonly sealingSecrets: readonly [NamedSecret, ...NamedSecret[]];
  /** Opened too: messages from before `MAIL_SEALING_SECRETS` was set. */
  readonly signingSecrets: readonly NamedSecret[];
}

/**
 * Seals a message and puts it into the queue.
 * @param id 22 base64url characters: the mail's id everywhere
 * @param inside JSON object of at most 896 bytes
 * @param v the oldest version whose readers understand the inside
 * @returns the id
 */
export async function enqueue(
  { settings, queue }: { readonly settings: SealSettings; readonly queue: OutgoingMailQueue },
  id: string,
  inside: object,
  { delaySeconds = 0, v = 1 }: { readonly delaySeconds?: number; readonly v?: 1 | 2 } = {},
): Promise<string> {
  const [secret] = settings.sealingSecrets;
  const sealed = seal(secret, { v, id }, JSON.stringify(inside));
  await queue.send({ v, id, attempt: 0, kid: secret.kid, sealed }, delaySeconds);
  return id;
}

/** The id of a mail that follows from something else: the same cause makes the same mail, however often it is tried. */
export function derivedId(...cause: readonly string[]): string {
  const digest = createHash('sha256').update(JSON.stringify(cause), 'utf8').digest();
  return digest.subarray(0, 16).toString('base64url').replace(/^-/, '_'); // never an option of a command line
}

export type OpenedMessage =
  | { readonly outcome: 'opened'; readonly envelope: Envelope; readonly inside: unknown }
  /** A newer version or an unknown secret: another instance may open it. */
  | { readonly outcome: 'not_yet'; readonly envelope: Envelope; readonly reason: 'newer_version' | 'unknown_kid' }
  /** Not ours, or tampered with. */
  | { readonly outcome: 'unreadable' };

/** Opens a message as the queue trigger hands it over: the parsed JSON, or the raw text if it was none. */
export function openMessage(settings: SealSettings, message: unknown): OpenedMessage {
  const parsed = envelopeSchema.safeParse(message);
  if (!parsed.success) return { outcome: 'unreadable' };
  const envelope = parsed.data;
  if (envelope.v > messageVersion) return { outcome: 'not_yet', envelope, reason: 'newer_version' };
  const secrets = [...settings.sealingSecrets, ...settings.signingSecrets].filter(({ kid }) => kid === envelope.kid);
  if (secrets.length === 0) return { outcome: 'not_yet', envelope, reason: 'unknown_kid' };
  for (const secret of secrets) {
    const inside = unseal(secret, envelope, envelope.sealed);
    if (inside !== undefined) return { outcome: 'opened', envelope, inside: parseJson(inside) };
  }
  return { outcome: 'unreadable' };
}

/** The clear part of a message, for whoever has no secret. @returns undefined if it is not one of ours */
export function readEnvelope(message: unknown): Envelope | undefined {
  return envelopeSchema.safeParse(message).data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
