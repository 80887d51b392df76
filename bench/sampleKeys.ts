// Accounts with one bound reset key each, written straight into the tables: no mail is needed to have something to redeem.
import { randomBytes } from 'node:crypto';
import { addressHashOf } from '../shared/address';
import { issueResetKey, resetKeyIdOf, type ResetKeySettings } from '../shared/resetKey';
import type { StorageClients } from '../shared/storage/storageClients';
import { createAccountsTable } from '../shared/storage/accountsTable';
import { createResetKeysTable } from '../shared/storage/resetKeysTable';

/** A key that works, and where its row is. */
export interface SampleKey {
  readonly key: string;
  readonly addressHash: string;
  readonly resetKeyId: string;
}

/** An account row as a site would write it. */
export async function addAccount(storage: StorageClients, email: string, isActive = true): Promise<void> {
  const columns = { email, username: 'someuser', password: 'pbkdf2_sha256$1$salt$AAAA', isActive, generation: 0 };
  await storage.table('Accounts').insert(addressHashOf(email), '1', columns);
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
  const email = `user${randomBytes(8).toString('hex')}@somewhere.com`;
  await addAccount(storage, email);
  const [account] = await createAccountsTable(storage.table('Accounts'), () => undefined).findByAddress(email);
  if (account === undefined) throw new Error('the account was not written');
  const { addressHash, id: accountId, credentialVersion } = account;
  const { key, claims } = issueResetKey(settings, addressHash, new Date());
  const resetKeyId = resetKeyIdOf(claims);
  const bound = { addressHash, resetKeyId, accountId, credentialVersion, expiresAt: claims.expiresAt };
  await createResetKeysTable(storage.table('ResetKeys')).bind(bound);
  return { key, addressHash, resetKeyId };
}
