// Turns a new password into what the account directory stores, with a bound on concurrent hashing: one hash takes a core and 19 MiB,
// so that without it a burst of redemptions would delay everyone else's answer by its whole length.
import { availableParallelism } from 'node:os';
import type { Emit } from '../events';
import { passwordSaltOf, resetKeyIdOf, type ResetKeyClaims } from '../resetKey';
import { hashPassword, type PasswordHasher } from './passwordHash';

/** @returns the encoded password, or undefined at capacity: try again in seconds */
export type EncodePassword = (newPassword: string, claims: ResetKeyClaims) => Promise<string | undefined>;

/** A redemption that would wait longer for its hash is told to try again: its answer is due within 4 s. */
const maxWaitMs = 2000;

/**
 * Hashes with as many threads as there are cores (libuv has four), one at a time per reset key.
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
