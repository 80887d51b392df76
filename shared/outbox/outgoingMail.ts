// The messages of the queue `outgoing-mail`: a clear envelope around a sealed JSON object, whose meaning the outbox does not know.
// Sealed, so that neither an address nor a reset key can be read in the queue, the portal or the poison queue.
import { createCipheriv, createDecipheriv, createHash, hkdfSync, randomBytes } from 'node:crypto';
import * as z from 'zod';

/** The newest version that this code reads. Version 1 has mails only; version 2 adds site events. */
const messageVersion = 2;

/** The clear outside. What a newer version adds is kept when its message is put back. Lazy, as every schema here: a cold start builds none. */
const envelopeSchema = z.lazy(() =>
  z.looseObject({
    v: z.int().positive(),
    id: z.string().regex(/^[\w-]{22}$/),
    /** Not part of the seal: bounded, so that nobody who writes to the queue can push it out of reach. */
    attempt: z.int().min(0).max(1000),
    kid: z.string().min(1).max(8),
    sealed: z.string().max(8192),
  }),
);
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

/** @returns undefined for a text that is not JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A named secret of ≥256 bits. The first of a list is used for what is new, all of them for what is there. */
export interface NamedSecret {
  /** 1–8 characters of `A-Z a-z 0-9 _ -`. */
  readonly kid: string;
  readonly secret: Buffer;
}

const nonceBytes = 12;
const tagBytes = 16;
/** Every inside is padded to this many bytes: a longer address does not make a longer message. */
const sealedInsideBytes = 896;

/** The clear part of a message that is bound to the seal: change any of it and the seal does not open. */
export interface SealContext {
  readonly v: number;
  readonly id: string;
}

/** HKDF (RFC 5869) with the mail's id as salt. */
const sealingKey = (secret: Buffer, id: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, id, 'outgoing-mail seal v1', 32));

const additionalData = (kid: string, { v, id }: SealContext): Buffer => Buffer.from(`${v}|${id}|${kid}`, 'utf8');

/**
 * AES-256-GCM with a derived key and a random nonce.
 * @param inside text of at most 896 bytes of UTF-8 that does not end in a space
 * @returns base64url of nonce, ciphertext and tag: always the same length
 * @throws RangeError if the inside is too long: the fields of a message are bounded so that it never is
 */
export function seal({ kid, secret }: NamedSecret, context: SealContext, inside: string): string {
  if (Buffer.byteLength(inside) > sealedInsideBytes)
    throw new RangeError('the inside of the message is too long to seal');
  const clear = Buffer.alloc(sealedInsideBytes, ' ');
  clear.write(inside, 'utf8');
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', sealingKey(secret, context.id), nonce);
  cipher.setAAD(additionalData(kid, context));
  return Buffer.concat([nonce, cipher.update(clear), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

/** @returns the inside, or undefined if the seal was not made with this secret for this context */
export function unseal({ kid, secret }: NamedSecret, context: SealContext, sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  const key = sealingKey(secret, context.id);
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceBytes), { authTagLength: tagBytes });
    decipher.setAAD(additionalData(kid, context)).setAuthTag(bytes.subarray(-tagBytes));
    const clear = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
    return clear.toString('utf8').trimEnd();
  } catch {
    return undefined; // too short, or the tag does not fit
  }
}
