// Sample accounts, so that a new clone can be tried at once.
import { hashPassword } from '../shared/password/passwordHash';
import type { StorageClients } from '../shared/services';
import { createAccountsAdmin } from '../shared/storage/accountsAdmin';
import { unusablePassword, type NewAccount } from '../shared/storage/newAccount';

const timeoutMs = 20_000;
/** The password of every sample account that has one. Public: these accounts exist on developers' computers only. */
export const samplePassword = 'a sample password for development';

/** For the developer's terminal. */
export interface SampleAccount extends Pick<NewAccount, 'username' | 'email'> {
  readonly note: string;
}

const samples: readonly (Omit<NewAccount, 'password' | 'isActive'> & {
  readonly isActive?: false;
  readonly unusable?: true;
})[] = [
  { id: 'sample-1', username: 'someuser', email: 'someuser@somewhere.com' },
  { id: 'sample-2', username: 'disabled', email: 'disabled@somewhere.com', isActive: false },
  { id: 'sample-3', username: 'nopassword', email: 'nopassword@somewhere.com', unusable: true },
  { id: 'sample-4', username: 'alice', email: 'alice@somewhere.com' },
  { id: 'sample-5', username: 'alice-lab', email: 'alice@somewhere.com' },
  { id: 'sample-6', username: 'francoise', email: 'francoise@somewhere.com', locale: 'fr' },
];

/**
 * Adds the sample accounts if the Accounts table has no row at all; never touches an account that is there. Two hosts starting
 * at once make each account once.
 * @returns those that were added
 * @throws StorageUnavailable
 */
export async function seedSampleAccounts(storage: StorageClients): Promise<SampleAccount[]> {
  const signal = AbortSignal.timeout(timeoutMs);
  const admin = createAccountsAdmin(storage.table('Accounts'));
  for await (const row of admin.listKeys(signal)) if (row.id !== '') return [];
  // The cheapest hasher: nobody guesses at a password that is printed here.
  const password = await hashPassword(samplePassword, 'argon2id');
  const added: SampleAccount[] = [];
  for (const { unusable, isActive = true, ...sample } of samples) {
    const account = { ...sample, isActive, password: unusable === true ? unusablePassword : password };
    if ((await admin.add(account, signal)) === 'added')
      added.push({ ...sample, note: isActive && unusable !== true ? '' : '(gets no mail)' });
  }
  return added;
}
