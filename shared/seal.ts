// Seals what an outgoing mail needs, so that neither an address nor a reset key can be read in the queue, the portal or
// the poison queue. Used by outgoingMail.ts only.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import type { SigningSecret } from './resetKey';

const nonceBytes = 12;
const tagBytes = 16;
/** Every inside is padded to this many bytes: a longer address does not make a longer message. */
export const sealedInsideBytes = 896;

/** The clear part that is bound to the seal: change any of it and the seal does not open. */
export interface SealContext {
  readonly v: number;
  readonly id: string;
  readonly kid: string;
}

const sealingKey = (secret: Buffer, id: string): Buffer =>
  Buffer.from(hkdfSync('sha256', secret, id, 'outgoing-mail seal v1', 32));

const additionalData = ({ v, id, kid }: SealContext): Buffer => Buffer.from(`${v}|${id}|${kid}`, 'utf8');

/**
 * AES-256-GCM with a key derived from the signing secret (HKDF, RFC 5869; salt = the mail's id) and a random nonce.
 * @param inside text of at most 896 bytes of UTF-8 that does not end in a space
 * @returns base64url of nonce, ciphertext and tag: always the same length
 * @throws RangeError when the inside is too long: the fields of a message are bounded so that it never is
 */
export function seal({ kid, secret }: SigningSecret, { v, id }: Omit<SealContext, 'kid'>, inside: string): string {
  const clear = Buffer.alloc(sealedInsideBytes, ' ');
  if (Buffer.byteLength(inside) > sealedInsideBytes)
    throw new RangeError('the inside of the message is too long to seal');
  clear.write(inside, 'utf8');
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', sealingKey(secret, id), nonce).setAAD(additionalData({ v, id, kid }));
  return Buffer.concat([nonce, cipher.update(clear), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

/** Opens a seal. @returns the inside, or undefined when the seal was not made by this secret for this context. */
export function unseal(
  { kid, secret }: SigningSecret,
  { v, id }: Omit<SealContext, 'kid'>,
  sealed: string,
): string | undefined {
  const bytes = Buffer.from(sealed, 'base64url');
  if (bytes.length !== nonceBytes + sealedInsideBytes + tagBytes) return undefined;
  const nonce = bytes.subarray(0, nonceBytes);
  const decipher = createDecipheriv('aes-256-gcm', sealingKey(secret, id), nonce, { authTagLength: tagBytes });
  decipher.setAAD(additionalData({ v, id, kid })).setAuthTag(bytes.subarray(-tagBytes));
  try {
    const clear = Buffer.concat([decipher.update(bytes.subarray(nonceBytes, -tagBytes)), decipher.final()]);
    return clear.toString('utf8').trimEnd();
  } catch {
    return undefined; // the tag does not fit
  }
}
