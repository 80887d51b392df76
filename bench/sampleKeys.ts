// Accounts with one bound reset key each, written straight into the tables: no mail is needed to have something to redeem.
import { randomBytes } from 'node:crypto';
import { credentialVersionOf } from '../shared/accounts';
import { addressHashOf } from '../shared/address';
import { issueResetKey, resetKeyIdOf, type ResetKeySettings } from '../shared/resetKey';
import type { StorageClients } from '../shared/services';
import { createAccountsTable } from '../shared/storage/accountsTable';
import { createBoundKeysTable } from '../shared/storage/boundKeysTable';

/** A key that works, and where its row is. */
export interface SampleKey {
  readonly key: string;
  readonly sub: string;
  readonly resetKeyId: string;
}

/** An account row as a site would write it. */
export async function addAccount(storage: StorageClients, email: string, isActive = true): Promise<void> {
  const columns = { email, username: 'someuser', password: 'pbkdf2_sha256$1$salt$AAAA', isActive, generation: 0 };
  await storage.table('Accounts').insert(addressHashOf(email), '1', columns, AbortSignal.timeout(20_000));
}

/** Adds so many accounts, each with a live key. */
export async function addSampleKeys(
  storage: StorageClients,
  settings: ResetKeySettings,
  count: number,
): Promise<SampleKey[]> {
  return inBatches(count, () => addSampleKey(storage, settings));
}

/** Runs something so many times, a few at once. */
export async function inBatches<T>(count: number, run: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let start = 0; start < count; start += 20) {
    const batch = Array.from({ length: Math.min(20, count - start) }, (_, index) => run(start + index));
    results.push(...(await Promise.all(batch)));
  }
  return results;
}

async function addSampleKey(storage: StorageClients, settings: ResetKeySettings): Promise<SampleKey> {
  const signal = AbortSignal.timeout(20_000);
  const email = `user${randomBytes(8).toString('hex')}@somewhere.com`;
  const sub = addressHashOf(email);
  await addAccount(storage, email);
  const [account] = await createAccountsTable(storage.table('Accounts'), () => undefined).findBySubject(sub, signal);
  if (account === undefined) throw new Error('the account was not written');
  const { key, claims } = issueResetKey(settings, sub, new Date());
  const resetKeyId = resetKeyIdOf(claims);
  const { expiresAt } = claims;
  const bound = { sub, resetKeyId, accountId: account.id, credentialVersion: credentialVersionOf(account), expiresAt };
  await createBoundKeysTable(storage.table('ResetKeys')).bind(bound, signal);
  return { key, sub, resetKeyId };
}
