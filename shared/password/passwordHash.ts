// Hashes a password in Django's encoding, so that a plain Django can verify what we store.
import { pbkdf2, randomBytes, scrypt, type ScryptOptions } from 'node:crypto';
import { promisify } from 'node:util';
import { availableParallelism } from 'node:os';
import type { Emit } from '../events';
import { passwordSaltOf, type ResetKeyClaims, resetKeyIdOf } from '../resetKey';

/** `PASSWORD_HASHER`. All three are in Django ≥4.0; only argon2 needs an extra package there (argon2-cffi). */
export type PasswordHasher = 'argon2id' | 'pbkdf2_sha256' | 'scrypt';

/** OWASP Password Storage Cheat Sheet: Argon2id with 19 MiB, two passes, one lane. */
const argon2Cost = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 } as const;
/** PBKDF2PasswordHasher.iterations of Django 6.1. */
const pbkdf2Iterations = 1_500_000;
/** Django's ScryptPasswordHasher: work factor, block size, parallelism. */
const scryptCost = { N: 2 ** 14, r: 8, p: 5, maxmem: 64 * 1024 * 1024 } as const;

const pbkdf2Async = promisify(pbkdf2);
const scryptAsync = promisify<string, string, number, ScryptOptions, Buffer>(scrypt);

/**
 * Hashes a password as received: UTF-8, nothing trimmed, folded or cut.
 * @param saltBytes 128 bits, unique per hash. As text they are short: Django's column holds 128 characters, which scrypt needs in full
 * @returns Django's encoded format
 */
export async function hashPassword(
  password: string,
  hasher: PasswordHasher,
  saltBytes: Buffer = randomBytes(16),
): Promise<string> {
  const salt = saltBytes.toString('base64url');
  switch (hasher) {
    case 'argon2id': {
      const { hash } = await import('@node-rs/argon2');
      return `argon2${await hash(password, { ...argon2Cost, salt: saltBytes })}`;
    }
    case 'pbkdf2_sha256': {
      const derived = await pbkdf2Async(password, salt, pbkdf2Iterations, 32, 'sha256');
      return `pbkdf2_sha256$${pbkdf2Iterations}$${salt}$${derived.toString('base64')}`;
    }
    case 'scrypt': {
      const derived = await scryptAsync(password, salt, 64, scryptCost);
      return `scrypt$${scryptCost.N}$${salt}$${scryptCost.r}$${scryptCost.p}$${derived.toString('base64')}`;
    }
  }
}

/** @returns the encoded password, or undefined at capacity: try again in seconds */
export type EncodePassword = (newPassword: string, claims: ResetKeyClaims) => Promise<string | undefined>;

/** A redemption that would wait longer for its hash is told to try again: its answer is due within 4 s. */
const maxWaitMs = 2000;

/**
 * Hashes with as many threads as there are cores (libuv has four), one at a time per reset key. Without a bound a burst of redemptions
 * would delay everyone else's answer by its whole length: one hash takes a core and 19 MiB.
 * @param hash for tests, as are the last two
 */
export function createPasswordEncoder(
  hasher: PasswordHasher,
  emit: Emit,
  hash: typeof hashPassword = hashPassword,
  cores = Math.min(4, availableParallelism()),
  clock: () => number = () => performance.now(),
): EncodePassword {
  const ofKey = new Map<string, { last: Promise<unknown>; count: number }>();
  const waiting: (() => void)[] = [];
  let running = 0;
  let typicalMs = 50;
  const inTurn = async (task: () => Promise<string>): Promise<string> => {
    if (running >= cores) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    const startedAt = clock();
    try {
      return await task();
    } finally {
      typicalMs = (typicalMs + clock() - startedAt) / 2;
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
  return async (newPassword, claims) => {
    const id = resetKeyIdOf(claims);
    const mine = ofKey.get(id) ?? { last: Promise.resolve(), count: 0 };
    // Redemptions of one key wait for each other, and only the first of them for a core.
    const ahead = Math.max(mine.count, ofKey.size / cores);
    if (ahead * typicalMs > maxWaitMs) {
      emit({ event: 'hashingBusy', level: 'warn' });
      return undefined;
    }
    mine.count += 1;
    ofKey.set(id, mine);
    const hashed = mine.last.then(() => inTurn(() => hash(newPassword, hasher, passwordSaltOf(claims))));
    mine.last = hashed.catch(() => undefined);
    try {
      return await hashed;
    } finally {
      mine.count -= 1;
      if (mine.count === 0) ofKey.delete(id);
    }
  };
}
