// Turns a new password into what the account directory stores, with a bound on concurrent hashing: one hash takes a core and 19 MiB,
// so that without it a burst of redemptions would delay everyone else's answer by its whole length.
import { availableParallelism } from 'node:os';
import type { Emit } from '../events';
import { passwordSaltOf, resetKeyIdOf, type ResetKeyClaims } from '../resetKey';
import { hashPassword, type PasswordHasher } from './passwordHash';

/** @returns the encoded password, or undefined at capacity: try again in seconds */
export type EncodePassword = (newPassword: string, claims: ResetKeyClaims) => Promise<string | undefined>;

/** Waiting hashes per core: at 50 ms each (Argon2id) the last one still answers within a second or two. */
const waitingPerCore = 16;

/**
 * Hashes with as many threads as there are cores (libuv has four), one at a time per reset key.
 * @param hash for tests
 */
export function createPasswordEncoder(
  hasher: PasswordHasher,
  emit: Emit,
  hash: typeof hashPassword = hashPassword,
  cores = Math.min(4, availableParallelism()),
): EncodePassword {
  const lastOfKey = new Map<string, Promise<unknown>>();
  const waiting: (() => void)[] = [];
  let running = 0;
  let pending = 0;
  const inTurn = async (task: () => Promise<string>): Promise<string> => {
    if (running >= cores) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
  return async (newPassword, claims) => {
    if (pending >= cores * waitingPerCore) {
      emit({ event: 'hashingBusy', level: 'warn' });
      return undefined;
    }
    pending += 1;
    const id = resetKeyIdOf(claims);
    const before = lastOfKey.get(id) ?? Promise.resolve();
    const mine = before
      .catch(() => undefined)
      .then(() => inTurn(() => hash(newPassword, hasher, passwordSaltOf(claims))));
    lastOfKey.set(id, mine);
    try {
      return await mine;
    } finally {
      pending -= 1;
      if (lastOfKey.get(id) === mine) lastOfKey.delete(id);
    }
  };
}
