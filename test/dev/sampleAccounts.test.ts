// The sample accounts of `npm start`, against Azurite.
import { verifyPassword } from '../../shared/password/passwordHash';
import { createAccountsTable } from '../../shared/storage/accountsTable';
import { samplePassword, seedSampleAccounts } from '../../dev/samples';
import { addressHashOf } from '../../shared/address';
import { emptyStorageClients } from '../support/storage';

it('one of each kind, once, in an empty table only', async () => {
  const storage = await emptyStorageClients();
  const added = (await Promise.all([seedSampleAccounts(storage), seedSampleAccounts(storage)])).flat();
  const usernames = ['alice', 'alice-lab', 'disabled', 'francoise', 'nopassword', 'someuser'];
  expect(added.map(({ username }) => username).sort()).toEqual(usernames);
  expect(await seedSampleAccounts(storage)).toEqual([]);

  const row = await storage.table('Accounts').get(addressHashOf('someuser@somewhere.com'), 'sample-1');
  expect(await verifyPassword(samplePassword, String(row?.['password']))).toBe(true);
  const directory = createAccountsTable(storage.table('Accounts'), () => {});
  const canReset = async (email: string) => (await directory.findByAddress(email)).map((account) => account.canReset);
  expect(await canReset('alice@somewhere.com')).toEqual([true, true]);
  for (const name of ['disabled', 'nopassword']) expect(await canReset(`${name}@somewhere.com`)).toEqual([false]);
});
