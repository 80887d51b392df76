// Issues and verifies reset keys: the signed token in the link. The only user of jsonwebtoken. Touches no storage;
// a good signature alone is worth nothing until the key is bound (see resetLinks.ts).
import { createHash, createSecretKey, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import * as z from 'zod';
import { newId } from './clock';
import type { NamedSecret } from './outbox/outgoingMail';

/** What `RESET_SIGNING_SECRETS` and `SITE_ID` say: whom we sign as. */
export interface ResetKeySettings {
  /** The first signs, all of them verify; `kid` is in the token's header. */
  readonly signingSecrets: readonly [NamedSecret, ...NamedSecret[]];
  readonly siteId: string;
  /** Life of a new key in minutes, ≤1440 (NIST SP 800-63B-4 §4.2.1). */
  readonly resetKeyTtlMinutes: number;
}

/** What a verified reset key says. */
export interface ResetKeyClaims {
  /** The JWT's `sub`: the hash of the address it was issued for, see `addressHashOf`. */
  readonly addressHash: string;
  /** 128 random bits; never stored as it is, see `resetKeyIdOf`. */
  readonly jti: string;
  readonly expiresAt: Date;
}

export type VerifiedResetKey =
  | { readonly outcome: 'valid'; readonly claims: ResetKeyClaims }
  /** Signed by us, but past its `exp`. */
  | { readonly outcome: 'expired'; readonly claims: ResetKeyClaims }
  | { readonly outcome: 'invalid' };

export const maxResetKeyTtlMinutes = 24 * 60;
/** How far the clocks of two instances may be apart. */
const maxSkewSeconds = 300;
const maxKeyChars = 2048;
const issuer = 'pr';
const type = 'reset+jwt';
const compactJws = /^[\w-]+\.[\w-]+\.[\w-]{43}$/;
const headerSchema = z.strictObject({ alg: z.literal('HS256'), typ: z.literal(type), kid: z.string().max(8) });
const id128 = z.string().regex(/^[\w-]{22}$/);
const payloadSchema = z.strictObject({
  iss: z.string(),
  aud: z.string(),
  sub: id128,
  jti: id128,
  exp: z.int().positive(),
});

/** jsonwebtoken tries a Buffer as a private key first, at 0.6 ms a call; a KeyObject says what it is. Made once per secret. */
const keyObjects = new WeakMap<NamedSecret, KeyObject>();
function keyObjectOf(secret: NamedSecret): KeyObject {
  const made = keyObjects.get(secret) ?? createSecretKey(secret.secret);
  keyObjects.set(secret, made);
  return made;
}

/**
 * Signs a new reset key for the holder of an address.
 * @param addressHash see `addressHashOf`
 * @returns the compact JWS (≤255 characters, so that it fits into one path segment everywhere) and what it says
 * @see RFC 7519, RFC 8725 §3.11 (explicit typing)
 */
export function issueResetKey(
  settings: ResetKeySettings,
  addressHash: string,
  now: Date,
): { key: string; claims: ResetKeyClaims } {
  const [signer] = settings.signingSecrets;
  const jti = newId();
  const exp = Math.floor(now.getTime() / 1000) + settings.resetKeyTtlMinutes * 60;
  const key = jwt.sign({ iss: issuer, aud: settings.siteId, sub: addressHash, jti, exp }, keyObjectOf(signer), {
    algorithm: 'HS256',
    noTimestamp: true,
    header: { alg: 'HS256', typ: type, kid: signer.kid },
  });
  return { key, claims: { addressHash, jti, expiresAt: new Date(exp * 1000) } };
}

/**
 * Checks form, signature, type, issuer, audience and life of a reset key, in that order and without any I/O.
 * There is no tolerance on `exp`; a key that claims to live longer than 24 hours from now (and the skew of two instances'
 * clocks) is invalid.
 */
export function verifyResetKey(settings: ResetKeySettings, key: string, now: Date): VerifiedResetKey {
  const invalid = { outcome: 'invalid' } as const;
  if (key.length > maxKeyChars || !compactJws.test(key)) return invalid;
  const payload = verifiedPayload(settings, key);
  if (payload === undefined) return invalid;
  const secondsLeft = payload.exp - now.getTime() / 1000;
  if (secondsLeft > maxResetKeyTtlMinutes * 60 + maxSkewSeconds) return invalid;
  const claims = { addressHash: payload.sub, jti: payload.jti, expiresAt: new Date(payload.exp * 1000) };
  return { outcome: secondsLeft > 0 ? 'valid' : 'expired', claims };
}

function verifiedPayload(settings: ResetKeySettings, key: string) {
  try {
    const header = headerSchema.parse(jwt.decode(key, { complete: true })?.header);
    const signer = settings.signingSecrets.find(({ kid }) => kid === header.kid);
    if (signer === undefined) return undefined;
    // `exp` is judged by us with the injected clock; issuer and audience are judged here, and only their form by the schema.
    const verified = jwt.verify(key, keyObjectOf(signer), {
      algorithms: ['HS256'],
      issuer,
      audience: settings.siteId,
      ignoreExpiration: true,
      allowInvalidAsymmetricKeyTypes: false,
    });
    return payloadSchema.parse(verified);
  } catch {
    return undefined; // jsonwebtoken and zod throw for a bad key; none of their texts is of use to the caller
  }
}

/** The row key under which a reset key is bound: SHA-256 of its `jti`, base64url. A copy of the table makes no key. */
export function resetKeyIdOf(claims: Pick<ResetKeyClaims, 'jti'>): string {
  return createHash('sha256').update(claims.jti, 'utf8').digest('base64url');
}

/** The salt for the password that a key sets: the same key and password make the same hash, so that a repeat is recognized. */
export function passwordSaltOf(claims: Pick<ResetKeyClaims, 'jti'>): Buffer {
  return createHash('sha256').update(`password salt|${claims.jti}`, 'utf8').digest().subarray(0, 16);
}
