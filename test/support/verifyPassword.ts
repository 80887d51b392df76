// Verifies passwords as Django does: what the app stores must be what a site can check.
import { pbkdf2, scrypt, type ScryptOptions } from 'node:crypto';
import { promisify } from 'node:util';
import { verify } from '@node-rs/argon2';

/**
 * Verifies a password against Django's encoded format, as Django's `check_password` does for these three hashers.
 * @returns false also for an unknown or broken encoding
 */
export async function verifyPassword(password: string, encoded: string): Promise<boolean> {
  try {
    return await matches(password, encoded);
  } catch {
    return false; // a cost or a salt that the algorithm refuses
  }
}

async function matches(password: string, encoded: string): Promise<boolean> {
  const [hasher, ...parts] = encoded.split('$');
  if (hasher === 'argon2') return verify(`$${parts.join('$')}`, password);
  if (hasher === 'pbkdf2_sha256') {
    const [iterations, salt, digest] = parts;
    if (iterations === undefined || salt === undefined || digest === undefined) return false;
    const derived = await promisify(pbkdf2)(password, salt, Number(iterations), 32, 'sha256');
    return derived.toString('base64') === digest;
  }
  if (hasher === 'scrypt') {
    const [n, salt, r, p, digest] = parts;
    if (salt === undefined || digest === undefined) return false;
    const cost = { N: Number(n), r: Number(r), p: Number(p), maxmem: 64 * 1024 * 1024 };
    const derived = await promisify<string, string, number, ScryptOptions, Buffer>(scrypt)(password, salt, 64, cost);
    return derived.toString('base64') === digest;
  }
  return false;
}
