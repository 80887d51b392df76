// Sample accounts, so that a new clone can be tried at once. Called by dev/start.ts in development only, never deployed.
import { withDeadline } from '../shared/deadline';
import { hashPassword } from '../shared/password/passwordHash';
import type { StorageClients } from '../shared/storage/storageClients';
import { createAccountsAdmin } from '../cli/storage/accountsAdmin';
import { unusablePassword, type NewAccount } from '../cli/storage/newAccount';

const timeoutMs = 20_000;
/** The password of every sample account that has one. Public: these accounts exist on developers' computers only. */
export const samplePassword = 'a sample password for development';

const samples: readonly (Omit<NewAccount, 'password' | 'isActive'> & {
  readonly isActive?: false;
  readonly unusable?: true;
})[] = [
  { id: '1', username: 'someuser', email: 'someuser@somewhere.com' },
  { id: '2', username: 'disabled', email: 'disabled@somewhere.com', isActive: false },
  { id: '3', username: 'nopassword', email: 'nopassword@somewhere.com', unusable: true },
  { id: '4', username: 'alice', email: 'alice@somewhere.com' },
  { id: '5', username: 'alice-lab', email: 'alice@somewhere.com' },
  { id: '6', username: 'francoise', email: 'francoise@somewhere.com', locale: 'fr' },
];

/**
 * Adds the sample accounts if the Accounts table has no row at all; never touches an account that is there. Two hosts starting
 * at once make each account once.
 * @returns the user names that were added
 * @throws StorageUnavailable
 */
export function seedSampleAccounts(storage: StorageClients): Promise<string[]> {
  return withDeadline(timeoutMs, () => addSamples(storage));
}

async function addSamples(storage: StorageClients): Promise<string[]> {
  const admin = createAccountsAdmin(storage.table('Accounts'));
  for await (const row of admin.listKeys()) if (row.id !== '') return [];
  // The cheapest hasher: nobody guesses at a password that is printed here.
  const password = await hashPassword(samplePassword, 'argon2id');
  const added: string[] = [];
  for (const { unusable, isActive = true, ...sample } of samples) {
    const account = { ...sample, isActive, password: unusable === true ? unusablePassword : password };
    if ((await admin.add(account)) === 'added') added.push(sample.username);
  }
  return added;
}
