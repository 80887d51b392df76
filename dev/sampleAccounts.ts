// Sample accounts, so that a new clone can be tried at once.
import { addressHashOf } from '../shared/address';
import { hashPassword } from '../shared/password/passwordHash';
import type { StorageClients } from '../shared/storage/storageClients';

/** The password of every sample account that has one. Public: these accounts exist on developers' computers only. */
export const samplePassword = 'a sample password for development';

/** For the developer's terminal. */
export interface SampleAccount {
  readonly id: string;
  readonly username: string;
  readonly email: string;
  readonly locale?: string;
  /** Why it gets no mail. */
  readonly note?: 'disabled' | 'no usable password';
}

export const samples: readonly SampleAccount[] = [
  { id: 'sample-1', username: 'someuser', email: 'someuser@somewhere.com' },
  { id: 'sample-2', username: 'disabled', email: 'disabled@somewhere.com', note: 'disabled' },
  { id: 'sample-3', username: 'nopassword', email: 'nopassword@somewhere.com', note: 'no usable password' },
  { id: 'sample-4', username: 'alice', email: 'alice@somewhere.com' },
  { id: 'sample-5', username: 'alice-lab', email: 'alice@somewhere.com' },
  { id: 'sample-6', username: 'francoise', email: 'francoise@somewhere.com', locale: 'fr' },
];

/**
 * Makes the tables that are missing, and adds the sample accounts if the Accounts table has no row at all. Two hosts starting at
 * once make each account once.
 * @returns those that were added
 * @throws StorageUnavailable
 */
export async function seedSampleAccounts(storage: StorageClients): Promise<SampleAccount[]> {
  await storage.createMissing();
  const accounts = storage.table('Accounts');
  if ((await accounts.page("PartitionKey ge ''", undefined)).rows.length > 0) return [];
  const password = await hashPassword(samplePassword, 'argon2id');
  const added: SampleAccount[] = [];
  for (const sample of samples) {
    const { id, username, email, locale, note } = sample;
    const credentials = { password: note === 'no usable password' ? '!' : password, isActive: note !== 'disabled' };
    const row = { email, username, ...credentials, generation: 0, locale, createdAt: new Date() };
    if ((await accounts.insert(addressHashOf(email), id, row)) !== 'exists') added.push(sample);
  }
  return added;
}
